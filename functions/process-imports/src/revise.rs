//! Revises the results of imports that were accepted after an item, but ran before it.

use tandem_domain::Timestamp;
use tandem_domain::import::chunk::Chunk;
use tandem_domain::import::decide::{ItemDecision, ItemResult, LogEntry, Revision};
use tandem_store::{StoreError, Transaction, keys};

use crate::{ChunkRef, Worker};

impl Worker {
    /// Adds the revised log entries, with the counts of their promises, to the transaction of an item.
    pub(crate) async fn revise(
        &self,
        decision: &ItemDecision,
        transaction: &mut Transaction,
    ) -> Result<(), StoreError> {
        if decision.revised.is_empty() {
            return Ok(());
        }
        let item = &decision.log;
        let key = |revision: &Revision| {
            keys::log_entry(item.client_id, &item.external_hash, revision.promise_id)
        };
        let entries = self
            .store
            .load_all(decision.revised.iter().map(key))
            .await?;
        for revision in &decision.revised {
            // An expired entry is no longer shown.
            if let Some(entry) = entries.get(&key(revision)) {
                self.revise_entry(entry, revision, item.processed_at, transaction)
                    .await?;
            }
        }
        Ok(())
    }

    async fn revise_entry(
        &self,
        entry: &LogEntry,
        revision: &Revision,
        now: Timestamp,
        transaction: &mut Transaction,
    ) -> Result<(), StoreError> {
        let after = revision.outcome.result;
        transaction.replace(&entry.clone().revised(revision.outcome.clone(), now))?;
        let chunk_ref = ChunkRef {
            client: entry.client_id,
            promise: entry.promise_id,
            number: Chunk::number_of(entry.number),
        };
        let (chunk, promise) = self
            .store
            .load((chunk_ref.chunk(), chunk_ref.promise()))
            .await?;
        let (Some(chunk), Some(promise)) = (chunk, promise) else {
            return Ok(());
        };
        if chunk.is_done() {
            transaction.replace(&promise.revised(entry.result, after))?;
        }
        // If the chunk is in flight, its new version makes its worker count the results again.
        transaction.replace(&chunk.revised(entry.number, after == ItemResult::Failed))
    }
}
