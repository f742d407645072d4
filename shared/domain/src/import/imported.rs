//! The row of one `externalSystemId`: the order with its subscription, and the imports of which both are the replay.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{ClientId, CustomerId, OfferId, PromiseId};
use crate::money::Money;
use crate::offer::Offer;
use crate::order::Order;
use crate::period::Period;
use crate::subscription::Subscription;
use crate::text::{ExternalId, Name};

use super::STORED;
use super::hash::ExternalHash;
use super::history::History;
use super::records::{Record, RecordPage};
use super::rows::{order, period_of, subscription};
use super::stored::Stored;

/// Records of imports that are no longer replayed leave the row once there are this many, for a [`RecordPage`]: a row of up to a
/// kilobyte takes one write unit.
pub const MAX_SETTLED: usize = 5;

/// All that Tandem knows of one `externalSystemId` of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Imported {
    pub client_id: ClientId,
    pub external_hash: ExternalHash,
    pub external_system_id: ExternalId,
    /// `None` as long as each import failed.
    pub sale: Option<Sale>,
    pub history: History,
    /// The results of the imports, whether they are replayed or not.
    pub records: BTreeMap<PromiseId, Record>,
    /// The latest promise whose record is in a [`RecordPage`].
    pub paged_until: Option<PromiseId>,
    pub version: u64,
}

/// The members of an order and its subscription that its imports do not name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sale {
    /// In milliseconds; order and subscription have it in their ids.
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub offer: SoldOffer,
}

/// An offer at the time of the import that created the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SoldOffer {
    pub id: OfferId,
    pub name: Name,
    pub price: Money,
    pub period: Period,
    pub renews: bool,
}

impl From<&Offer> for SoldOffer {
    fn from(offer: &Offer) -> Self {
        let (period, renews) = period_of(offer);
        Self {
            id: offer.id,
            name: offer.name.clone(),
            price: offer.price,
            period,
            renews,
        }
    }
}

impl Imported {
    /// An `externalSystemId` without imports.
    pub(super) fn new(
        client_id: ClientId,
        external_hash: ExternalHash,
        external_system_id: ExternalId,
    ) -> Self {
        Self {
            client_id,
            external_hash,
            external_system_id,
            sale: None,
            history: History::default(),
            records: BTreeMap::new(),
            paged_until: None,
            version: 1,
        }
    }

    /// The UUID of order and subscription.
    pub fn uuid(&self) -> Option<Uuid> {
        let sale = self.sale.as_ref()?;
        Some(self.external_hash.uuid(sale.created_at))
    }

    pub fn order(&self) -> Option<Order> {
        order(self, &self.subscription()?)
    }

    pub fn subscription(&self) -> Option<Subscription> {
        subscription(self, self.sale.as_ref()?, &self.history.kept()?)
    }

    /// The invoice customer of the order.
    pub fn customer(&self) -> Option<CustomerId> {
        let kept = self.history.kept()?;
        self.sale.is_some().then_some(kept.invoice_customer_id)
    }

    /// The delivery customers of earlier imports, who may have been erased since.
    pub fn delivery_customers(&self) -> impl Iterator<Item = CustomerId> {
        self.history.delivery_customers()
    }

    /// Whether the record of a promise may be in a [`RecordPage`].
    pub fn may_be_paged(&self, promise: PromiseId) -> bool {
        self.paged_until.is_some_and(|until| promise <= until)
            && !self.records.contains_key(&promise)
    }

    /// The row expires if it has no order.
    pub fn expires_at(&self) -> Option<Timestamp> {
        if self.sale.is_some() {
            return None;
        }
        let last = self.records.last_key_value().map(|(promise, _)| *promise);
        last.max(self.paged_until)?.time().checked_add(STORED).ok()
    }

    /// Drops the records that are no longer shown, and moves those that are no longer replayed to a page if there are many.
    pub(super) fn settle(&mut self, now: Timestamp) -> Option<RecordPage> {
        let is_stored = |promise: PromiseId| {
            promise
                .time()
                .checked_add(STORED)
                .is_ok_and(|end| now <= end)
        };
        self.records
            .retain(|promise, _| is_stored(*promise) || self.history.contains(*promise));
        let settled: Vec<PromiseId> = self
            .records
            .keys()
            .filter(|promise| !self.history.contains(**promise))
            .copied()
            .collect();
        if settled.len() <= MAX_SETTLED {
            return None;
        }
        self.paged_until = self.paged_until.max(settled.last().copied());
        let records = settled
            .into_iter()
            .filter_map(|promise| self.records.remove_entry(&promise))
            .collect();
        Some(RecordPage {
            client_id: self.client_id,
            external_hash: self.external_hash.clone(),
            records,
        })
    }
}
