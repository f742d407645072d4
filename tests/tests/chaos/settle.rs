//! After a history: faults end, and all pending work finishes.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tandem_queue::Message;

use crate::run::Run;

/// More rounds than the longest retry schedule needs.
const MAX_ROUNDS: usize = 200;
/// Number of calls to repeat, to check that they write nothing.
const READ_BACK: usize = 4;

impl Run<'_> {
    /// Ends all faults and finishes all work.
    pub(crate) async fn settle(&mut self) {
        self.stage.table.faults.clear();
        self.stage.break_queues(false);
        self.stage.reject_mails(0);
        self.world.endpoints.heal();
        self.read_back().await;
        self.finish_work().await;
        // Exhausted and held callbacks wait for a replay: the source reports its endpoint as working.
        for client in 0..3 {
            let waits = self.stage.table.dump().iter().any(|row| {
                let own = row["pk"]
                    .as_str()
                    .is_some_and(|pk| pk.starts_with(&self.world.clients[client].id));
                own && row["sk"] == "callback"
                    && (row["status"] == "exhausted" || row["status"] == "held")
            });
            if waits {
                let caller = self.world.clients[client].api.on(self.stage.clone());
                let _ = caller
                    .post("/v1/callbacks/replays", json!({}))
                    .await
                    .accepted();
            }
        }
        self.finish_work().await;
        for client in 0..3 {
            let statement = self.look_up(client, "/v1/payouts/statement").await;
            self.statements.push(statement);
            let api = self.world.clients[client].api.on(self.stage.clone());
            let unlinked = api.all("/v1/subscriptions?linked=false").await;
            self.unlinked.push(unlinked);
        }
    }

    /// Repeated calls get the stored answer and write nothing.
    async fn read_back(&mut self) {
        let done: Vec<usize> = (0..self.made.len())
            .rev()
            .filter(|made| self.made[*made].done().is_some())
            .take(READ_BACK)
            .collect();
        // The first call of a day writes the day into the row of its key.
        let clients: BTreeSet<_> = done
            .iter()
            .map(|made| self.made[*made].request.client)
            .collect();
        for client in clients {
            let _ = self.look_up(client, "/v1/event-endpoint").await;
        }
        let before = self.stage.table.dump();
        for made in done {
            self.again(made).await;
        }
        let after = self.stage.table.dump();
        if before != after {
            let changed: Vec<&Value> = after.iter().filter(|row| !before.contains(row)).collect();
            self.wrong
                .push(format!("a repeated call writes: {changed:?}"));
        }
    }

    /// Runs sweep and workers until no row is due, advancing the clock as needed.
    async fn finish_work(&mut self) {
        self.collect();
        for (message, received) in std::mem::take(&mut self.queue) {
            self.hand_over(&message, received + 1, None).await;
        }
        for _ in 0..MAX_ROUNDS {
            let due = self.stage.advance_to_next_due();
            if due.is_empty() {
                return;
            }
            for message in due
                .into_iter()
                .map(|due| Message::try_from(due).expect("a kind"))
            {
                if self.hand_over(&message, 1, None).await {
                    self.wrong.push(format!(
                        "{message:?} cannot be worked on, with nothing in its way"
                    ));
                }
            }
            // The sweep covers the messages that workers send directly.
            drop(self.stage.messages());
        }
        self.wrong
            .push(format!("rows stay due: {:?}", self.stage.due()));
    }
}
