//! Bergwelt imports two print orders, one of an unknown customer, and sets its event endpoint.

use serde_json::{Value, json};
use tandem_api::views;
use tandem_domain::callback_url::LocalTargets;
use tandem_domain::event_endpoint::EventEndpointDraft;
use tandem_domain::ids::ClientId;
use tandem_domain::import::decide::{ItemProblem, ItemResult, LogEntry, Outcome};
use tandem_domain::import::item::{ImportItem, parse_items};
use tandem_domain::import::promise::{Counts, Promise};

use super::{Party, SECRET, Story, at, example};

impl Story {
    pub(super) fn import(&mut self, client: &Party) {
        let items = parse_items(example("Import")).expect("an import");
        let id = "prm_019f1d038dc070008000000000000030"
            .parse()
            .expect("an id");
        let caller = (client.0.id, client.1.id);
        let promise = Promise::accept(id, caller, &items, None, at("2026-07-03T02:00:00Z")).promise;
        self.show("Promise", views::import::promise(&promise));
        let counts = Counts {
            created: 1,
            failed: 1,
            ..Counts::default()
        };
        let finished_at = at("2026-07-03T02:00:01.2Z");
        let log = [
            log_entry(&promise, 0, &items[0], None),
            log_entry(&promise, 1, &items[1], Some(ItemProblem::CustomerNotFound)),
        ];
        let done = promise
            .begin(at("2026-07-03T02:00:00.7Z"))
            .expect("the first chunk")
            .chunk_done(0, counts, finished_at);
        let mut shown = views::import::promise(&done);
        shown["items"] = log.iter().map(views::import::log_entry).collect();
        shown["nextCursor"] = Value::Null;
        self.show("PromiseInFull", shown);
        let announcement = done.announcement().expect("a finished import");
        self.show_event("ImportCompletedEvent", &announcement, finished_at);
        self.event_endpoint(client.0.id);
    }

    fn event_endpoint(&mut self, client: ClientId) {
        let draft =
            EventEndpointDraft::parse(example("EventEndpointDraft"), &LocalTargets::default())
                .expect("an endpoint");
        let seal = |text: &[u8]| text.to_vec().into();
        let endpoint = draft.create(client, Vec::new().into(), seal, at("2026-07-01T09:40:00Z"));
        let mut shown = views::event_endpoint::event_endpoint(&endpoint, None);
        self.show("EventEndpoint", shown.clone());
        shown["secret"] = json!(SECRET);
        self.show("NewEventEndpoint", shown);
    }
}

fn log_entry(
    promise: &Promise,
    number: u32,
    item: &ImportItem,
    problem: Option<ItemProblem>,
) -> LogEntry {
    let created = |id: &str| problem.is_none().then(|| id.to_owned());
    LogEntry {
        promise_id: promise.id,
        number,
        external_system_id: item.external_system_id.clone(),
        offer_id: item.members.offer_id,
        outcome: Outcome {
            result: problem.map_or(ItemResult::Created, |_| ItemResult::Failed),
            problem,
            superseded: Vec::new(),
            superseded_by: None,
        },
        order_id: created("ord_019f1d038dc070008000000000000031")
            .map(|id| id.parse().expect("an id")),
        subscription_id: created("sub_019f1d038dc070008000000000000032")
            .map(|id| id.parse().expect("an id")),
        processed_at: at("2026-07-03T02:00:01.2Z"),
        revised_at: None,
    }
}
