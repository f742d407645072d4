//! Runs the sweep each minute.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use sweep_outbox::Sweep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tandem_runtime::logs::start();
    let sweep = Sweep::start().await?;
    let sweep = &sweep;
    lambda_runtime::run(service_fn(|_: LambdaEvent<Value>| sweep.sweep())).await
}
