//! Optimistic concurrency: a decision is repeated until its transaction is committed.

use std::future::Future;

use crate::entity::{Key, RawKey};
use crate::{CommitError, Store, StoreError, Transaction};

/// The rows that did not meet a transaction's conditions, or that another transaction was writing.
#[derive(Debug, Clone)]
pub struct Conflict(pub(crate) Vec<RawKey>);

impl Conflict {
    /// Whether the row of this key is one of them.
    pub fn concerns<E>(&self, key: &Key<E>) -> bool {
        self.0.contains(key.raw())
    }
}

/// Each attempt ended in a conflict. Nothing was written.
#[derive(Debug, thiserror::Error)]
#[error("all {attempts} attempts to commit ended in a conflict")]
pub struct TooManyConflicts {
    pub attempts: usize,
}

impl Store {
    /// Commits the transaction that `decide` returns, and returns the value that `decide` returns with it. After a conflict,
    /// `decide` is called again, with that conflict; it reads the rows again and may return another transaction, or an
    /// empty one when nothing is left to write.
    pub async fn until_committed<T, E, F>(
        &self,
        attempts: usize,
        mut decide: impl FnMut(Option<Conflict>) -> F,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<(Transaction, T), E>>,
        E: From<StoreError> + From<TooManyConflicts>,
    {
        let mut conflict = None;
        for _ in 0..attempts {
            // Boxed: a future that contains its callers' decisions overflows the stack of a test thread.
            let (transaction, value) = Box::pin(decide(conflict.take())).await?;
            match Box::pin(self.commit(transaction)).await {
                Ok(()) => return Ok(value),
                Err(CommitError::Conflict(met)) => conflict = Some(met),
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(TooManyConflicts { attempts }.into())
    }
}
