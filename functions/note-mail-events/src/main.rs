//! Runs the function on the events of the mail service.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use note_mail_events::Notes;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tandem_runtime::logs::start();
    let notes = Notes::start().await?;
    let notes = &notes;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| {
        tandem_runtime::spans::exported(notes.note(event.payload))
    }))
    .await
}
