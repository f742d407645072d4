//! What one item does.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::IdSource;
use crate::ids::{ClientId, CustomerId, OfferId, OrderId, PromiseId, SubscriptionId};
use crate::money::Money;
use crate::offer::{Offer, OfferKind, OfferStatus};
use crate::order::{Order, OrderPosition, PositionState};
use crate::subscription::{Life, Role, Subscription};
use crate::text::ExternalId;

use super::KEPT;
use super::item::{EndDate, ImportItem};

pub use super::problem::ItemProblem;

/// The SHA-256 of an `externalSystemId`, in hex: keys are logged and have no place for other systems' texts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExternalHash(pub String);

/// What an item came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ItemResult {
    /// Order and subscription were made.
    Created,
    /// They were changed.
    Updated,
    /// They are as the item says.
    Unchanged,
    /// An import that was accepted later has run before.
    Superseded,
    /// The item cannot be applied.
    Failed,
}

impl ItemResult {
    /// The words on the wire, for filters.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("created", Self::Created),
        ("updated", Self::Updated),
        ("unchanged", Self::Unchanged),
        ("superseded", Self::Superseded),
        ("failed", Self::Failed),
    ];
}

/// What was imported last under an `externalSystemId`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mirror {
    /// Who imports.
    pub client_id: ClientId,
    /// Hash of the `externalSystemId`.
    pub external_hash: ExternalHash,
    /// The order.
    pub order_id: OrderId,
    /// The subscription.
    pub subscription_id: SubscriptionId,
    /// The rank of the latest accepted promise that was applied.
    pub rank: PromiseId,
    /// What it said.
    pub item: ImportItem,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

/// What one item of one promise did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// Who imports.
    pub client_id: ClientId,
    /// The promise.
    pub promise_id: PromiseId,
    /// The item's number in the import, 0 for the first.
    pub number: u32,
    /// The order's id in the leading system.
    pub external_system_id: ExternalId,
    /// Its hash.
    pub external_hash: ExternalHash,
    /// The offer.
    pub offer_id: OfferId,
    /// What it came to.
    pub result: ItemResult,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<ItemProblem>,
    /// The later promise that overtook it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub superseded_by: Option<PromiseId>,
    /// The order it made or concerns.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order_id: Option<OrderId>,
    /// The subscription it made or concerns.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subscription_id: Option<SubscriptionId>,
    /// When it was done.
    pub processed_at: Timestamp,
}

impl LogEntry {
    /// When it is no longer shown, and may be deleted.
    pub fn kept_until(&self) -> Timestamp {
        self.processed_at
            .saturating_add(KEPT)
            .unwrap_or(Timestamp::MAX)
    }
}

/// An item, and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Who imports.
    pub client_id: ClientId,
    /// The promise.
    pub promise_id: PromiseId,
    /// As which promise it counts when imports overtake each other.
    pub rank: PromiseId,
    /// The item's number in the import.
    pub number: u32,
    /// The item.
    pub item: &'a ImportItem,
    /// The hash of its `externalSystemId`.
    pub external_hash: &'a ExternalHash,
}

/// What is known when an item is decided.
#[derive(Debug, Clone, Default)]
pub struct Grounds<'a> {
    /// What was imported last under the same `externalSystemId`.
    pub mirror: Option<Mirror>,
    /// Its order and subscription. May be absent unless the item [may change](Mirror::may_change) them.
    pub mirrored: Option<(Order, Subscription)>,
    /// The client's offer with the item's id.
    pub offer: Option<&'a Offer>,
    /// Whether the item's customer exists.
    pub customer_exists: bool,
    /// Whether the item's delivery customer exists, if it names one.
    pub delivery_customer_exists: bool,
}

/// What is to be written for an item.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemDecision {
    /// What it did.
    pub log: LogEntry,
    /// The mirror, new or changed, if this promise is the latest that was applied.
    pub mirror: Option<Mirror>,
    /// Order and subscription, if they are new or change.
    pub rows: Option<(Order, Subscription)>,
}

impl Mirror {
    /// Whether a promise was overtaken.
    fn overtakes(&self, rank: PromiseId) -> bool {
        self.rank > rank
    }

    /// Whether the item says what was said last, so that order and subscription need not be looked at.
    fn says(&self, item: &ImportItem) -> bool {
        self.item == *item
    }

    /// Whether order and subscription decide about the item: it is not overtaken, and says something else than before.
    pub fn may_change(&self, rank: PromiseId, item: &ImportItem) -> bool {
        !self.overtakes(rank) && !self.says(item)
    }
}

impl Asked<'_> {
    /// Decides the item.
    pub fn decide(
        &self,
        grounds: Grounds<'_>,
        now: Timestamp,
        ids: &mut dyn IdSource,
    ) -> ItemDecision {
        if let Some(mirror) = grounds
            .mirror
            .as_ref()
            .filter(|mirror| mirror.overtakes(self.rank))
        {
            let log = LogEntry {
                superseded_by: Some(mirror.rank),
                ..self.log(ItemResult::Superseded, Some(mirror), now)
            };
            return ItemDecision {
                log,
                mirror: None,
                rows: None,
            };
        }
        let offer = match self.check(&grounds) {
            Ok(offer) => offer,
            Err(problem) => {
                let log = LogEntry {
                    problem: Some(problem),
                    ..self.log(ItemResult::Failed, grounds.mirror.as_ref(), now)
                };
                return ItemDecision {
                    log,
                    mirror: None,
                    rows: None,
                };
            }
        };
        match grounds.mirror {
            None => self.create(offer, now, ids),
            Some(mirror) => self.change(mirror, grounds.mirrored, now),
        }
    }

    fn check<'g>(&self, grounds: &Grounds<'g>) -> Result<&'g Offer, ItemProblem> {
        let offer = grounds.offer.ok_or(ItemProblem::OfferNotFound)?;
        if !offer.externally_managed {
            return Err(ItemProblem::OfferNotExternallyManaged);
        }
        if offer.kind == OfferKind::Single {
            return Err(ItemProblem::OfferNotSubscription);
        }
        match &grounds.mirror {
            None if offer.status == OfferStatus::Archived => {
                return Err(ItemProblem::OfferArchived);
            }
            Some(mirror) if mirror.item.offer_id != self.item.offer_id => {
                return Err(ItemProblem::OfferDiffers);
            }
            _ => {}
        }
        if !grounds.customer_exists {
            return Err(ItemProblem::CustomerNotFound);
        }
        if grounds
            .mirror
            .as_ref()
            .is_some_and(|mirror| mirror.item.invoice_customer_id != self.item.invoice_customer_id)
        {
            return Err(ItemProblem::CustomerDiffers);
        }
        if self.item.delivery_customer_id.is_some() && !grounds.delivery_customer_exists {
            return Err(ItemProblem::DeliveryCustomerNotFound);
        }
        Ok(offer)
    }

    fn create(&self, offer: &Offer, now: Timestamp, ids: &mut dyn IdSource) -> ItemDecision {
        let (order, subscription) = (OrderId::generate(ids), SubscriptionId::generate(ids));
        let rows = self.new_rows(offer, order, subscription, now);
        let mirror = Mirror {
            client_id: self.client_id,
            external_hash: self.external_hash.clone(),
            order_id: order,
            subscription_id: subscription,
            rank: self.rank,
            item: self.item.clone(),
            version: 1,
        };
        let log = self.log(ItemResult::Created, Some(&mirror), now);
        ItemDecision {
            log,
            mirror: Some(mirror),
            rows: Some(rows),
        }
    }

    fn new_rows(
        &self,
        offer: &Offer,
        order: OrderId,
        subscription: SubscriptionId,
        now: Timestamp,
    ) -> (Order, Subscription) {
        let (period, renews) = match offer.kind {
            OfferKind::Subscription { period, renews } => (period, renews),
            // Refused before.
            OfferKind::Single => (
                crate::period::Period {
                    unit: crate::period::PeriodUnit::Day,
                    count: 1,
                },
                false,
            ),
        };
        let item = self.item;
        let subscription = Subscription {
            id: subscription,
            client_id: self.client_id,
            role: Role::Own,
            customer_id: Some(item.invoice_customer_id),
            order_id: order,
            position: 1,
            offer_id: offer.id,
            offer_name: offer.name.clone(),
            quantity: item.quantity,
            unit_price: offer.price,
            payment_method: item.payment_method,
            period,
            renews,
            started_at: item.start_date,
            periods_paid: 0,
            paid_until: item.start_date,
            life: life(Life::Active, item.end_date, now),
            cross_client: None,
            external: Some(item.external(None)),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let order = Order {
            id: order,
            client_id: self.client_id,
            customer_id: item.invoice_customer_id,
            cart_id: None,
            payment_method: item.payment_method,
            positions: vec![position(&subscription)],
            total: subscription.amount(),
            external: subscription.external.clone(),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        (order, subscription)
    }

    fn change(
        &self,
        mirror: Mirror,
        mirrored: Option<(Order, Subscription)>,
        now: Timestamp,
    ) -> ItemDecision {
        let rows = if mirror.says(self.item) {
            None
        } else {
            mirrored.and_then(|rows| self.changed_rows(rows, now))
        };
        let result = if rows.is_some() {
            ItemResult::Updated
        } else {
            ItemResult::Unchanged
        };
        let log = self.log(result, Some(&mirror), now);
        // Even without a change this promise is the latest one: what was accepted before it is overtaken.
        let mirror = Mirror {
            rank: self.rank,
            item: self.item.clone(),
            ..mirror
        };
        ItemDecision {
            log,
            mirror: Some(mirror),
            rows,
        }
    }

    /// The rows as the item says; `None` if they are so already.
    fn changed_rows(
        &self,
        (order, before): (Order, Subscription),
        now: Timestamp,
    ) -> Option<(Order, Subscription)> {
        let item = self.item;
        let subscription = Subscription {
            quantity: item.quantity,
            payment_method: item.payment_method,
            started_at: item.start_date,
            paid_until: item.start_date,
            life: life(before.life, item.end_date, now),
            external: Some(item.external(before.external.as_ref())),
            ..before.clone()
        };
        if subscription == before {
            return None;
        }
        let subscription = Subscription {
            updated_at: now,
            ..subscription
        };
        let total: Money = subscription.amount();
        let order = Order {
            payment_method: item.payment_method,
            positions: vec![position(&subscription)],
            total,
            external: subscription.external.clone(),
            updated_at: now,
            ..order
        };
        Some((order, subscription))
    }

    fn log(&self, result: ItemResult, mirror: Option<&Mirror>, now: Timestamp) -> LogEntry {
        LogEntry {
            client_id: self.client_id,
            promise_id: self.promise_id,
            number: self.number,
            external_system_id: self.item.external_system_id.clone(),
            external_hash: self.external_hash.clone(),
            offer_id: self.item.offer_id,
            result,
            problem: None,
            superseded_by: None,
            order_id: mirror.map(|mirror| mirror.order_id),
            subscription_id: mirror.map(|mirror| mirror.subscription_id),
            processed_at: now,
        }
    }
}

/// The one position of an imported order.
fn position(subscription: &Subscription) -> OrderPosition {
    OrderPosition {
        position: subscription.position,
        offer_id: subscription.offer_id,
        offer_name: subscription.offer_name.clone(),
        quantity: subscription.quantity,
        unit_price: subscription.unit_price,
        amount: subscription.amount(),
        source_client_id: None,
        subscription_id: Some(subscription.id),
        state: PositionState::Paid,
    }
}

fn life(before: Life, end: EndDate, now: Timestamp) -> Life {
    match (end, before) {
        (EndDate::Keep, before) => before,
        (EndDate::Never, _) => Life::Active,
        // The same end again is no new cancellation.
        (EndDate::At(end), Life::Cancelled { ends_at, .. }) if ends_at == end => before,
        (EndDate::At(end), _) => Life::Cancelled {
            cancelled_at: now,
            ends_at: end,
        },
    }
}

/// The customers that an item names.
pub fn customers_of(item: &ImportItem) -> impl Iterator<Item = CustomerId> {
    std::iter::once(item.invoice_customer_id).chain(item.delivery_customer_id)
}
