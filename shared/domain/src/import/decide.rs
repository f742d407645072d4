//! Decides the effect of one item.

use jiff::Timestamp;

use crate::ids::{ClientId, CompanyId, CustomerId, OrderId, PromiseId, SubscriptionId};
use crate::offer::{Offer, OfferKind, OfferStatus};

use super::history::{History, Received, Verdict};
use super::imported::{Imported, Sale, SoldOffer};
use super::item::ImportItem;
use super::kept::{Import, Kept};
use super::records::{Record, RecordPage};

pub use super::hash::ExternalHash;
pub use super::log::{ItemResult, LogEntry, Outcome, Revision};
pub use super::problem::ItemProblem;

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
    /// The row of the item's `externalSystemId`.
    pub row: Option<Imported>,
    /// The client's offer with the item's id.
    pub offer: Option<&'a Offer>,
    pub customer_exists: bool,
    /// `false` if the item names no delivery customer.
    pub delivery_customer_exists: bool,
    /// Those of the row's [delivery customers](Imported::delivery_customers) that do not exist any more.
    pub erased: Vec<CustomerId>,
}

/// The effect of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemDecision {
    pub entry: LogEntry,
    /// The row to write: each import is recorded in it, also one that changes nothing.
    pub row: Imported,
    pub is_new: bool,
    /// The records that leave the row.
    pub page: Option<RecordPage>,
    /// The results of later accepted imports that change, because this one runs after them.
    pub revised: Vec<Revision>,
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
    ) -> ItemDecision {
        let checked = check(item, &context);
        let is_new = context.row.is_none();
        let row = context.row.unwrap_or_else(|| {
            let external = item.external_system_id.clone();
            Imported::new(self.client_id, context.external_hash, external)
        });
        let import = self.import(item);
        let (mut row, outcome, revised) = match checked {
            Ok(offer) => apply(row, &import, offer, &context.erased, now),
            Err(problem) => {
                let kept = row.history.kept();
                let outcome = outcome(&import, kept.as_ref(), Err(problem), false);
                (row, outcome, Vec::new())
            }
        };
        let record = Record {
            number,
            outcome,
            revised_at: None,
        };
        let entry = self.entry(item, &row, &record, now);
        row.records.insert(self.promise_id, record);
        let page = row.settle(now);
        ItemDecision {
            entry,
            row,
            is_new,
            page,
            revised,
        }
    }

    /// The entry of an item that has its record: a repeated item has the result of the first time.
    pub fn entry(
        &self,
        item: &ImportItem,
        row: &Imported,
        record: &Record,
        now: Timestamp,
    ) -> LogEntry {
        let uuid = row.uuid();
        LogEntry {
            promise_id: self.promise_id,
            number: record.number,
            external_system_id: item.external_system_id.clone(),
            offer_id: item.members.offer_id,
            outcome: record.outcome.clone(),
            order_id: uuid.map(OrderId::from),
            subscription_id: uuid.map(SubscriptionId::from),
            processed_at: now,
            revised_at: record.revised_at,
        }
    }
}

/// The row with one more import, the outcome of that import, and the outcomes that it changes.
fn apply(
    mut row: Imported,
    import: &Import,
    offer: &Offer,
    erased: &[CustomerId],
    now: Timestamp,
) -> (Imported, Outcome, Vec<Revision>) {
    let before = row.subscription();
    let received = receive(row.history, import, erased, now);
    row.history = received.history;
    let kept = received.kept.as_ref();
    let own = match (&mut row.sale, kept, received.verdict) {
        (sale @ None, Some(_), Ok(())) => {
            *sale = Some(Sale {
                created_at: now,
                updated_at: now,
                offer: SoldOffer::from(offer),
            });
            Outcome::of(ItemResult::Created)
        }
        // `check` rejects the items that no order can have.
        (None, kept, verdict) => outcome(import, kept, verdict, false),
        (Some(sale), kept, verdict) => {
            // The order follows if an earlier accepted import names another offer than the first that ran.
            if kept.is_some_and(|kept| kept.offer_id == offer.id) && sale.offer.id != offer.id {
                sale.offer = SoldOffer::from(offer);
            }
            let changed = row.subscription() != before;
            if let Some(sale) = row.sale.as_mut().filter(|_| changed) {
                sale.updated_at = now;
            }
            outcome(import, kept, verdict, changed)
        }
    };
    let mut revised = Vec::new();
    for (import, verdict) in &received.revised {
        let outcome = match verdict {
            Ok(()) => outcome(import, kept, Ok(()), true),
            Err(problem) => Outcome::failed(*problem),
        };
        if let Some(record) = row.records.get_mut(&import.promise) {
            record.outcome = outcome.clone();
            record.revised_at = Some(now);
            revised.push(Revision {
                promise_id: import.promise,
                number: record.number,
                outcome,
            });
        }
    }
    (row, own, revised)
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
    let has_order = context.row.as_ref().is_some_and(|row| row.sale.is_some());
    if !has_order && offer.status == OfferStatus::Archived {
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
