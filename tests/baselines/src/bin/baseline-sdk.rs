//! A function with one client of the AWS SDK as its guide builds it. The client connects to nothing.

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::Client;
use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let client = &Client::new(&config);
    run(service_fn(move |_: Request| async move {
        let _ = client.list_tables().send().await;
        Ok::<_, Error>("")
    }))
    .await
}
