//! Decides the effect of one item.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::IdSource;
use crate::ids::{ClientId, CompanyId, CustomerId, OfferId, OrderId, PromiseId, SubscriptionId};
use crate::money::Money;
use crate::offer::{Offer, OfferKind, OfferStatus};
use crate::order::{Order, OrderPosition, PositionState};
use crate::subscription::{Life, Role, Subscription};
use crate::text::ExternalId;

use super::KEPT;
use super::item::{EndDate, ImportItem};
use crate::words::words;

pub use super::problem::ItemProblem;

/// The SHA-256 of an `externalSystemId`, in hex. Keys contain the hash: they are logged, and other systems' texts must not be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExternalHash(pub String);

words! {
    pub enum ItemResult {
        Created = "created",
        Updated = "updated",
        /// Order and subscription already have the item's values.
        Unchanged = "unchanged",
        /// An import that was accepted later was applied first.
        Superseded = "superseded",
        Failed = "failed",
    }
}

/// The latest import of an `externalSystemId`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mirror {
    pub client_id: ClientId,
    pub external_hash: ExternalHash,
    pub order_id: OrderId,
    pub subscription_id: SubscriptionId,
    /// The highest rank of the promises that were applied.
    pub rank: PromiseId,
    pub item: ImportItem,
    pub version: u64,
}

/// The result of one item of one promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    pub client_id: ClientId,
    pub promise_id: PromiseId,
    /// The item's number in the import, 0 for the first.
    pub number: u32,
    pub external_system_id: ExternalId,
    pub external_hash: ExternalHash,
    pub offer_id: OfferId,
    pub result: ItemResult,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<ItemProblem>,
    /// The rank of the promise that overtook this one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub superseded_by: Option<PromiseId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order_id: Option<OrderId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subscription_id: Option<SubscriptionId>,
    pub processed_at: Timestamp,
}

impl LogEntry {
    /// The entry is neither shown nor kept after this time.
    pub fn kept_until(&self) -> Timestamp {
        self.processed_at
            .saturating_add(KEPT)
            .unwrap_or(Timestamp::MAX)
    }
}

/// The origin of a promise's items.
#[derive(Debug, Clone, Copy)]
pub struct Importer {
    pub client_id: ClientId,
    pub company_id: CompanyId,
    /// For a dry run, an id that the promise would have.
    pub promise_id: PromiseId,
    /// See [`Promise::rank`](super::promise::Promise::rank).
    pub rank: PromiseId,
}

/// The stored values that decide about an item.
#[derive(Debug, Clone)]
pub struct ItemContext<'a> {
    pub external_hash: ExternalHash,
    pub mirror: Option<Mirror>,
    /// The mirrored order and subscription. Loaded only if the item [may change](Mirror::may_change) them.
    pub mirrored: Option<(Order, Subscription)>,
    /// The client's offer with the item's id.
    pub offer: Option<&'a Offer>,
    pub customer_exists: bool,
    /// `false` if the item names no delivery customer.
    pub delivery_customer_exists: bool,
}

/// The rows to write for an item.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemDecision {
    pub log: LogEntry,
    /// New or changed; `None` if the item failed or was superseded.
    pub mirror: Option<Mirror>,
    /// `None` if order and subscription stay as they are.
    pub rows: Option<(Order, Subscription)>,
}

impl ItemDecision {
    fn log_only(log: LogEntry) -> Self {
        Self {
            log,
            mirror: None,
            rows: None,
        }
    }
}

impl Mirror {
    /// Whether a promise that was accepted later was applied.
    fn overtakes(&self, rank: PromiseId) -> bool {
        self.rank > rank
    }

    fn equals(&self, item: &ImportItem) -> bool {
        self.item == *item
    }

    /// Whether the item may change order and subscription, so that they must be loaded.
    pub fn may_change(&self, rank: PromiseId, item: &ImportItem) -> bool {
        !self.overtakes(rank) && !self.equals(item)
    }
}

impl Importer {
    /// Decides the item with this number in the import.
    pub fn decide(
        &self,
        number: u32,
        item: &ImportItem,
        context: ItemContext<'_>,
        now: Timestamp,
        ids: &mut dyn IdSource,
    ) -> ItemDecision {
        let log = self.log(number, item, &context, now);
        if let Some(mirror) = &context.mirror
            && mirror.overtakes(self.rank)
        {
            return ItemDecision::log_only(LogEntry {
                result: ItemResult::Superseded,
                superseded_by: Some(mirror.rank),
                ..log
            });
        }
        let offer = match check(item, &context) {
            Ok(offer) => offer,
            Err(problem) => {
                return ItemDecision::log_only(LogEntry {
                    result: ItemResult::Failed,
                    problem: Some(problem),
                    ..log
                });
            }
        };
        match context.mirror {
            None => self.create(item, offer, log, ids),
            Some(mirror) => self.change(item, mirror, context.mirrored, log),
        }
    }

    /// The entry of an item that changes nothing.
    fn log(
        &self,
        number: u32,
        item: &ImportItem,
        context: &ItemContext<'_>,
        now: Timestamp,
    ) -> LogEntry {
        let mirror = context.mirror.as_ref();
        LogEntry {
            client_id: self.client_id,
            promise_id: self.promise_id,
            number,
            external_system_id: item.external_system_id.clone(),
            external_hash: context.external_hash.clone(),
            offer_id: item.offer_id,
            result: ItemResult::Unchanged,
            problem: None,
            superseded_by: None,
            order_id: mirror.map(|mirror| mirror.order_id),
            subscription_id: mirror.map(|mirror| mirror.subscription_id),
            processed_at: now,
        }
    }

    fn create(
        &self,
        item: &ImportItem,
        offer: &Offer,
        log: LogEntry,
        ids: &mut dyn IdSource,
    ) -> ItemDecision {
        let (order_id, subscription_id) = (OrderId::generate(ids), SubscriptionId::generate(ids));
        let rows = self.new_rows(item, offer, (order_id, subscription_id), log.processed_at);
        let mirror = Mirror {
            client_id: self.client_id,
            external_hash: log.external_hash.clone(),
            order_id,
            subscription_id,
            rank: self.rank,
            item: item.clone(),
            version: 1,
        };
        let log = LogEntry {
            result: ItemResult::Created,
            order_id: Some(order_id),
            subscription_id: Some(subscription_id),
            ..log
        };
        ItemDecision {
            log,
            mirror: Some(mirror),
            rows: Some(rows),
        }
    }

    fn new_rows(
        &self,
        item: &ImportItem,
        offer: &Offer,
        (order, subscription): (OrderId, SubscriptionId),
        now: Timestamp,
    ) -> (Order, Subscription) {
        let (period, renews) = match offer.kind {
            OfferKind::Subscription { period, renews } => (period, renews),
            // `check` rejects single offers.
            OfferKind::Single => (
                crate::period::Period {
                    unit: crate::period::PeriodUnit::Day,
                    count: 1,
                },
                false,
            ),
        };
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
        item: &ImportItem,
        mirror: Mirror,
        mirrored: Option<(Order, Subscription)>,
        log: LogEntry,
    ) -> ItemDecision {
        let rows = if mirror.equals(item) {
            None
        } else {
            mirrored.and_then(|rows| changed_rows(item, rows, log.processed_at))
        };
        let result = if rows.is_some() {
            ItemResult::Updated
        } else {
            ItemResult::Unchanged
        };
        // The mirror changes even if the rows do not: this promise overtakes those accepted before it.
        let mirror = Mirror {
            rank: self.rank,
            item: item.clone(),
            ..mirror
        };
        ItemDecision {
            log: LogEntry { result, ..log },
            mirror: Some(mirror),
            rows,
        }
    }
}

fn check<'g>(item: &ImportItem, context: &ItemContext<'g>) -> Result<&'g Offer, ItemProblem> {
    let offer = context.offer.ok_or(ItemProblem::OfferNotFound)?;
    if !offer.externally_managed {
        return Err(ItemProblem::OfferNotExternallyManaged);
    }
    if offer.kind == OfferKind::Single {
        return Err(ItemProblem::OfferNotSubscription);
    }
    match &context.mirror {
        None if offer.status == OfferStatus::Archived => {
            return Err(ItemProblem::OfferArchived);
        }
        Some(mirror) if mirror.item.offer_id != item.offer_id => {
            return Err(ItemProblem::OfferDiffers);
        }
        _ => {}
    }
    if !context.customer_exists {
        return Err(ItemProblem::CustomerNotFound);
    }
    if context
        .mirror
        .as_ref()
        .is_some_and(|mirror| mirror.item.invoice_customer_id != item.invoice_customer_id)
    {
        return Err(ItemProblem::CustomerDiffers);
    }
    if item.delivery_customer_id.is_some() && !context.delivery_customer_exists {
        return Err(ItemProblem::DeliveryCustomerNotFound);
    }
    Ok(offer)
}

/// Order and subscription with the item's values; `None` if nothing changes.
fn changed_rows(
    item: &ImportItem,
    (order, before): (Order, Subscription),
    now: Timestamp,
) -> Option<(Order, Subscription)> {
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
        // Repeating the end is not a new cancellation.
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
