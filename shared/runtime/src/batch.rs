//! Working through a batch of queue messages, reporting failures one by one.

use std::future::Future;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use futures::future::join_all;
use tandem_queue::Message;

/// Hands every message of a batch to `handle`, all at once. A message that cannot be read or handled comes again, and after
/// its last receive goes to the dead-letter queue; the others are done.
pub async fn work<F>(event: SqsEvent, handle: impl Fn(Message) -> F) -> SqsBatchResponse
where
    F: Future<Output = anyhow::Result<()>>,
{
    work_counting(event, |message, _| handle(message)).await
}

/// As [`work`]; `handle` is also told how often the message was received, 1 for the first time.
pub async fn work_counting<F>(event: SqsEvent, handle: impl Fn(Message, u32) -> F) -> SqsBatchResponse
where
    F: Future<Output = anyhow::Result<()>>,
{
    let handle = &handle;
    let results = join_all(event.records.into_iter().map(|record| async move {
        let received = record.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1);
        let id = record.message_id.unwrap_or_default();
        let result = match Message::decode(record.body.as_deref().unwrap_or_default()) {
            Ok(message) => handle(message, received).await,
            Err(error) => Err(error.into()),
        };
        (id, result)
    }))
    .await;
    let failed = results.into_iter().filter_map(|(id, result)| {
        let error = result.err()?;
        tracing::error!(message = id, error = format!("{error:#}"), "a message was not handled");
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id;
        Some(failure)
    });
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed.collect();
    response
}
