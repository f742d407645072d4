//! A chunk that no worker can handle.

use anyhow::Context as _;
use tandem_domain::import::chunk::{Chunk, ChunkState, StuckReason};
use tandem_store::{CommitError, StoreError, Transaction};

use crate::{MOST_TRIES, Which, Worker};

impl Worker {
    /// Takes a chunk out of what is due and lets its promise say so.
    ///
    /// # Errors
    /// The table does not let that be written; the chunk comes again and is put aside then.
    pub(crate) async fn put_aside(&self, which: Which, reason: StuckReason) -> anyhow::Result<()> {
        let Which {
            promise, number, ..
        } = which;
        self.write_aside(which, reason)
            .await
            .context("a chunk could not be put aside")?;
        tracing::error!(%promise, chunk = number, ?reason, "a chunk was put aside");
        Ok(())
    }

    async fn write_aside(&self, which: Which, reason: StuckReason) -> Result<(), CommitError> {
        for _ in 0..MOST_TRIES {
            let mut transaction = Transaction::default();
            match readable(self.store.get(&which.chunk()).await)? {
                // Another worker was through meanwhile, or put it aside.
                Some(Some(Chunk {
                    state: ChunkState::Done { .. } | ChunkState::Stuck { .. },
                    ..
                })) => return Ok(()),
                Some(Some(chunk)) => transaction.replace(&chunk.stuck(reason, self.clock.now()))?,
                Some(None) => return Ok(()),
                None => transaction.quiet(which.chunk().raw()),
            }
            if let Some(Some(promise)) = readable(self.store.get(&which.promise()).await)?
                && let Some(promise) = promise.chunk_stuck(which.number)
            {
                transaction.replace(&promise)?;
            }
            match self.store.commit(transaction).await {
                Err(CommitError::Conflict(_)) => {}
                other => return other,
            }
        }
        Err(CommitError::Conflict(vec![which.chunk().raw().clone()]))
    }
}

/// `None` for a row that is there and cannot be read.
fn readable<E>(read: Result<Option<E>, StoreError>) -> Result<Option<Option<E>>, StoreError> {
    match read {
        Ok(row) => Ok(Some(row)),
        Err(StoreError::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
