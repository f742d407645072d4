//! Runs the sweep of a part of the shards each minute.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use sweep_outbox::{Part, Sweep};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tandem_runtime::logs::start();
    let sweep = Sweep::start().await?;
    let sweep = &sweep;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Part>| {
        tandem_runtime::spans::exported(sweep.sweep_part(event.payload))
    }))
    .await
}
