//! What decides about the items of an import, read together.

use std::collections::HashMap;

use tandem_domain::ids::{ClientId, CompanyId, PromiseId};
use tandem_domain::import::decide::{Asked, ExternalHash, Grounds, LogEntry, Mirror, customers_of};
use tandem_domain::import::item::ImportItem;
use tandem_domain::offer::Offer;
use tandem_domain::order::Order;
use tandem_domain::subscription::Subscription;

use crate::entity::RawKey;
use crate::read::{Batch, Rows};
use crate::{Store, StoreError, keys};

/// Whose items they are.
#[derive(Debug, Clone, Copy)]
pub struct Importer {
    /// The client.
    pub client_id: ClientId,
    /// Its contracting company.
    pub company_id: CompanyId,
    /// The promise, or, for a dry run, the id it would have.
    pub promise_id: PromiseId,
    /// As which promise it counts when imports overtake each other.
    pub rank: PromiseId,
}

/// An item with its number in the import and the hash of its `externalSystemId`.
#[derive(Debug, Clone)]
pub struct Numbered<'a> {
    /// 0 for the first.
    pub number: u32,
    /// The item.
    pub item: &'a ImportItem,
    /// The hash.
    pub external_hash: ExternalHash,
}

/// What was read for some items.
#[derive(Debug)]
pub struct ImportGrounds {
    importer: Importer,
    first: Rows,
    mirrored: Rows,
    offers: HashMap<RawKey, Offer>,
}

impl Importer {
    /// The item as the domain decides it.
    pub fn asks<'a>(&self, numbered: &'a Numbered<'a>) -> Asked<'a> {
        Asked {
            client_id: self.client_id,
            promise_id: self.promise_id,
            rank: self.rank,
            number: numbered.number,
            item: numbered.item,
            external_hash: &numbered.external_hash,
        }
    }

    fn mirror(&self, numbered: &Numbered<'_>) -> crate::Key<Mirror> {
        keys::mirror(self.client_id, &numbered.external_hash)
    }

    fn log(&self, numbered: &Numbered<'_>) -> crate::Key<LogEntry> {
        keys::log_entry(self.client_id, &numbered.external_hash, self.promise_id)
    }
}

impl Store {
    /// Reads what decides about some items: a round trip for each hundred rows, and a second round for the orders and
    /// subscriptions that exist and are to change.
    ///
    /// # Errors
    /// The table is not available, or a row is corrupt.
    pub async fn import_grounds(
        &self,
        importer: Importer,
        items: &[Numbered<'_>],
    ) -> Result<ImportGrounds, StoreError> {
        let mut batch = self.batch();
        for numbered in items {
            add_rows_of(&mut batch, importer, numbered);
        }
        let first = batch.load().await?;
        let mut offers = HashMap::new();
        let mut batch = self.batch();
        for numbered in items {
            let offer = keys::offer(importer.client_id, numbered.item.offer_id);
            if let Some(found) = first.get(&offer)? {
                offers.insert(offer.raw().clone(), found);
            }
            let mirror = first.get(&importer.mirror(numbered))?;
            if let Some(mirror) =
                mirror.filter(|mirror| mirror.may_change(importer.rank, numbered.item))
            {
                batch.add(&keys::order(importer.client_id, mirror.order_id));
                batch.add(&keys::subscription(
                    importer.client_id,
                    mirror.subscription_id,
                ));
            }
        }
        let mirrored = batch.load().await?;
        Ok(ImportGrounds {
            importer,
            first,
            mirrored,
            offers,
        })
    }
}

impl ImportGrounds {
    /// What the promise has already done to an item.
    ///
    /// # Errors
    /// The row is corrupt.
    pub fn logged(&self, numbered: &Numbered<'_>) -> Result<Option<LogEntry>, StoreError> {
        self.first.get(&self.importer.log(numbered))
    }

    /// What decides about an item.
    ///
    /// # Errors
    /// A row is corrupt, or an order or subscription is missing that was imported.
    pub fn of(&self, numbered: &Numbered<'_>) -> Result<Grounds<'_>, StoreError> {
        let (importer, item) = (self.importer, numbered.item);
        let mirror = self.first.get(&importer.mirror(numbered))?;
        let mirrored = match &mirror {
            Some(mirror) if mirror.may_change(importer.rank, item) => Some(self.mirrored(mirror)?),
            _ => None,
        };
        let exists = |id| {
            self.first
                .contains(&keys::customer(importer.company_id, id))
        };
        Ok(Grounds {
            mirror,
            mirrored,
            offer: self
                .offers
                .get(keys::offer(importer.client_id, item.offer_id).raw()),
            customer_exists: exists(item.invoice_customer_id),
            delivery_customer_exists: item.delivery_customer_id.is_some_and(exists),
        })
    }

    fn mirrored(&self, mirror: &Mirror) -> Result<(Order, Subscription), StoreError> {
        let (order, subscription) = (
            keys::order(mirror.client_id, mirror.order_id),
            keys::subscription(mirror.client_id, mirror.subscription_id),
        );
        let missing = |key: &RawKey| StoreError::Corrupt {
            key: key.to_string(),
            reason: "it was imported and is missing".to_owned(),
        };
        Ok((
            self.mirrored
                .get(&order)?
                .ok_or_else(|| missing(order.raw()))?,
            self.mirrored
                .get(&subscription)?
                .ok_or_else(|| missing(subscription.raw()))?,
        ))
    }
}

fn add_rows_of(batch: &mut Batch<'_>, importer: Importer, numbered: &Numbered<'_>) {
    batch.add(&importer.mirror(numbered));
    batch.add(&importer.log(numbered));
    batch.add(&keys::offer(importer.client_id, numbered.item.offer_id));
    for id in customers_of(numbered.item) {
        batch.add(&keys::customer(importer.company_id, id));
    }
}
