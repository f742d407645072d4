//! Runs the mail worker on its queue.

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use send_mails::Worker;

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
