//! The rows that decide about the items of an import, read together; and the results of items for the log.

use std::collections::HashMap;

use tandem_domain::Timestamp;
use tandem_domain::ids::{ClientId, CustomerId, OfferId, PromiseId};
use tandem_domain::import::decide::{ExternalHash, Importer, ItemContext, LogEntry};
use tandem_domain::import::imported::Imported;
use tandem_domain::import::item::ImportItem;
use tandem_domain::import::records::{Record, RecordPage};
use tandem_domain::offer::Offer;
use tandem_domain::text::ExternalId;

use crate::read::Rows;
use crate::{Store, StoreError, keys};

/// Computes the hash of a client's `externalSystemId`.
pub type HashOf = fn(ClientId, &ExternalId) -> ExternalHash;

/// Pages of records that one read takes.
const PAGES: usize = 100;

/// The rows of some items of one promise.
#[derive(Debug)]
pub struct ImportContexts {
    importer: Importer,
    hash: HashOf,
    rows: Rows,
    /// Delivery customers of earlier imports.
    delivery: Rows,
    // Decoded once: most items of an import name the same few offers.
    offers: HashMap<OfferId, Offer>,
    /// Records of this promise that are no longer in the rows of their items.
    paged: HashMap<ExternalHash, Record>,
}

impl Store {
    /// Reads the rows of some items: a round trip for each hundred rows, and a second one for delivery customers of earlier
    /// imports.
    pub async fn import_contexts<'a>(
        &self,
        importer: Importer,
        items: impl IntoIterator<Item = &'a ImportItem> + Clone,
        hash: HashOf,
    ) -> Result<ImportContexts, StoreError> {
        let mut batch = self.batch();
        for item in items.clone() {
            let external = hash(importer.client_id, &item.external_system_id);
            batch.add(&keys::imported(importer.client_id, &external));
            batch.add(&keys::offer(importer.client_id, item.members.offer_id));
            for id in item.members.customers() {
                batch.add(&keys::customer(importer.company_id, id));
            }
        }
        let mut contexts = ImportContexts {
            importer,
            hash,
            rows: batch.load().await?,
            delivery: Rows::default(),
            offers: HashMap::new(),
            paged: HashMap::new(),
        };
        let mut batch = self.batch();
        for item in items {
            contexts.decode_offer(item)?;
            let Some(row) = contexts.row(item)? else {
                continue;
            };
            for id in row.delivery_customers() {
                let key = keys::customer(importer.company_id, id);
                if !contexts.rows.contains(&key) {
                    batch.add(&key);
                }
            }
            if row.may_be_paged(importer.promise_id) {
                let paged = self.records(&row).await?;
                let own = paged
                    .into_iter()
                    .find(|(promise, _)| *promise == importer.promise_id);
                contexts
                    .paged
                    .extend(own.map(|(_, record)| (row.external_hash, record)));
            }
        }
        contexts.delivery = batch.load().await?;
        Ok(contexts)
    }

    /// All records of an `externalSystemId`, the latest promise first.
    pub async fn records(&self, row: &Imported) -> Result<Vec<(PromiseId, Record)>, StoreError> {
        let mut records = row.records.clone();
        let (list, mut after) = (keys::records_of(row.client_id, &row.external_hash), None);
        let mut has_more = row.paged_until.is_some();
        while has_more {
            let page = self
                .page(&list, after.as_deref(), PAGES, |_: &RecordPage| true)
                .await?;
            records.extend(page.items.into_iter().flat_map(|page| page.records));
            has_more = page.next.is_some();
            after = page.next;
        }
        Ok(records.into_iter().rev().collect())
    }

    /// The entries of some chunks of a client's promises, by promise and number of the chunk; none of a chunk that is not
    /// finished. A round trip for each fifty chunks.
    pub async fn import_entries(
        &self,
        client: ClientId,
        chunks: &[(PromiseId, u32)],
        hash: HashOf,
    ) -> Result<HashMap<(PromiseId, u32), Vec<LogEntry>>, StoreError> {
        let mut batch = self.batch();
        for (promise, number) in chunks {
            batch.add(&keys::chunk(client, *promise, *number));
            batch.add(&keys::chunk_items(client, *promise, *number));
        }
        let rows = batch.load().await?;
        let mut entries = HashMap::new();
        for (promise, number) in chunks {
            let chunk = readable(rows.get(&keys::chunk(client, *promise, *number)))?;
            let items = readable(rows.get(&keys::chunk_items(client, *promise, *number)))?;
            if let (Some(chunk), Some(items)) = (chunk, items) {
                let found = chunk.entries(&items, |id| hash(client, id));
                entries.insert((*promise, *number), found);
            }
        }
        Ok(entries)
    }
}

/// A chunk with a corrupt row has no results until it is repaired and redriven.
fn readable<E>(row: Result<Option<E>, StoreError>) -> Result<Option<E>, StoreError> {
    match row {
        Err(StoreError::Corrupt { .. }) => Ok(None),
        row => row,
    }
}

impl ImportContexts {
    /// The log entry of an item that the promise has already processed.
    pub fn done(
        &self,
        number: u32,
        item: &ImportItem,
        now: Timestamp,
    ) -> Result<Option<LogEntry>, StoreError> {
        let Some(row) = self.row(item)? else {
            return Ok(None);
        };
        let promise = self.importer.promise_id;
        let record = row
            .records
            .get(&promise)
            .or_else(|| self.paged.get(&row.external_hash));
        Ok(record
            .filter(|record| record.number == number)
            .map(|record| self.importer.entry(item, &row, record, now)))
    }

    /// Fails if a row is corrupt.
    pub fn of(&self, item: &ImportItem) -> Result<ItemContext<'_>, StoreError> {
        let row = self.row(item)?;
        let exists = |id| {
            self.rows
                .contains(&keys::customer(self.importer.company_id, id))
        };
        let members = &item.members;
        Ok(ItemContext {
            external_hash: self.hash_of(item),
            offer: self.offers.get(&members.offer_id),
            customer_exists: exists(members.invoice_customer_id),
            delivery_customer_exists: members.delivery_customer_id.value().is_some_and(exists),
            erased: row.as_ref().map(|row| self.erased(row)).unwrap_or_default(),
            row,
        })
    }

    fn decode_offer(&mut self, item: &ImportItem) -> Result<(), StoreError> {
        let id = item.members.offer_id;
        if self.offers.contains_key(&id) {
            return Ok(());
        }
        if let Some(offer) = self.rows.get(&keys::offer(self.importer.client_id, id))? {
            self.offers.insert(id, offer);
        }
        Ok(())
    }

    fn hash_of(&self, item: &ImportItem) -> ExternalHash {
        (self.hash)(self.importer.client_id, &item.external_system_id)
    }

    fn row(&self, item: &ImportItem) -> Result<Option<Imported>, StoreError> {
        let key = keys::imported(self.importer.client_id, &self.hash_of(item));
        self.rows.get(&key)
    }

    /// The row's delivery customers that do not exist any more.
    fn erased(&self, row: &Imported) -> Vec<CustomerId> {
        row.delivery_customers()
            .filter(|id| {
                let key = keys::customer(self.importer.company_id, *id);
                !self.rows.contains(&key) && !self.delivery.contains(&key)
            })
            .collect()
    }
}
