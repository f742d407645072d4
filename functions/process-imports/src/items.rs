//! The items of a chunk: read together, written one by one.

use futures::StreamExt as _;
use futures::stream;
use tandem_domain::import::chunk::ChunkItems;
use tandem_domain::import::decide::{ItemDecision, ItemResult, LogEntry};
use tandem_domain::import::promise::Promise;
use tandem_runtime::RandomIds;
use tandem_runtime::random_ids::hash_of_external;
use tandem_store::imports::{ImportGrounds, Importer, Numbered};
use tandem_store::{CommitError, StoreError, Transaction};

use crate::Worker;

/// Transactions of one chunk that are under way at a time.
const AT_A_TIME: usize = 8;
/// How often an item is decided anew when another import of the same `externalSystemId` was faster.
const MOST_TRIES: usize = 8;

impl Worker {
    /// Does all items that are not done. One that the table does not let be done does not hinder the others.
    pub(crate) async fn items(
        &self,
        promise: &Promise,
        items: &ChunkItems,
    ) -> Result<Vec<LogEntry>, StoreError> {
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
        let results: Vec<Result<LogEntry, StoreError>> = stream::iter(work)
            .buffer_unordered(AT_A_TIME)
            .collect()
            .await;
        results.into_iter().collect()
    }

    async fn item(
        &self,
        importer: Importer,
        item: &Numbered<'_>,
        read: &ImportGrounds,
    ) -> Result<LogEntry, StoreError> {
        let mut anew: Option<ImportGrounds> = None;
        for _ in 0..MOST_TRIES {
            let grounds = anew.as_ref().unwrap_or(read);
            if let Some(done) = grounds.logged(item)? {
                return Ok(done);
            }
            let now = self.clock.now();
            let decision =
                importer
                    .asks(item)
                    .decide(grounds.of(item)?, now, &mut RandomIds::at(now));
            match self.store.commit(rows(&decision)?).await {
                Ok(()) => return Ok(decision.log),
                Err(CommitError::Conflict(_)) => {
                    anew = Some(
                        self.store
                            .import_grounds(importer, std::slice::from_ref(item))
                            .await?,
                    );
                }
                Err(CommitError::Store(error)) => return Err(error),
            }
        }
        Err(StoreError::Unavailable(
            "other imports of one externalSystemId were always faster".to_owned(),
        ))
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
