//! Marks a chunk that no worker can handle.

use anyhow::Context as _;
use tandem_domain::import::chunk::{Chunk, ChunkFailure, ChunkState};
use tandem_store::{StoreError, Transaction};

use crate::{CONFLICT_ATTEMPTS, ChunkRef, WorkError, Worker};

impl Worker {
    /// Takes the chunk out of the `due` index and lists it in its promise. If that fails, the chunk is delivered again and marked
    /// then.
    pub(crate) async fn dead_letter(
        &self,
        chunk_ref: ChunkRef,
        reason: ChunkFailure,
    ) -> anyhow::Result<()> {
        let ChunkRef {
            promise, number, ..
        } = chunk_ref;
        self.store
            .until_committed(CONFLICT_ATTEMPTS, async |_| {
                Ok::<_, WorkError>((self.mark(chunk_ref, reason).await?, ()))
            })
            .await
            .map_err(|error| match error {
                WorkError::Store(error) => anyhow::Error::from(error),
                other => other.into(),
            })
            .context("could not mark a chunk as a dead letter")?;
        tracing::error!(%promise, chunk = number, ?reason, "a chunk is a dead letter");
        Ok(())
    }

    async fn mark(
        &self,
        chunk_ref: ChunkRef,
        reason: ChunkFailure,
    ) -> Result<Transaction, StoreError> {
        let mut transaction = Transaction::default();
        match unless_corrupt(self.store.get(&chunk_ref.chunk()).await)? {
            // Another worker finished the chunk, or marked it.
            Some(Some(Chunk {
                state: ChunkState::Done { .. } | ChunkState::DeadLetter { .. },
                ..
            })) => return Ok(transaction),
            Some(Some(chunk)) => {
                transaction.replace(&chunk.dead_letter(reason, self.clock.now()))?
            }
            Some(None) => return Ok(transaction),
            None => transaction.remove_from_due_index(chunk_ref.chunk().raw()),
        }
        if let Some(Some(promise)) = unless_corrupt(self.store.get(&chunk_ref.promise()).await)?
            && let Some(promise) = promise.chunk_dead(chunk_ref.number)
        {
            transaction.replace(&promise)?;
        }
        Ok(transaction)
    }
}

/// `None` for a corrupt row.
fn unless_corrupt<E>(read: Result<Option<E>, StoreError>) -> Result<Option<Option<E>>, StoreError> {
    match read {
        Ok(row) => Ok(Some(row)),
        Err(StoreError::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
