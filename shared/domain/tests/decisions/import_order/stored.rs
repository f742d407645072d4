//! The row of one imported order, and the results of its imports, as the worker writes them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tandem_domain::Timestamp;
use tandem_domain::ids::{CustomerId, PromiseId};
use tandem_domain::import::decide::{Importer, ItemContext, ItemProblem, ItemResult, LogEntry};
use tandem_domain::import::imported::Imported;
use tandem_domain::import::kept::Import;
use tandem_domain::import::records::{Record, RecordPage};
use tandem_domain::offer::Offer;
use tandem_domain::order::Order;
use tandem_domain::subscription::Subscription;

use crate::fixtures::{id, offer};
use crate::import::{hash, item};

/// The stored row of one `externalSystemId`, and the log.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub(super) row: Option<Imported>,
    pub(super) pages: Vec<RecordPage>,
    pub(super) log: Vec<LogEntry>,
    pub(super) erased: Vec<CustomerId>,
}

fn external_offer(number: u128) -> Offer {
    Offer {
        externally_managed: true,
        ..offer(number, id(12))
    }
}

/// As it is read after it was written.
pub(super) fn stored<T: Serialize + DeserializeOwned>(value: &T) -> T {
    serde_json::from_value(serde_json::to_value(value).expect("a row")).expect("a row")
}

impl Stored {
    /// Processes an item as the worker does, from the stored row.
    pub(super) fn process(&mut self, import: &Import, time: Timestamp) {
        let importer = Importer {
            client_id: id(12),
            company_id: id(1),
            promise_id: import.promise,
            rank: import.rank,
        };
        let mut sent = item(json!({}));
        sent.members = import.members.clone();
        if let (Some(row), Some(record)) = (&self.row, self.record(import.promise)) {
            // A repeated item has the result of the first time.
            let entry = importer.entry(&sent, row, &record, time);
            let first = self
                .log
                .iter()
                .find(|entry| entry.promise_id == import.promise);
            assert_eq!(first.map(|first| &first.outcome), Some(&entry.outcome));
            return;
        }
        let offers = [external_offer(60), external_offer(61)];
        let context = ItemContext {
            external_hash: hash(),
            row: self.row.take(),
            offer: offers
                .iter()
                .find(|offer| offer.id == import.members.offer_id),
            customer_exists: true,
            delivery_customer_exists: true,
            erased: self.erased.clone(),
        };
        let decision = importer.decide(0, &sent, context, time);
        for revision in &decision.revised {
            let entry = self
                .log
                .iter_mut()
                .find(|entry| entry.promise_id == revision.promise_id)
                .expect("a processed import");
            entry.outcome = revision.outcome.clone();
            entry.revised_at = Some(time);
        }
        self.log.push(decision.entry);
        self.pages.extend(decision.page.as_ref().map(stored));
        let read = stored(&decision.row);
        assert_eq!(read, decision.row);
        self.row = Some(read);
    }

    fn record(&self, promise: PromiseId) -> Option<Record> {
        let row = self.row.as_ref()?;
        let paged = || {
            self.pages
                .iter()
                .find_map(|page| page.records.get(&promise))
        };
        let record = match row.records.get(&promise) {
            Some(record) => Some(record),
            None if row.may_be_paged(promise) => paged(),
            None => None,
        };
        record.cloned()
    }

    pub(super) fn rows(&self) -> Option<(Order, Subscription)> {
        let row = self.row.as_ref()?;
        row.order().zip(row.subscription())
    }

    /// Order and subscription without the times at which they were written.
    pub(super) fn state(&self) -> Option<(Value, Value)> {
        let (order, subscription) = self.rows()?;
        let (mut order, mut subscription) = (json!(order), json!(subscription));
        for row in [&mut order, &mut subscription] {
            let row = row.as_object_mut().expect("a row");
            row.retain(|name, _| !["createdAt", "updatedAt"].contains(&name.as_str()));
        }
        Some((order, subscription))
    }

    /// Each promise with the reason for which its item fails. An item that is processed after later imports have set all of its
    /// members is `superseded`, whether or not it fails.
    pub(super) fn verdicts(&self) -> BTreeMap<PromiseId, Option<ItemProblem>> {
        self.log
            .iter()
            .filter(|entry| entry.outcome.result != ItemResult::Superseded)
            .map(|entry| (entry.promise_id, entry.outcome.problem))
            .collect()
    }
}
