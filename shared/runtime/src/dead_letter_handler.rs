//! What becomes of messages that can never be handled: at once, each with its reason, into the worker's dead-letter queue.

use tandem_queue::{DeadLetter, DeadLetterQueue, DeadLetterReason, Message};
use tandem_store::{CommitError, RawKey, Store, StoreError, Transaction};

/// Puts aside what a worker can never handle. Cheap to clone.
#[derive(Clone)]
pub struct DeadLetterHandler {
    store: Store,
    letters: DeadLetterQueue,
}

impl DeadLetterHandler {
    /// With the table, and the dead-letter queue of a worker.
    pub fn new(store: Store, letters: DeadLetterQueue) -> Self {
        Self { store, letters }
    }

    /// Puts a message aside if `error` says that it can never be handled. A row that cannot be read is no longer due, or the
    /// sweep would send a message for it each minute; a message that is redriven after the row was mended makes it go on.
    ///
    /// # Errors
    /// The error itself, if the message may be handled another time; or why it could not be put aside, so that it comes again.
    pub(crate) async fn take(
        &self,
        letter: Unhandled<'_>,
        error: anyhow::Error,
    ) -> anyhow::Result<()> {
        let Some(reason) = dead_letter_reason(&error) else {
            return Err(error);
        };
        if let (DeadLetterReason::CorruptRow, Some(message)) = (&reason, letter.message) {
            self.quiet(message).await?;
        }
        let (code, message) = (reason.code(), letter.id);
        let put = DeadLetter {
            body: letter.body.to_owned(),
            group: letter.group.map(str::to_owned),
            reason,
        };
        self.letters.put(put).await?;
        tracing::error!(
            message,
            reason = code,
            error = format!("{error:#}"),
            "a message was put into the dead-letter queue"
        );
        Ok(())
    }

    async fn quiet(&self, message: &Message) -> anyhow::Result<()> {
        let mut transaction = Transaction::default();
        transaction.quiet(&RawKey {
            pk: message.pk.clone(),
            sk: message.sk.clone(),
        });
        match self.store.commit(transaction).await {
            // There is no such row any more.
            Ok(()) | Err(CommitError::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// A message that was not handled, as it came.
pub(crate) struct Unhandled<'a> {
    pub(crate) id: &'a str,
    pub(crate) body: &'a str,
    pub(crate) group: Option<&'a str>,
    /// What it says, if it can be read.
    pub(crate) message: Option<&'a Message>,
}

/// Why an error says that trying again is of no use; `None` if it may be.
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
