//! Messages sent to an HTTP server that answers as SQS does.

use std::sync::Mutex;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use serde_json::{Value, json};
use tandem_queue::{Delayed, Message, Queue, SendError};
use tandem_store::outbox::Due;
use wiremock::matchers::header;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// Accepts messages, except those whose body contains a word of `rejected`: `(word, times)`. The message `cbk_009` is invalid.
struct Sqs {
    rejected: Mutex<Vec<(&'static str, usize)>>,
}

impl Sqs {
    fn rejects(&self, body: &str) -> bool {
        let mut rejected = self.rejected.lock().expect("lock");
        let Some((_, left)) = rejected
            .iter_mut()
            .find(|(word, left)| body.contains(word) && *left > 0)
        else {
            return false;
        };
        *left -= 1;
        true
    }
}

impl Respond for Sqs {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in entries(request) {
            if self.rejects(entry["MessageBody"].as_str().expect("body")) {
                let invalid = entry["MessageBody"].to_string().contains("cbk_invalid");
                failed.push(json!({"Id": entry["Id"], "SenderFault": invalid, "Code": "InternalError", "Message": "try again"}));
            } else {
                successful
                    .push(json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "d"}));
            }
        }
        ResponseTemplate::new(200)
            .set_body_json(json!({"Successful": successful, "Failed": failed}))
    }
}

fn entries(request: &Request) -> Vec<Value> {
    let body: Value = request.body_json().expect("JSON");
    body["Entries"].as_array().expect("entries").clone()
}

async fn sqs(rejected: Vec<(&'static str, usize)>) -> (MockServer, Queue) {
    let server = MockServer::start().await;
    let batch = Mock::given(header("x-amz-target", "AmazonSQS.SendMessageBatch"));
    batch
        .respond_with(Sqs {
            rejected: Mutex::new(rejected),
        })
        .mount(&server)
        .await;
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .region(Region::new("eu-central-1"))
        .endpoint_url(server.uri())
        .retry_config(RetryConfig::disabled().with_initial_backoff(Duration::from_millis(1)))
        .build();
    let queue = Queue::new(
        Client::from_conf(config),
        format!("{}/1/callbacks", server.uri()),
    );
    (server, queue)
}

fn messages(count: u64) -> Vec<Delayed> {
    let due = |number: u64| Due {
        pk: format!("cli_{}#cbk_{number:03}", number % 2),
        sk: "callback".into(),
    };
    (0..count)
        .map(|number| Delayed {
            message: Message::try_from(due(number)).expect("known kind"),
            delay: Duration::from_secs(number % 2),
        })
        .collect()
}

async fn calls(server: &MockServer) -> Vec<Vec<Value>> {
    server
        .received_requests()
        .await
        .expect("recorded")
        .iter()
        .map(entries)
        .collect()
}

#[tokio::test]
async fn batches_hold_ten_messages_grouped_by_tenant() {
    let (server, queue) = sqs(vec![]).await;
    queue.send(&messages(25)).await.expect("sent");
    let calls = calls(&server).await;
    let mut sizes: Vec<usize> = calls.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 10, 10]);
    let mut bodies = Vec::new();
    for entry in calls.concat() {
        let message =
            Message::decode(entry["MessageBody"].as_str().expect("body")).expect("a message");
        assert_eq!(entry["MessageGroupId"], message.tenant);
        let delay = if message.tenant == "cli_0" { 0 } else { 1 };
        assert_eq!(entry["DelaySeconds"], delay);
        bodies.push(message.pk);
    }
    bodies.sort_unstable_by_key(|pk| pk[6..].to_owned());
    assert_eq!(
        bodies,
        messages(25)
            .into_iter()
            .map(|delayed| delayed.message.pk)
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn no_messages_cause_no_call() {
    let (server, queue) = sqs(vec![]).await;
    queue.send(&[]).await.expect("nothing to send");
    assert!(calls(&server).await.is_empty());
}

#[tokio::test]
async fn only_rejected_messages_are_retried() {
    let (server, queue) = sqs(vec![("cbk_003", 1), ("cbk_007", 1)]).await;
    queue
        .send(&messages(10))
        .await
        .expect("sent at the second attempt");
    let calls = calls(&server).await;
    assert_eq!(calls.len(), 2);
    let again: Vec<&str> = calls[1]
        .iter()
        .filter_map(|entry| entry["Id"].as_str())
        .collect();
    assert_eq!(again, ["3", "7"]);
}

#[tokio::test]
async fn messages_rejected_four_times_are_counted_as_failed() {
    let (server, queue) = sqs(vec![("cbk_003", 4), ("cbk_017", 3)]).await;
    let error = queue.send(&messages(25)).await.expect_err("rejected");
    assert_eq!(
        error,
        SendError {
            failed: 1,
            messages: 25,
            cause: "try again".into()
        }
    );
    assert_eq!(
        calls(&server).await.len(),
        3 + 3 + 3,
        "three batches, and three retries of two"
    );
}

#[tokio::test]
async fn an_invalid_message_is_not_sent_again() {
    let (server, queue) = sqs(vec![("cbk_invalid", 9), ("cbk_001", 1)]).await;
    let mut messages = messages(3);
    messages[2].message.pk = "cli_0#cbk_invalid".to_owned();
    let error = queue.send(&messages).await.expect_err("invalid");
    assert_eq!((error.failed, error.messages), (1, 3));
    let calls = calls(&server).await;
    assert_eq!(
        calls.iter().map(Vec::len).collect::<Vec<_>>(),
        [3, 1],
        "only the other one"
    );
}

#[tokio::test]
async fn an_unreachable_queue_fails_all_messages() {
    let (server, queue) = sqs(vec![]).await;
    server.reset().await;
    let error = queue.send(&messages(11)).await.expect_err("answers 404");
    assert_eq!((error.failed, error.messages), (11, 11));
}
