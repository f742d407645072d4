//! The rows of one imported order, as the worker writes them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tandem_domain::Timestamp;
use tandem_domain::ids::{CustomerId, PromiseId};
use tandem_domain::import::decide::{
    ExternalHash, Importer, ItemContext, ItemDecision, ItemProblem, ItemResult, LogEntry, Mirror,
};
use tandem_domain::import::kept::Import;
use tandem_domain::offer::Offer;
use tandem_domain::order::Order;
use tandem_domain::subscription::Subscription;

use crate::fixtures::{Counter, id, offer};
use crate::import::item;

/// The stored rows of one `externalSystemId`, and the log.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub(super) last: Option<ItemDecision>,
    pub(super) rows: Option<(Order, Subscription)>,
    pub(super) log: Vec<LogEntry>,
    pub(super) ids: Counter,
    pub(super) erased: Vec<CustomerId>,
}

fn external_offer(number: u128) -> Offer {
    Offer {
        externally_managed: true,
        ..offer(number, id(12))
    }
}

impl Stored {
    /// Processes an item as the worker does, from stored rows.
    pub(super) fn process(&mut self, import: &Import, time: Timestamp) {
        if self
            .log
            .iter()
            .any(|entry| entry.promise_id == import.promise)
        {
            return;
        }
        let offers = [external_offer(60), external_offer(61)];
        let mirror = self.last.take().and_then(|last| last.mirror);
        let mirror = mirror.map(|mirror| {
            serde_json::from_value(serde_json::to_value(mirror).expect("a row")).expect("a row")
        });
        let context = ItemContext {
            external_hash: ExternalHash("5f2a".to_owned()),
            // As the worker: the rows are read only if they may change.
            mirrored: self.rows.clone().filter(|_| {
                let may_change = |mirror: &Mirror| mirror.may_change(import, &self.erased, time);
                mirror.as_ref().is_some_and(may_change)
            }),
            offer: offers
                .iter()
                .find(|offer| offer.id == import.members.offer_id),
            customer_exists: true,
            delivery_customer_exists: true,
            erased: self.erased.clone(),
            mirror: mirror.clone(),
        };
        let importer = Importer {
            client_id: id(12),
            company_id: id(1),
            promise_id: import.promise,
            rank: import.rank,
        };
        let mut sent = item(json!({}));
        sent.members = import.members.clone();
        let mut decision = importer.decide(0, &sent, context, time, &mut self.ids);
        for revision in &decision.revised {
            let entry = self
                .log
                .iter_mut()
                .find(|entry| entry.promise_id == revision.promise_id)
                .expect("a processed import");
            *entry = entry.clone().revised(revision.outcome.clone(), time);
        }
        self.log.push(decision.log.clone());
        self.rows = decision.rows.clone().or(self.rows.take());
        decision.mirror = decision.mirror.or(mirror);
        self.last = Some(decision);
    }

    /// Order and subscription without the times at which they were written.
    pub(super) fn state(&self) -> Option<(Value, Value)> {
        let (order, subscription) = self.rows.as_ref()?;
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
            .filter(|entry| entry.result != ItemResult::Superseded)
            .map(|entry| (entry.promise_id, entry.problem))
            .collect()
    }
}
