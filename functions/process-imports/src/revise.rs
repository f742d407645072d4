//! Revises the results of imports that were accepted after an item, but ran before it.

use tandem_domain::ids::ClientId;
use tandem_domain::import::chunk::Chunk;
use tandem_domain::import::decide::{ItemDecision, Revision};
use tandem_store::{StoreError, Transaction};

use crate::{ChunkRef, Worker};

impl Worker {
    /// Adds the revised results, with the counts of their promises, to the transaction of an item. The item's row has the revised
    /// records already.
    pub(crate) async fn revise(
        &self,
        client: ClientId,
        decision: &ItemDecision,
        transaction: &mut Transaction,
    ) -> Result<(), StoreError> {
        for revision in &decision.revised {
            let chunk_ref = ChunkRef {
                client,
                promise: revision.promise_id,
                number: Chunk::number_of(revision.number),
            };
            self.revise_chunk(chunk_ref, revision, decision, transaction)
                .await?;
        }
        Ok(())
    }

    async fn revise_chunk(
        &self,
        chunk_ref: ChunkRef,
        revision: &Revision,
        decision: &ItemDecision,
        transaction: &mut Transaction,
    ) -> Result<(), StoreError> {
        let (chunk, promise) = self
            .store
            .load((chunk_ref.chunk(), chunk_ref.promise()))
            .await?;
        // Expired results are no longer shown.
        let (Some(chunk), Some(promise)) = (chunk, promise) else {
            return Ok(());
        };
        let (outcome, now) = (revision.outcome.clone(), decision.entry.processed_at);
        let after = outcome.result;
        let (chunk, before) = chunk.revised(revision.number, outcome, now);
        if let Some(before) = before {
            transaction.replace(&promise.revised(before, after))?;
        }
        // If the chunk is in flight, its new version makes its worker read the results again.
        transaction.replace(&chunk)
    }
}
