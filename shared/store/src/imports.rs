//! The rows that decide about the items of an import, read together.

use std::collections::HashMap;

use tandem_domain::ids::OfferId;
use tandem_domain::import::decide::{
    ExternalHash, Importer, ItemContext, LogEntry, Mirror, customers_of,
};
use tandem_domain::import::item::ImportItem;
use tandem_domain::offer::Offer;
use tandem_domain::order::Order;
use tandem_domain::subscription::Subscription;
use tandem_domain::text::ExternalId;

use crate::read::Rows;
use crate::{Key, Store, StoreError, keys};

/// The rows of some items of one promise.
#[derive(Debug)]
pub struct ImportContexts {
    importer: Importer,
    /// Computes the hash of an `externalSystemId`.
    hash: fn(&ExternalId) -> ExternalHash,
    rows: Rows,
    /// Orders and subscriptions.
    mirrored: Rows,
    // Decoded once: most items of an import name the same few offers.
    offers: HashMap<OfferId, Offer>,
}

impl Store {
    /// Reads the rows of some items: a round trip for each hundred rows, and a second round for the orders and subscriptions that
    /// the items may change.
    pub async fn import_contexts<'a>(
        &self,
        importer: Importer,
        items: impl IntoIterator<Item = &'a ImportItem> + Clone,
        hash: fn(&ExternalId) -> ExternalHash,
    ) -> Result<ImportContexts, StoreError> {
        let mut batch = self.batch();
        for item in items.clone() {
            let external = hash(&item.external_system_id);
            batch.add(&keys::mirror(importer.client_id, &external));
            let log = keys::log_entry(importer.client_id, &external, importer.promise_id);
            batch.add(&log);
            batch.add(&keys::offer(importer.client_id, item.offer_id));
            for id in customers_of(item) {
                batch.add(&keys::customer(importer.company_id, id));
            }
        }
        let mut contexts = ImportContexts {
            importer,
            hash,
            rows: batch.load().await?,
            mirrored: Rows::default(),
            offers: HashMap::new(),
        };
        let mut batch = self.batch();
        for item in items {
            let offer = keys::offer(importer.client_id, item.offer_id);
            if let Some(offer) = contexts.rows.get(&offer)? {
                contexts.offers.insert(item.offer_id, offer);
            }
            let mirror = contexts.mirror(item)?;
            if let Some(mirror) = mirror.filter(|mirror| mirror.may_change(importer.rank, item)) {
                let (order, subscription) = mirrored_keys(&mirror);
                batch.add(&order);
                batch.add(&subscription);
            }
        }
        contexts.mirrored = batch.load().await?;
        Ok(contexts)
    }
}

impl ImportContexts {
    /// The log entry of an item that the promise has already processed.
    pub fn log_entry(&self, item: &ImportItem) -> Result<Option<LogEntry>, StoreError> {
        let external = (self.hash)(&item.external_system_id);
        let key = keys::log_entry(self.importer.client_id, &external, self.importer.promise_id);
        self.rows.get(&key)
    }

    /// Fails if a row is corrupt, or if the order or subscription of a mirror is missing.
    pub fn of(&self, item: &ImportItem) -> Result<ItemContext<'_>, StoreError> {
        let importer = self.importer;
        let mirror = self.mirror(item)?;
        let mirrored = match &mirror {
            Some(mirror) if mirror.may_change(importer.rank, item) => Some(self.mirrored(mirror)?),
            _ => None,
        };
        let exists = |id| self.rows.contains(&keys::customer(importer.company_id, id));
        Ok(ItemContext {
            external_hash: (self.hash)(&item.external_system_id),
            mirror,
            mirrored,
            offer: self.offers.get(&item.offer_id),
            customer_exists: exists(item.invoice_customer_id),
            delivery_customer_exists: item.delivery_customer_id.is_some_and(exists),
        })
    }

    fn mirror(&self, item: &ImportItem) -> Result<Option<Mirror>, StoreError> {
        let external = (self.hash)(&item.external_system_id);
        self.rows
            .get(&keys::mirror(self.importer.client_id, &external))
    }

    fn mirrored(&self, mirror: &Mirror) -> Result<(Order, Subscription), StoreError> {
        let (order, subscription) = mirrored_keys(mirror);
        let (order_row, subscription_row) = (
            self.mirrored.get(&order)?,
            self.mirrored.get(&subscription)?,
        );
        Ok((
            order_row.ok_or_else(|| missing(&order))?,
            subscription_row.ok_or_else(|| missing(&subscription))?,
        ))
    }
}

fn mirrored_keys(mirror: &Mirror) -> (Key<Order>, Key<Subscription>) {
    (
        keys::order(mirror.client_id, mirror.order_id),
        keys::subscription(mirror.client_id, mirror.subscription_id),
    )
}

fn missing<E>(key: &Key<E>) -> StoreError {
    StoreError::Corrupt {
        key: key.raw().to_string(),
        reason: "the row of an imported order is missing".to_owned(),
    }
}
