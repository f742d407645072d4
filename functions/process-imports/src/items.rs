//! The items of a chunk: their rows are read together and written item by item.

use futures::StreamExt as _;
use futures::stream;
use tandem_domain::import::chunk::ChunkItems;
use tandem_domain::import::decide::{Importer, ItemDecision, LogEntry};
use tandem_domain::import::item::ImportItem;
use tandem_domain::import::promise::Promise;
use tandem_runtime::random_ids::hash_of_external;
use tandem_store::imports::ImportContexts;
use tandem_store::{StoreError, Transaction};

use crate::{MOST_WRITES, WorkError, Worker};

/// Only other imports of the same `externalSystemId` conflict with an item.
const CONFLICT_ATTEMPTS: usize = 8;

impl Worker {
    /// Writes all items that are not done. A failed write does not affect other items, except that a throttled one ends the work.
    pub(crate) async fn items(
        &self,
        promise: &Promise,
        items: &ChunkItems,
    ) -> Result<Vec<LogEntry>, WorkError> {
        let importer = Importer {
            client_id: promise.client_id,
            company_id: promise.company_id,
            promise_id: promise.id,
            rank: promise.rank,
        };
        let contexts = self
            .store
            .import_contexts(importer, &items.items, hash_of_external)
            .await?;
        // Boxed: the futures of a chunk are large.
        let work: Vec<_> = items
            .numbered()
            .map(|(number, item)| {
                let write = Box::pin(self.item(importer, number, item, &contexts));
                self.pace.run(&self.store, write)
            })
            .collect();
        let mut writes = stream::iter(work).buffer_unordered(MOST_WRITES);
        let mut results = Vec::with_capacity(items.items.len());
        while let Some(result) = writes.next().await {
            let throttled = matches!(result, Err(WorkError::Store(StoreError::Throttled(_))));
            results.push(result);
            if throttled {
                // The table would throttle the other items, too; they wait for the next worker.
                break;
            }
        }
        results.into_iter().collect()
    }

    async fn item(
        &self,
        importer: Importer,
        number: u32,
        item: &ImportItem,
        contexts: &ImportContexts,
    ) -> Result<LogEntry, WorkError> {
        self.store
            .until_committed(CONFLICT_ATTEMPTS, async |conflict| {
                let reloaded = match conflict {
                    None => None,
                    Some(_) => {
                        let contexts = self
                            .store
                            .import_contexts(importer, [item], hash_of_external)
                            .await?;
                        Some(contexts)
                    }
                };
                let contexts = reloaded.as_ref().unwrap_or(contexts);
                let now = self.clock.now();
                if let Some(done) = contexts.done(number, item, now)? {
                    return Ok((Transaction::default(), done));
                }
                let decision = importer.decide(number, item, contexts.of(item)?, now);
                let mut transaction = rows(&decision)?;
                self.revise(importer.client_id, &decision, &mut transaction)
                    .await?;
                Ok((transaction, decision.entry))
            })
            .await
    }
}

fn rows(decision: &ItemDecision) -> Result<Transaction, StoreError> {
    let mut transaction = Transaction::default();
    if decision.is_new {
        transaction.create(&decision.row)?;
    } else {
        transaction.replace(&decision.row)?;
    }
    if let Some(page) = &decision.page {
        transaction.create(page)?;
    }
    Ok(transaction)
}
