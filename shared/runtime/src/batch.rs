//! Working through a batch of queue messages, reporting failures one by one.

use std::future::Future;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures::future::join_all;
use jiff::Timestamp;
use tandem_queue::{DeadLetterReason, Kind, Message};

use crate::dead_letter_handler::{DeadLetterHandler, Unhandled};

/// Hands every message of a batch to `handle`, all at once. A message that fails comes again, and after its last receive SQS
/// puts it into the dead-letter queue. One that can never be handled is put there at once: it cannot be read, is of none of
/// `kinds`, or `handle` answers a [`DeadLetterReason`] or that a row cannot be read. The others are done.
pub async fn work<F>(
    event: SqsEvent,
    kinds: &[Kind],
    dead_letter_handler: &DeadLetterHandler,
    handle: impl Fn(Message) -> F,
) -> SqsBatchResponse
where
    F: Future<Output = anyhow::Result<()>>,
{
    work_telling(event, kinds, dead_letter_handler, |message, _| {
        handle(message)
    })
    .await
}

/// How a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// How often it was received, 1 for the first time.
    pub received: u32,
    /// When it was put into the queue; a message that is put back from the dead-letter queue is a new one.
    pub sent_at: Option<Timestamp>,
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
        }
    }
}

/// As [`work`]; `handle` is also told how the message came.
pub async fn work_telling<F>(
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
        let read = Message::decode(body).and_then(|message| of_kinds(message, kinds));
        let result = match &read {
            Ok(message) => handle(message.clone(), receipt).await,
            Err(reason) => Err(reason.clone().into()),
        };
        let id = record.message_id.clone().unwrap_or_default();
        let Err(error) = result else {
            return (id, Ok(()));
        };
        let group = record.attributes.get("MessageGroupId").map(String::as_str);
        let unhandled = Unhandled {
            id: &id,
            body,
            group,
            message: read.as_ref().ok(),
        };
        let result = dead_letter_handler.take(unhandled, error).await;
        (id, result)
    }))
    .await;
    let failed = results.into_iter().filter_map(|(id, result)| {
        let error = result.err()?;
        tracing::error!(
            message = id,
            error = format!("{error:#}"),
            "a message was not handled"
        );
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id;
        Some(failure)
    });
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed.collect();
    response
}

fn of_kinds(message: Message, kinds: &[Kind]) -> Result<Message, DeadLetterReason> {
    if kinds.contains(&message.kind) {
        Ok(message)
    } else {
        Err(DeadLetterReason::UnknownKind)
    }
}
