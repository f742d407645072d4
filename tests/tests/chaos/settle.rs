//! After a history: nothing goes wrong any more, and everything that is to be done is done.

use serde_json::{Value, json};
use tandem_queue::Message;

use crate::run::Run;

/// More rounds than the longest schedule of retries takes.
const MOST_ROUNDS: usize = 200;
/// So many calls are made once more, to see that they write nothing.
const READ_BACK: usize = 4;

impl Run<'_> {
    /// Ends all that goes wrong, and lets everything be done.
    pub(crate) async fn settle(&mut self) {
        self.house.table.faults.mend();
        self.house.break_queues(false);
        self.house.refuse_mails(0);
        self.world.receiver.mend();
        self.read_back().await;
        self.quiet().await;
        // What was given up or put aside waits for a replay: the source says that its endpoint is there again.
        for client in 0..3 {
            let waits = self.house.table.dump().iter().any(|row| {
                let own = row["pk"]
                    .as_str()
                    .is_some_and(|pk| pk.starts_with(&self.world.clients[client].id));
                own && row["sk"] == "callback"
                    && (row["status"] == "exhausted" || row["status"] == "held")
            });
            if waits {
                let who = self.world.clients[client].who.clone();
                let _ = self
                    .house
                    .call(&who, "POST /v1/callbacks/replays", Some(json!({})))
                    .await
                    .expect(202);
            }
        }
        self.quiet().await;
        for client in 0..3 {
            let statement = self.look_up(client, "/v1/payouts/statement").await;
            self.statements.push(statement);
        }
    }

    /// What was done is answered as before when it is asked for again, and nothing is written.
    async fn read_back(&mut self) {
        let done: Vec<usize> = (0..self.made.len())
            .rev()
            .filter(|made| self.made[*made].done().is_some())
            .collect();
        let before = self.house.table.dump();
        for made in done.into_iter().take(READ_BACK) {
            self.again(made).await;
        }
        let after = self.house.table.dump();
        if before != after {
            let changed: Vec<&Value> = after.iter().filter(|row| !before.contains(row)).collect();
            self.wrong.push(format!(
                "a call that was done is repeated, and writes: {changed:?}"
            ));
        }
    }

    /// Does what the sweep and the workers would do until nothing is left, however long that takes.
    async fn quiet(&mut self) {
        self.collect();
        for (message, received) in std::mem::take(&mut self.queue) {
            self.hand_over(&message, received + 1, None).await;
        }
        for _ in 0..MOST_ROUNDS {
            let due = self.house.pass_until_due();
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
            // The sweep brings what the workers send at once.
            drop(self.house.messages());
        }
        self.wrong
            .push(format!("something is never done: {:?}", self.house.due()));
    }
}
