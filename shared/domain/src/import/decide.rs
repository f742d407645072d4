//! Decides the effect of one item.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::IdSource;
use crate::ids::{ClientId, CompanyId, CustomerId, OrderId, PromiseId, SubscriptionId};
use crate::offer::{Offer, OfferKind, OfferStatus};
use crate::order::Order;
use crate::subscription::Subscription;

use super::history::{History, Received, Verdict};
use super::item::ImportItem;
use super::kept::{Import, Kept};
use super::rows::{changed_rows, new_rows};

pub use super::log::{ItemResult, LogEntry, Outcome, Revision};
pub use super::problem::ItemProblem;

/// The SHA-256 of an `externalSystemId`, in hex. Keys contain the hash: they are logged, and other systems' texts must not be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExternalHash(pub String);

/// The imports of an `externalSystemId`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mirror {
    pub client_id: ClientId,
    pub external_hash: ExternalHash,
    pub order_id: OrderId,
    pub subscription_id: SubscriptionId,
    /// The highest rank of the promises that were applied.
    pub rank: PromiseId,
    /// Absent in rows of earlier releases: order and subscription then have the members, all set by the promise `rank`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub history: Option<History>,
    pub version: u64,
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
    /// Those of the mirror's [delivery customers](Mirror::delivery_customers) that do not exist any more.
    pub erased: Vec<CustomerId>,
}

/// The rows to write for an item.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemDecision {
    pub log: LogEntry,
    /// New or changed; `None` if the item fails or is superseded whatever other imports set.
    pub mirror: Option<Mirror>,
    /// `None` if order and subscription stay as they are.
    pub rows: Option<(Order, Subscription)>,
    /// The results of later accepted imports that change, because this one runs after them.
    pub revised: Vec<Revision>,
}

impl ItemDecision {
    fn log_only(log: LogEntry) -> Self {
        Self {
            log,
            mirror: None,
            rows: None,
            revised: Vec::new(),
        }
    }
}

impl Mirror {
    /// Whether the item may change order and subscription, so that they must be loaded. `erased` as in [`ItemContext`].
    pub fn may_change(&self, import: &Import, erased: &[CustomerId], now: Timestamp) -> bool {
        let Some(history) = &self.history else {
            return true;
        };
        let before = history.kept();
        let received = history.clone().without_delivery_to(erased);
        match (before, received.receive(import, now).kept) {
            (Some(before), Some(after)) => !after.has_members_of(&before),
            (before, after) => before != after,
        }
    }

    /// The delivery customers of earlier imports, who may have been erased since.
    pub fn delivery_customers(&self) -> impl Iterator<Item = CustomerId> {
        self.history.iter().flat_map(History::delivery_customers)
    }

    /// For a mirror of an earlier release, the history that its rows show.
    fn history(&self, mirrored: Option<&(Order, Subscription)>) -> History {
        if let Some(history) = &self.history {
            return history.clone();
        }
        mirrored
            .and_then(|(_, subscription)| Kept::of(subscription, self.rank))
            .map(|kept| History::of(kept, self.rank))
            .unwrap_or_default()
    }
}

impl Importer {
    /// The item's part in the history of its `externalSystemId`.
    pub fn import(&self, item: &ImportItem) -> Import {
        Import {
            promise: self.promise_id,
            rank: self.rank,
            members: item.members.clone(),
        }
    }

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
        let offer = match check(item, &context) {
            Ok(offer) => offer,
            Err(problem) => {
                let history = context
                    .mirror
                    .map(|mirror| mirror.history(context.mirrored.as_ref()));
                let kept = history.and_then(|history| history.kept());
                let outcome = outcome(&self.import(item), kept.as_ref(), Err(problem), false);
                return ItemDecision::log_only(log.with(outcome));
            }
        };
        match context.mirror {
            None => self.create(item, offer, log, ids),
            Some(mirror) => {
                let history = mirror.history(context.mirrored.as_ref());
                let received = receive(history, &self.import(item), &context.erased, now);
                self.change(item, (mirror, context.mirrored), received, (offer, log))
            }
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
            offer_id: item.members.offer_id,
            result: ItemResult::Unchanged,
            problem: None,
            superseded: Vec::new(),
            superseded_by: None,
            order_id: mirror.map(|mirror| mirror.order_id),
            subscription_id: mirror.map(|mirror| mirror.subscription_id),
            processed_at: now,
            revised_at: None,
            version: 1,
        }
    }

    fn create(
        &self,
        item: &ImportItem,
        offer: &Offer,
        log: LogEntry,
        ids: &mut dyn IdSource,
    ) -> ItemDecision {
        let received = History::default().receive(&self.import(item), log.processed_at);
        let kept = match (&received.kept, received.verdict) {
            (Some(kept), Ok(())) => kept,
            // `check` rejects the items that no order can have.
            (_, verdict) => {
                return ItemDecision::log_only(log.with(outcome(
                    &self.import(item),
                    None,
                    verdict,
                    false,
                )));
            }
        };
        let mirror = Mirror {
            client_id: self.client_id,
            external_hash: log.external_hash.clone(),
            order_id: OrderId::generate(ids),
            subscription_id: SubscriptionId::generate(ids),
            rank: self.rank,
            history: Some(received.history),
            version: 1,
        };
        let external = kept.external(item.external_system_id.clone());
        ItemDecision {
            rows: Some(new_rows(kept, &mirror, offer, external, log.processed_at)),
            log: LogEntry {
                result: ItemResult::Created,
                order_id: Some(mirror.order_id),
                subscription_id: Some(mirror.subscription_id),
                ..log
            },
            mirror: Some(mirror),
            revised: Vec::new(),
        }
    }

    fn change(
        &self,
        item: &ImportItem,
        (mirror, mirrored): (Mirror, Option<(Order, Subscription)>),
        received: Received,
        (offer, log): (&Offer, LogEntry),
    ) -> ItemDecision {
        let (import, kept) = (self.import(item), received.kept.as_ref());
        let rows = kept.zip(mirrored).and_then(|(kept, rows)| {
            let external = kept.external(item.external_system_id.clone());
            changed_rows(kept, rows, offer, external, log.processed_at)
        });
        let own = outcome(&import, kept, received.verdict, rows.is_some());
        let revised = received.revised.iter();
        ItemDecision {
            log: log.with(own),
            mirror: Some(Mirror {
                rank: mirror.rank.max(self.rank),
                history: Some(received.history),
                ..mirror
            }),
            rows,
            revised: revised
                .map(|(import, verdict)| Revision {
                    promise_id: import.promise,
                    outcome: match verdict {
                        Ok(()) => outcome(import, kept, Ok(()), true),
                        Err(problem) => Outcome::failed(*problem),
                    },
                })
                .collect(),
        }
    }
}

/// A failed item leaves erased customers, too.
fn receive(history: History, import: &Import, erased: &[CustomerId], now: Timestamp) -> Received {
    let received = history
        .clone()
        .without_delivery_to(erased)
        .receive(import, now);
    match received.verdict {
        Ok(()) => received,
        Err(_) => history.receive(import, now),
    }
}

/// The outcome of an import, given the members after all imports.
fn outcome(import: &Import, kept: Option<&Kept>, verdict: Verdict, changed: bool) -> Outcome {
    let (superseded, superseded_by) =
        kept.map_or_else(Default::default, |kept| kept.superseded(import));
    let overtaken_by = kept.and_then(|kept| kept.overtakes(import));
    let (result, superseded_by) = match verdict {
        // An item of which later imports have set every member needs no correction.
        Err(problem) if overtaken_by.is_none() => return Outcome::failed(problem),
        Err(_) => (ItemResult::Superseded, overtaken_by),
        Ok(()) if changed => (ItemResult::Updated, superseded_by),
        Ok(()) if overtaken_by.is_some() => (ItemResult::Superseded, overtaken_by),
        Ok(()) if superseded_by.is_some() => (ItemResult::Superseded, superseded_by),
        Ok(()) => (ItemResult::Unchanged, None),
    };
    Outcome {
        result,
        problem: None,
        superseded,
        superseded_by,
    }
}

/// Judges the item by all values that other imports do not change.
fn check<'g>(item: &ImportItem, context: &ItemContext<'g>) -> Result<&'g Offer, ItemProblem> {
    let offer = context.offer.ok_or(ItemProblem::OfferNotFound)?;
    if !offer.externally_managed {
        return Err(ItemProblem::OfferNotExternallyManaged);
    }
    if offer.kind == OfferKind::Single {
        return Err(ItemProblem::OfferNotSubscription);
    }
    if context.mirror.is_none() && offer.status == OfferStatus::Archived {
        return Err(ItemProblem::OfferArchived);
    }
    if !context.customer_exists {
        return Err(ItemProblem::CustomerNotFound);
    }
    let members = &item.members;
    if members.delivery_customer_id.value().is_some() && !context.delivery_customer_exists {
        return Err(ItemProblem::DeliveryCustomerNotFound);
    }
    if members.has_date_out_of_range() {
        return Err(ItemProblem::DateOutOfRange);
    }
    match members.end_date.value() {
        Some(end) if end < members.start_date => Err(ItemProblem::EndBeforeStart),
        _ => Ok(offer),
    }
}
