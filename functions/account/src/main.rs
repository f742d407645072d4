//! Runs the function behind the HTTP API.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), tandem_api::Error> {
    tandem_api::serve(account::handle).await
}
