//! Processes a batch of queue messages and reports failures one by one.

use std::future::Future;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures::future::join_all;
use jiff::Timestamp;
use tandem_queue::{DeadLetterReason, Kind, Message, REASON};
use tandem_store::{CommitError, StoreError};

use crate::dead_letter_handler::{DeadLetterHandler, FailedMessage};

/// Calls `handle` for every message of a batch, concurrently. One failed message does not affect the others.
///
/// A failed message is delivered again; after its last receive, SQS moves it to the dead-letter queue. A message that can
/// never be processed is moved there at once: it cannot be decoded, is of none of `kinds`, or `handle` returns a
/// [`DeadLetterReason`] or a corrupt row.
///
/// A message that fails because DynamoDB throttles the table is not delivered again: its row stays due, so relay or sweep send
/// another message. Otherwise a busy hour would fill the dead-letter queue. Only a redriven message is, because a row that was a
/// dead letter may not be due.
pub async fn process<F>(
    event: SqsEvent,
    kinds: &[Kind],
    dead_letter_handler: &DeadLetterHandler,
    handle: impl Fn(Message) -> F,
) -> SqsBatchResponse
where
    F: Future<Output = anyhow::Result<()>>,
{
    process_with_receipts(event, kinds, dead_letter_handler, |message, _| {
        handle(message)
    })
    .await
}

/// How a message was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The number of receives so far, including this one.
    pub received: u32,
    /// When the message was enqueued. A message redriven from the dead-letter queue is a new message.
    pub sent_at: Option<Timestamp>,
    /// Whether it was a dead letter with a reason.
    pub redriven: bool,
}

impl Receipt {
    fn of(record: &SqsMessage) -> Self {
        let number = |name: &str| {
            record
                .attributes
                .get(name)
                .and_then(|text| text.parse::<i64>().ok())
        };
        Self {
            received: number("ApproximateReceiveCount")
                .and_then(|count| count.try_into().ok())
                .unwrap_or(1),
            sent_at: number("SentTimestamp")
                .and_then(|millis| Timestamp::from_millisecond(millis).ok()),
            redriven: record.message_attributes.contains_key(REASON),
        }
    }
}

/// Like [`process`], but passes each message's receipt to `handle`.
pub async fn process_with_receipts<F>(
    event: SqsEvent,
    kinds: &[Kind],
    dead_letter_handler: &DeadLetterHandler,
    handle: impl Fn(Message, Receipt) -> F,
) -> SqsBatchResponse
where
    F: Future<Output = anyhow::Result<()>>,
{
    let handle = &handle;
    let results = join_all(event.records.into_iter().map(|record| async move {
        let receipt = Receipt::of(&record);
        let body = record.body.as_deref().unwrap_or_default();
        let decoded = Message::decode(body).and_then(|message| check_kind(message, kinds));
        let result = match &decoded {
            Ok(message) => handle(message.clone(), receipt).await,
            Err(reason) => Err(reason.clone().into()),
        };
        let id = record.message_id.clone().unwrap_or_default();
        let Err(error) = result else {
            return (id, Ok(()));
        };
        if is_throttled(&error) && !receipt.redriven {
            tracing::warn!(
                message = id,
                error = format!("{error:#}"),
                "the table is throttled; the row stays due"
            );
            return (id, Ok(()));
        }
        let failed = FailedMessage {
            id: &id,
            body,
            group: record.attributes.get("MessageGroupId").map(String::as_str),
            message: decoded.as_ref().ok(),
        };
        let result = dead_letter_handler.handle(failed, error).await;
        (id, result)
    }))
    .await;
    dead_letter_handler.count_throttled();
    let failures = results.into_iter().filter_map(|(id, result)| {
        let error = result.err()?;
        tracing::error!(
            message = id,
            error = format!("{error:#}"),
            "a message failed and will be retried"
        );
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id;
        Some(failure)
    });
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failures.collect();
    response
}

/// Whether a call failed because DynamoDB throttles the table.
fn is_throttled(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        matches!(cause.downcast_ref(), Some(StoreError::Throttled(_)))
            || matches!(
                cause.downcast_ref(),
                Some(CommitError::Store(StoreError::Throttled(_)))
            )
    })
}

fn check_kind(message: Message, kinds: &[Kind]) -> Result<Message, DeadLetterReason> {
    if kinds.contains(&message.kind) {
        Ok(message)
    } else {
        Err(DeadLetterReason::UnknownKind)
    }
}
