//! Sending to one queue.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures::StreamExt as _;
use futures::stream;

use crate::message::Message;
use crate::recorder::Recorder;

/// The longest delay that SQS knows; a longer one is cut to it.
pub const LONGEST_DELAY: Duration = Duration::from_secs(900);
/// The most messages of one call.
const BATCH: usize = 10;
/// Calls under way at a time.
const AT_A_TIME: usize = 8;

/// Messages were not taken; their rows stay due, so the sweep will send them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the queue did not take {failed} of {messages} messages: {cause}")]
pub struct SendError {
    /// How many were not taken.
    pub failed: usize,
    /// How many there were.
    pub messages: usize,
    /// What was said of the last one.
    pub cause: String,
}

/// A queue to which messages are sent. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Queue(Way);

#[derive(Debug, Clone)]
enum Way {
    Sqs { client: Client, url: String },
    Recording(Recorder),
}

impl Queue {
    /// The SQS queue at `url`. Deadlines and retries of calls are those of `client`.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self(Way::Sqs {
            client,
            url: url.into(),
        })
    }

    /// A stand-in, and what it records.
    pub fn recording() -> (Self, Recorder) {
        let recorder = Recorder::default();
        (Self(Way::Recording(recorder.clone())), recorder)
    }

    /// Opens the connection, so that the first message does not pay for the TLS handshake: SQS refuses an empty batch, and
    /// that is all it is for.
    pub async fn connect(&self) {
        if let Way::Sqs { client, url } = &self.0 {
            let _ = client
                .send_message_batch()
                .queue_url(url)
                .set_entries(Some(Vec::new()))
                .send()
                .await;
        }
    }

    /// Sends messages that come after `delay`, which is rounded up to seconds and cut to [`LONGEST_DELAY`]. A message that is
    /// not taken is tried once more, and hinders no other one.
    ///
    /// # Errors
    /// Tells how many messages were not taken.
    pub async fn send(&self, messages: &[Message], delay: Duration) -> Result<(), SendError> {
        let (client, url) = match &self.0 {
            Way::Sqs { client, url } => (client, url),
            Way::Recording(recorder) => return recorder.record(messages, delay),
        };
        let batches = messages
            .chunks(BATCH)
            .map(|batch| send_twice(client, url, batch, seconds(delay)));
        // Boxed one by one: a stream of borrowing futures is otherwise not seen to be Send.
        let batches = stream::iter(batches.map(Box::pin).collect::<Vec<_>>());
        let failures: Vec<Failures> = batches.buffer_unordered(AT_A_TIME).collect().await;
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
}

/// The numbers of the messages that were not taken.
#[derive(Default)]
struct Failures {
    entries: Vec<usize>,
    cause: Option<String>,
}

async fn send_twice(client: &Client, url: &str, batch: &[Message], delay: i32) -> Failures {
    let first = send_once(client, url, batch, (0..batch.len()).collect(), delay).await;
    if first.entries.is_empty() {
        first
    } else {
        send_once(client, url, batch, first.entries, delay).await
    }
}

async fn send_once(
    client: &Client,
    url: &str,
    batch: &[Message],
    numbers: Vec<usize>,
    delay: i32,
) -> Failures {
    let entries = numbers.iter().map(|&number| {
        let message = &batch[number];
        SendMessageBatchRequestEntry::builder()
            .id(number.to_string())
            .message_body(message.encode())
            .message_group_id(&message.tenant)
            .delay_seconds(delay)
            .build()
            .expect("id and body are set")
    });
    match client
        .send_message_batch()
        .queue_url(url)
        .set_entries(Some(entries.collect()))
        .send()
        .await
    {
        Err(error) => Failures {
            entries: numbers,
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

fn seconds(delay: Duration) -> i32 {
    let up = u64::from(delay.subsec_nanos() > 0);
    i32::try_from(
        delay
            .as_secs()
            .saturating_add(up)
            .min(LONGEST_DELAY.as_secs()),
    )
    .unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
