//! Messages and dead letters over Amazon SQS.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream;

use crate::{DeadLetter, DeadLetterTransport, Delayed, QueueTransport, SendError};

/// The longest delay of an SQS message; longer delays are cut to it.
pub const MAX_DELAY: Duration = Duration::from_secs(900);
/// The message attribute with the code of a dead letter's reason, e.g. `unknown_version`. Messages that SQS itself moved
/// after their last receive have no such attribute.
pub const REASON: &str = "Reason";
/// The limit of `SendMessageBatch`.
const MAX_BATCH: usize = 10;
const CONCURRENT_CALLS: usize = 8;
/// How often an entry of a batch is sent that SQS could not store.
const ATTEMPTS: u32 = 4;

/// The SQS queue at a URL.
#[derive(Debug, Clone)]
pub struct SqsTransport {
    client: Client,
    url: String,
}

impl SqsTransport {
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self {
            client,
            url: url.into(),
        }
    }

    async fn send_all(&self, messages: &[Delayed]) -> Result<(), SendError> {
        let batches = messages
            .chunks(MAX_BATCH)
            .map(|batch| self.send_with_retries(batch));
        // Boxed one by one: the compiler cannot prove that a stream of borrowing futures is Send.
        let batches = stream::iter(batches.map(Box::pin).collect::<Vec<_>>());
        let failures: Vec<Failures> = batches.buffer_unordered(CONCURRENT_CALLS).collect().await;
        let failed = failures.iter().map(Failures::count).sum();
        if failed == 0 {
            return Ok(());
        }
        let causes = failures.into_iter().filter(|failures| failures.count() > 0);
        let cause = causes.filter_map(|failures| failures.cause).next_back();
        Err(SendError {
            failed,
            messages: messages.len(),
            cause: cause.unwrap_or_default(),
        })
    }

    /// Sends a batch. Entries that SQS could not store are sent again after a random pause, whose limit doubles each time; the SDK
    /// retries only whole batches. Entries that SQS rejects as invalid are not.
    async fn send_with_retries(&self, batch: &[Delayed]) -> Failures {
        let retries = self.client.config().retry_config();
        let mut limit = retries.map_or(Duration::ZERO, RetryConfig::initial_backoff);
        let mut failures = self.send_entries(batch, (0..batch.len()).collect()).await;
        for _ in 1..ATTEMPTS {
            if failures.entries.is_empty() {
                break;
            }
            tokio::time::sleep(limit.mul_f64(fastrand::f64())).await;
            limit = limit.saturating_mul(2);
            let again = self.send_entries(batch, failures.entries).await;
            failures = Failures {
                entries: again.entries,
                invalid: [failures.invalid, again.invalid].concat(),
                cause: again.cause.or(failures.cause),
            };
        }
        failures
    }

    async fn send_entries(&self, batch: &[Delayed], indices: Vec<usize>) -> Failures {
        let entries = indices.iter().map(|&index| {
            let Delayed { message, delay } = &batch[index];
            SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(message.encode())
                .message_group_id(&message.tenant)
                .delay_seconds(seconds(*delay))
                .build()
                .expect("id and body are set")
        });
        match self
            .client
            .send_message_batch()
            .queue_url(&self.url)
            .set_entries(Some(entries.collect()))
            .send()
            .await
        {
            // The SDK has retried the whole batch already.
            Err(error) => Failures {
                entries: Vec::new(),
                invalid: indices,
                cause: Some(DisplayErrorContext(error).to_string()),
            },
            Ok(answer) => {
                let ids = |sender_fault: bool| {
                    let failed = answer.failed().iter();
                    failed
                        .filter(move |entry| entry.sender_fault() == sender_fault)
                        .filter_map(|entry| entry.id().parse().ok())
                        .collect()
                };
                Failures {
                    entries: ids(false),
                    invalid: ids(true),
                    cause: answer
                        .failed()
                        .last()
                        .map(|entry| entry.message().unwrap_or(entry.code()).to_owned()),
                }
            }
        }
    }

    async fn put_dead_letter(&self, letter: DeadLetter) -> Result<(), SendError> {
        let reason = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(letter.reason.code())
            .build()
            .expect("the data type is set");
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(letter.body)
            .set_message_group_id(letter.group)
            .message_attributes(REASON, reason)
            .send()
            .await
            .map(drop)
            .map_err(|error| SendError {
                failed: 1,
                messages: 1,
                cause: DisplayErrorContext(error).to_string(),
            })
    }
}

/// The indices within a batch of the messages that failed.
#[derive(Default)]
struct Failures {
    /// Those that may succeed later.
    entries: Vec<usize>,
    /// Those that are not sent again.
    invalid: Vec<usize>,
    cause: Option<String>,
}

impl Failures {
    fn count(&self) -> usize {
        self.entries.len() + self.invalid.len()
    }
}

impl QueueTransport for SqsTransport {
    fn send<'a>(&'a self, messages: &'a [Delayed]) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(self.send_all(messages))
    }

    fn connect(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            // SQS rejects an empty batch; the call only opens the connection.
            let _ = self
                .client
                .send_message_batch()
                .queue_url(&self.url)
                .set_entries(Some(Vec::new()))
                .send()
                .await;
        })
    }
}

impl DeadLetterTransport for SqsTransport {
    fn put(&self, letter: DeadLetter) -> BoxFuture<'_, Result<(), SendError>> {
        Box::pin(self.put_dead_letter(letter))
    }
}

/// Rounds a delay up to whole seconds, at most [`MAX_DELAY`].
fn seconds(delay: Duration) -> i32 {
    let round_up = u64::from(delay.subsec_nanos() > 0);
    let seconds = delay.as_secs().saturating_add(round_up);
    i32::try_from(seconds.min(MAX_DELAY.as_secs())).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_whole_seconds_up_to_fifteen_minutes() {
        for (millis, expected) in [
            (0, 0),
            (1, 1),
            (1_000, 1),
            (1_001, 2),
            (899_500, 900),
            (900_000, 900),
            (900_500, 900),
        ] {
            assert_eq!(seconds(Duration::from_millis(millis)), expected, "{millis}");
        }
        assert_eq!(seconds(Duration::MAX), 900);
    }
}
