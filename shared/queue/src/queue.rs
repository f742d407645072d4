//! Sending messages.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use tandem_store::outbox::Due;

use crate::message::{Kind, Message};

/// SQS's bound for one `SendMessageBatch`.
const BATCH: usize = 10;
/// SQS's longest delay, seconds.
const LONGEST_DELAY: u64 = 900;

/// Messages were not taken.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The queue did not answer properly.
    #[error("the queue does not take messages: {0}")]
    Unavailable(String),
    /// Some messages of a batch were refused, twice.
    #[error("the queue refused {0} message(s)")]
    Refused(usize),
}

/// What a recording queue was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The message.
    pub message: Message,
    /// How long it is to be held back.
    pub delay: Duration,
}

/// A queue.
#[derive(Debug, Clone)]
pub enum Queue {
    /// An SQS queue.
    Sqs {
        /// The client, with deadlines.
        client: Client,
        /// The queue's URL.
        url: String,
    },
    /// Keeps what it is sent, for tests.
    Recording(Arc<Mutex<Vec<Sent>>>),
}

impl Queue {
    /// A queue that keeps what it is sent, for tests.
    #[must_use]
    pub fn recording() -> Self {
        Self::Recording(Arc::default())
    }

    /// What a recording queue was sent since the last call; nothing for a real one.
    #[must_use]
    pub fn take_sent(&self) -> Vec<Sent> {
        match self {
            Self::Sqs { .. } => Vec::new(),
            Self::Recording(sent) => std::mem::take(&mut *sent.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// Sends messages, held back for a while (15 minutes at most).
    ///
    /// # Errors
    /// Not all were taken; sending all of them again does no harm.
    pub async fn send(&self, messages: &[Message], delay: Duration) -> Result<(), SendError> {
        match self {
            Self::Recording(sent) => {
                let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
                sent.extend(messages.iter().map(|message| Sent { message: message.clone(), delay }));
                Ok(())
            }
            Self::Sqs { client, url } => {
                for chunk in messages.chunks(BATCH) {
                    let refused = send_batch(client, url, chunk.iter(), delay).await?;
                    let again = send_batch(client, url, refused.iter().filter_map(|index| chunk.get(*index)), delay).await?;
                    if !again.is_empty() {
                        return Err(SendError::Refused(again.len()));
                    }
                }
                Ok(())
            }
        }
    }
}

/// Sends one batch and tells which messages were refused, by their place in it.
async fn send_batch<'a>(
    client: &Client,
    url: &str,
    messages: impl Iterator<Item = &'a Message>,
    delay: Duration,
) -> Result<Vec<usize>, SendError> {
    let seconds = i32::try_from(delay.as_secs().min(LONGEST_DELAY)).unwrap_or(0);
    let entry = |(index, message): (usize, &Message)| {
        SendMessageBatchRequestEntry::builder()
            .id(index.to_string())
            .message_body(message.encode())
            .message_group_id(message.tenant())
            .delay_seconds(seconds)
            .build()
            .map_err(|error| SendError::Unavailable(error.to_string()))
    };
    let entries = messages.enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let sent = client.send_message_batch().queue_url(url).set_entries(Some(entries)).send().await;
    let answer = sent.map_err(|error| SendError::Unavailable(DisplayErrorContext(error).to_string()))?;
    Ok(answer.failed().iter().filter_map(|failed| failed.id().parse().ok()).collect())
}

/// The queue of each kind of work.
#[derive(Debug, Clone)]
pub struct Queues {
    /// For callbacks.
    pub callbacks: Queue,
    /// For mails.
    pub mails: Queue,
}

impl Queues {
    /// Hands rows that are due to the workers of their kind. A row without a worker is told in the log and left out.
    ///
    /// # Errors
    /// A queue does not take messages; handing over again does no harm.
    pub async fn send(&self, due: Vec<Due>) -> Result<(), SendError> {
        let (mut callbacks, mut mails) = (Vec::new(), Vec::new());
        for row in due {
            match Message::of(row) {
                Ok(message) if message.kind == Kind::Callback => callbacks.push(message),
                Ok(message) => mails.push(message),
                Err(error) => tracing::error!(%error, "a row that is due was left out"),
            }
        }
        self.callbacks.send(&callbacks, Duration::ZERO).await?;
        self.mails.send(&mails, Duration::ZERO).await
    }
}
