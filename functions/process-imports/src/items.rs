//! The items of a chunk: read together, written one by one.

use futures::StreamExt as _;
use futures::stream;
use tandem_domain::import::chunk::ChunkItems;
use tandem_domain::import::decide::{ItemDecision, ItemResult, LogEntry};
use tandem_domain::import::promise::Promise;
use tandem_runtime::RandomIds;
use tandem_runtime::random_ids::hash_of_external;
use tandem_store::imports::{ImportGrounds, Importer, Numbered};
use tandem_store::{StoreError, Transaction};

use crate::{WorkError, Worker};

/// How many items of a chunk are written at the same time.
const CONCURRENCY: usize = 8;
/// Only other imports of the same `externalSystemId` conflict with an item.
const CONFLICT_ATTEMPTS: usize = 8;

impl Worker {
    /// Writes all items that are not done. A failed write does not affect other items.
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
        let numbered: Vec<Numbered<'_>> = items
            .numbered()
            .map(|(number, item)| Numbered {
                number,
                item,
                external_hash: hash_of_external(&item.external_system_id),
            })
            .collect();
        let grounds = self.store.import_grounds(importer, &numbered).await?;
        let work: Vec<_> = numbered
            .iter()
            .map(|item| Box::pin(self.item(importer, item, &grounds)))
            .collect();
        let results: Vec<Result<LogEntry, WorkError>> = stream::iter(work)
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        results.into_iter().collect()
    }

    async fn item(
        &self,
        importer: Importer,
        item: &Numbered<'_>,
        read: &ImportGrounds,
    ) -> Result<LogEntry, WorkError> {
        self.store
            .until_committed(CONFLICT_ATTEMPTS, async |conflict| {
                let again = match conflict {
                    None => None,
                    Some(_) => {
                        let items = std::slice::from_ref(item);
                        Some(self.store.import_grounds(importer, items).await?)
                    }
                };
                let grounds = again.as_ref().unwrap_or(read);
                if let Some(done) = grounds.logged(item)? {
                    return Ok((Transaction::default(), done));
                }
                let now = self.clock.now();
                let decision =
                    importer
                        .asks(item)
                        .decide(grounds.of(item)?, now, &mut RandomIds::at(now));
                Ok((rows(&decision)?, decision.log))
            })
            .await
    }
}

fn rows(decision: &ItemDecision) -> Result<Transaction, StoreError> {
    let mut transaction = Transaction::default();
    transaction.create(&decision.log)?;
    let created = decision.log.result == ItemResult::Created;
    if let Some(mirror) = &decision.mirror {
        if created {
            transaction.create(mirror)?
        } else {
            transaction.replace(mirror)?
        }
    }
    if let Some((order, subscription)) = &decision.rows {
        if created {
            transaction.create(order)?;
            transaction.create(subscription)?;
        } else {
            transaction.replace(order)?;
            transaction.replace(subscription)?;
        }
    }
    Ok(transaction)
}
