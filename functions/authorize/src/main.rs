//! Runs the authorizer of the HTTP API.

use authorize::{Authorizer, Request};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tandem_runtime::logs::start();
    let authorizer = Authorizer::start().await?;
    let authorizer = &authorizer;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Request>| {
        tandem_runtime::spans::exported(authorizer.authorize(event.payload))
    }))
    .await
}
