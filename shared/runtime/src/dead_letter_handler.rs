//! Moves messages that can never be processed into the worker's dead-letter queue at once, each with its reason.

use jiff::Timestamp;
use tandem_queue::{DeadLetter, DeadLetterQueue, DeadLetterReason, Message};
use tandem_store::{CommitError, RawKey, Store, StoreError, Transaction};

use crate::metrics;

/// Cheap to clone.
#[derive(Clone)]
pub struct DeadLetterHandler {
    store: Store,
    queue: DeadLetterQueue,
}

impl DeadLetterHandler {
    pub fn new(store: Store, queue: DeadLetterQueue) -> Self {
        Self { store, queue }
    }

    /// Moves a message to the dead-letter queue if `error` is permanent.
    ///
    /// # Errors
    /// The error itself, if a retry may succeed; or the reason why the move failed, so that SQS delivers the message again.
    pub(crate) async fn handle(
        &self,
        failed: FailedMessage<'_>,
        error: anyhow::Error,
    ) -> anyhow::Result<()> {
        let Some(reason) = dead_letter_reason(&error) else {
            return Err(error);
        };
        if let (DeadLetterReason::CorruptRow, Some(message)) = (&reason, failed.message) {
            // Otherwise the sweep would send a message for the corrupt row each minute. Once the row is repaired, redriving
            // the dead letter resumes the work.
            self.remove_from_due_index(message).await?;
        }
        let code = reason.code();
        self.queue
            .put(DeadLetter {
                body: failed.body.to_owned(),
                group: failed.group.map(str::to_owned),
                reason,
            })
            .await?;
        tracing::error!(
            message = failed.id,
            reason = code,
            error = format!("{error:#}"),
            "a message was moved to the dead-letter queue"
        );
        Ok(())
    }

    /// Counts the throttled attempts of the worker's calls to the table.
    pub(crate) fn count_throttled(&self) {
        metrics::throttled(self.store.throttled(), Timestamp::now());
    }

    async fn remove_from_due_index(&self, message: &Message) -> anyhow::Result<()> {
        let mut transaction = Transaction::default();
        transaction.remove_from_due_index(&RawKey {
            pk: message.pk.clone(),
            sk: message.sk.clone(),
        });
        match self.store.commit(transaction).await {
            // A conflict: the row was deleted.
            Ok(()) | Err(CommitError::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// A message that the worker failed to process.
pub(crate) struct FailedMessage<'a> {
    pub(crate) id: &'a str,
    pub(crate) body: &'a str,
    pub(crate) group: Option<&'a str>,
    /// The decoded body, if it could be decoded.
    pub(crate) message: Option<&'a Message>,
}

/// The reason why a retry cannot succeed; `None` if it may.
fn dead_letter_reason(error: &anyhow::Error) -> Option<DeadLetterReason> {
    let corrupt = error.chain().any(|cause| {
        matches!(cause.downcast_ref(), Some(StoreError::Corrupt { .. }))
            || matches!(
                cause.downcast_ref(),
                Some(CommitError::Store(StoreError::Corrupt { .. }))
            )
    });
    if corrupt {
        Some(DeadLetterReason::CorruptRow)
    } else {
        error.downcast_ref::<DeadLetterReason>().cloned()
    }
}
