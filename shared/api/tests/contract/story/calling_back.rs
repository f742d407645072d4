//! Bergwelt receives the callback of the sale at the second attempt, and replays its callbacks later.

use serde_json::{Value, json};
use tandem_api::views;
use tandem_domain::callback::{Announcement, Attempt, Callback, EventType, Outcome, RetrySchedule};
use tandem_domain::ids::{CallbackId, ClientId};
use tandem_domain::replay::{ReplayJob, Selection};

use super::{Story, at, example};

impl Story {
    pub(super) fn call_back(&mut self, announcement: Announcement) {
        let id = CallbackId::generate(&mut self.ids);
        let body: Value = serde_json::from_slice(&announcement.body(self.now)).expect("JSON");
        self.show("OrderCreatedEvent", body.clone());
        let (connection_id, client_id) = (announcement.connection_id, announcement.client_id);
        let waiting = announcement.into_callback(id, Vec::new().into(), self.now);
        self.show("Callback", views::callback::summary(&waiting));
        let attempt = |callback: Callback, begin: &str, end: &str, outcome: Outcome| {
            let begun = callback.begin(at(begin)).expect("a due callback");
            begun.end(outcome, &RetrySchedule::default(), 0, at(end))
        };
        let failed = attempt(
            waiting,
            "2026-07-02T18:21:07.630Z",
            "2026-07-02T18:21:17.634Z",
            Outcome::Failed { retry_after: None },
        );
        let delivered = attempt(
            failed,
            "2026-07-02T18:21:22.811Z",
            "2026-07-02T18:21:23.002Z",
            Outcome::Accepted,
        );
        self.show(
            "CallbackInFull",
            views::callback::full(&delivered, &body, &attempts()),
        );
        self.replay(client_id);
        let test = Announcement {
            client_id,
            connection_id,
            order_id: None,
            subscription_id: None,
            event: EventType::ConnectionTest,
            data: json!({"connectionId": connection_id}),
        };
        self.show_event("ConnectionTestEvent", &test, at("2026-07-01T10:10:00Z"));
    }

    fn replay(&mut self, client_id: ClientId) {
        let selection = Selection::parse(example("ReplayDraft")).expect("a selection");
        let id = "rpl_019f1d038dc070008000000000000040"
            .parse()
            .expect("an id");
        let job = ReplayJob::accept(id, client_id, selection, at("2026-07-05T08:00:00Z"));
        self.show("ReplayAccepted", views::replay::job(&job));
        let running = job.step(25, 25, Some(String::new()), at("2026-07-05T08:00:00.9Z"));
        let done = running.step(4, 3, None, at("2026-07-05T08:00:06.1Z"));
        self.show("ReplayDone", views::replay::job(&done));
    }
}

/// The log of the callback, newest first.
fn attempts() -> [Attempt; 2] {
    let text = |text: &str| Some(text.to_owned());
    let accepted = Attempt {
        number: 2,
        at: at("2026-07-02T18:21:22.811Z"),
        duration_ms: 191,
        status_code: Some(200),
        error: None,
        answer: text("ok"),
        sealed_answer: None,
    };
    let timed_out = Attempt {
        number: 1,
        at: at("2026-07-02T18:21:07.630Z"),
        duration_ms: 10_004,
        status_code: None,
        error: text("no answer within 10 s"),
        answer: None,
        sealed_answer: None,
    };
    [accepted, timed_out]
}
