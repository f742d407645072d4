//! Runs the relay on the table's stream.

use aws_lambda_events::event::dynamodb::Event;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use relay_outbox::Relay;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tandem_runtime::logs::start();
    let relay = Relay::start().await?;
    let relay = &relay;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Event>| {
        tandem_runtime::spans::exported(relay.relay(event.payload))
    }))
    .await
}
