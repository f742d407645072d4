//! Runs the import worker on its queue.

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use mimalloc::MiMalloc;
use process_imports::Worker;

/// Takes less processor time for each message than the system's allocator, and a little more for a start.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tandem_runtime::logs::start();
    let worker = Worker::start().await?;
    let worker = &worker;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| {
        tandem_runtime::spans::exported(worker.work(event.payload))
    }))
    .await
}
