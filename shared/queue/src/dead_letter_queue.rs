//! The dead-letter queue of a worker, into which it puts what it can never handle.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::MessageAttributeValue;

use crate::{DeadLetterReason, SendError};

/// The message attribute that says why, e.g. `unknown_version`. Letters that SQS itself put there, after the last receive,
/// have none.
pub const REASON: &str = "Reason";

/// A message that was put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// As it came.
    pub body: String,
    /// The message group that it came with: its tenant.
    pub group: Option<String>,
    /// Why.
    pub reason: DeadLetterReason,
}

/// A dead-letter queue. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DeadLetterQueue(Way);

#[derive(Debug, Clone)]
enum Way {
    Sqs { client: Client, url: String },
    Recording(DeadLetterRecorder),
}

/// Keeps what was sent to [`DeadLetterQueue::recording`], for tests to look at.
#[derive(Debug, Clone, Default)]
pub struct DeadLetterRecorder(Arc<Mutex<Vec<DeadLetter>>>);

impl DeadLetterRecorder {
    /// What was put aside since the last call.
    pub fn take(&self) -> Vec<DeadLetter> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl DeadLetterQueue {
    /// The SQS queue at `url`.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self(Way::Sqs {
            client,
            url: url.into(),
        })
    }

    /// A stand-in, and what it records.
    pub fn recording() -> (Self, DeadLetterRecorder) {
        let recorder = DeadLetterRecorder::default();
        (Self(Way::Recording(recorder.clone())), recorder)
    }

    /// Puts a message there as it came, with its reason.
    ///
    /// # Errors
    /// The queue does not take it.
    pub async fn put(&self, letter: DeadLetter) -> Result<(), SendError> {
        let (client, url) = match &self.0 {
            Way::Sqs { client, url } => (client, url),
            Way::Recording(recorder) => {
                recorder
                    .0
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(letter);
                return Ok(());
            }
        };
        let reason = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(letter.reason.code())
            .build();
        let send = client
            .send_message()
            .queue_url(url)
            .message_body(letter.body)
            .set_message_group_id(letter.group);
        let send = send.message_attributes(REASON, reason.expect("a type is set"));
        let cause = |error| SendError {
            failed: 1,
            messages: 1,
            cause: DisplayErrorContext(error).to_string(),
        };
        send.send().await.map(drop).map_err(cause)
    }
}
