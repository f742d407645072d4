//! Foreign messages in the queues of the stack.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};

use crate::stage::Stack;

/// Sends a message to the callback queue.
pub async fn send_to_callbacks(body: &str) {
    let stack = Stack::get();
    let (id, secret) = (&stack.aws_access_key_id, &stack.aws_secret_access_key);
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(stack.region.clone()))
        .credentials_provider(Credentials::new(id, secret, None, None, "stack.json"))
        .endpoint_url(&stack.aws_endpoint)
        .build();
    let send = Client::from_conf(config)
        .send_message()
        .queue_url(&stack.callback_queue_url)
        .message_body(body);
    let _ = send.send().await.expect("the queue accepts it");
}
