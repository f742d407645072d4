//! Messages and dead letters over Amazon SQS.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream;

use crate::{DeadLetter, DeadLetterTransport, Message, QueueTransport, SendError};

/// The longest delay of an SQS message; longer delays are cut to it.
pub const MAX_DELAY: Duration = Duration::from_secs(900);
/// The message attribute with the code of a dead letter's reason, e.g. `unknown_version`. Messages that SQS itself moved
/// after their last receive have no such attribute.
pub const REASON: &str = "Reason";
/// The limit of `SendMessageBatch`.
const MAX_BATCH: usize = 10;
const CONCURRENT_CALLS: usize = 8;

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

    async fn send_all(&self, messages: &[Message], delay: Duration) -> Result<(), SendError> {
        let batches = messages
            .chunks(MAX_BATCH)
            .map(|batch| self.send_with_retry(batch, seconds(delay)));
        // Boxed one by one: the compiler cannot prove that a stream of borrowing futures is Send.
        let batches = stream::iter(batches.map(Box::pin).collect::<Vec<_>>());
        let failures: Vec<Failures> = batches.buffer_unordered(CONCURRENT_CALLS).collect().await;
        let failed = failures.iter().map(|failures| failures.entries.len()).sum();
        match failures
            .into_iter()
            .filter_map(|failures| failures.cause)
            .next_back()
        {
            None => Ok(()),
            Some(cause) => Err(SendError {
                failed,
                messages: messages.len(),
                cause,
            }),
        }
    }

    /// Sends a batch; entries that fail are retried once.
    async fn send_with_retry(&self, batch: &[Message], delay: i32) -> Failures {
        let first = self
            .send_entries(batch, (0..batch.len()).collect(), delay)
            .await;
        if first.entries.is_empty() {
            first
        } else {
            self.send_entries(batch, first.entries, delay).await
        }
    }

    async fn send_entries(&self, batch: &[Message], indices: Vec<usize>, delay: i32) -> Failures {
        let entries = indices.iter().map(|&index| {
            let message = &batch[index];
            SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(message.encode())
                .message_group_id(&message.tenant)
                .delay_seconds(delay)
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
            Err(error) => Failures {
                entries: indices,
                cause: Some(DisplayErrorContext(error).to_string()),
            },
            Ok(answer) => Failures {
                entries: answer
                    .failed()
                    .iter()
                    .filter_map(|entry| entry.id().parse().ok())
                    .collect(),
                cause: answer
                    .failed()
                    .last()
                    .map(|entry| entry.message().unwrap_or(entry.code()).to_owned()),
            },
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
    entries: Vec<usize>,
    cause: Option<String>,
}

impl QueueTransport for SqsTransport {
    fn send<'a>(
        &'a self,
        messages: &'a [Message],
        delay: Duration,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(self.send_all(messages, delay))
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
