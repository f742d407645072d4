//! The rows that decide about the items of an import, read together.

use std::collections::HashMap;

use tandem_domain::Timestamp;
use tandem_domain::ids::{CustomerId, OfferId};
use tandem_domain::import::decide::{ExternalHash, Importer, ItemContext, LogEntry, Mirror};
use tandem_domain::import::item::ImportItem;
use tandem_domain::offer::Offer;
use tandem_domain::order::Order;
use tandem_domain::subscription::Subscription;
use tandem_domain::text::ExternalId;

use crate::read::{Batch, Rows};
use crate::{Key, Store, StoreError, keys};

/// The rows of some items of one promise.
#[derive(Debug)]
pub struct ImportContexts {
    importer: Importer,
    /// Computes the hash of an `externalSystemId`.
    hash: fn(&ExternalId) -> ExternalHash,
    now: Timestamp,
    rows: Rows,
    /// Orders, subscriptions, and delivery customers of earlier imports.
    mirrored: Rows,
    /// Orders and subscriptions that lose an erased delivery customer.
    losing: Rows,
    // Decoded once: most items of an import name the same few offers.
    offers: HashMap<OfferId, Offer>,
}

impl Store {
    /// Reads the rows of some items: a round trip for each hundred rows, and a second round for the orders and subscriptions that
    /// the items may change. If a delivery customer was erased, a third round.
    pub async fn import_contexts<'a>(
        &self,
        importer: Importer,
        items: impl IntoIterator<Item = &'a ImportItem> + Clone,
        hash: fn(&ExternalId) -> ExternalHash,
        now: Timestamp,
    ) -> Result<ImportContexts, StoreError> {
        let mut batch = self.batch();
        for item in items.clone() {
            let external = hash(&item.external_system_id);
            batch.add(&keys::mirror(importer.client_id, &external));
            let log = keys::log_entry(importer.client_id, &external, importer.promise_id);
            batch.add(&log);
            batch.add(&keys::offer(importer.client_id, item.members.offer_id));
            for id in item.members.customers() {
                batch.add(&keys::customer(importer.company_id, id));
            }
        }
        let mut contexts = ImportContexts {
            importer,
            hash,
            now,
            rows: batch.load().await?,
            mirrored: Rows::default(),
            losing: Rows::default(),
            offers: HashMap::new(),
        };
        let mut batch = self.batch();
        for item in items.clone() {
            contexts.decode_offer(item)?;
            let Some(mirror) = contexts.mirror(item)? else {
                continue;
            };
            for id in mirror.delivery_customers() {
                batch.add(&keys::customer(importer.company_id, id));
            }
            if mirror.may_change(&importer.import(item), &[], now) {
                add_mirrored(&mut batch, &mirror);
            }
        }
        contexts.mirrored = batch.load().await?;
        contexts.losing = self.losing(&contexts, items).await?;
        Ok(contexts)
    }

    async fn losing<'a>(
        &self,
        contexts: &ImportContexts,
        items: impl IntoIterator<Item = &'a ImportItem>,
    ) -> Result<Rows, StoreError> {
        let mut batch = self.batch();
        for item in items {
            if let Some(mirror) = contexts.mirror(item)?
                && !contexts.erased(&mirror).is_empty()
            {
                add_mirrored(&mut batch, &mirror);
            }
        }
        batch.load().await
    }
}

fn add_mirrored(batch: &mut Batch<'_>, mirror: &Mirror) {
    let (order, subscription) = mirrored_keys(mirror);
    batch.add(&order);
    batch.add(&subscription);
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
        let mirror = self.mirror(item)?;
        let erased = mirror
            .as_ref()
            .map(|mirror| self.erased(mirror))
            .unwrap_or_default();
        let import = self.importer.import(item);
        let mirrored = match &mirror {
            Some(mirror) if mirror.may_change(&import, &[], self.now) => {
                Some(mirrored(&self.mirrored, mirror)?)
            }
            Some(mirror) if !erased.is_empty() => Some(mirrored(&self.losing, mirror)?),
            _ => None,
        };
        let exists = |id| {
            self.rows
                .contains(&keys::customer(self.importer.company_id, id))
        };
        let members = &item.members;
        Ok(ItemContext {
            external_hash: (self.hash)(&item.external_system_id),
            mirror,
            mirrored,
            offer: self.offers.get(&members.offer_id),
            customer_exists: exists(members.invoice_customer_id),
            delivery_customer_exists: members.delivery_customer_id.value().is_some_and(exists),
            erased,
        })
    }

    fn decode_offer(&mut self, item: &ImportItem) -> Result<(), StoreError> {
        let id = item.members.offer_id;
        if let Some(offer) = self.rows.get(&keys::offer(self.importer.client_id, id))? {
            self.offers.insert(id, offer);
        }
        Ok(())
    }

    fn mirror(&self, item: &ImportItem) -> Result<Option<Mirror>, StoreError> {
        let external = (self.hash)(&item.external_system_id);
        self.rows
            .get(&keys::mirror(self.importer.client_id, &external))
    }

    /// The mirror's delivery customers that do not exist any more.
    fn erased(&self, mirror: &Mirror) -> Vec<CustomerId> {
        mirror
            .delivery_customers()
            .filter(|id| {
                let key = keys::customer(self.importer.company_id, *id);
                !self.rows.contains(&key) && !self.mirrored.contains(&key)
            })
            .collect()
    }
}

fn mirrored(rows: &Rows, mirror: &Mirror) -> Result<(Order, Subscription), StoreError> {
    let (order, subscription) = mirrored_keys(mirror);
    let (order_row, subscription_row) = (rows.get(&order)?, rows.get(&subscription)?);
    Ok((
        order_row.ok_or_else(|| missing(&order))?,
        subscription_row.ok_or_else(|| missing(&subscription))?,
    ))
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
