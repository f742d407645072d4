//! The stream, the sweep, the queues and the workers: messages arrive late, twice, out of order or never.

use std::sync::Arc;

use serde_json::{Value, json};
use tandem_queue::Message;
use tandem_store::outbox::Due;
use tandem_testing::Fault;

use crate::run::{Reader, Run};
use crate::step::Relayed;

/// Receives before a message becomes a dead letter.
const MAX_RECEIVES: u32 = 5;

fn key(row: &Value) -> (String, String) {
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    (text("pk"), text("sk"))
}

/// Sorts by id, and so by time; the client before the id would break that order.
fn by_time(pk: &str, sk: &str) -> (String, String) {
    let id = pk.split_once('#').map_or(pk, |(_, id)| id);
    (
        id.split_once('_').map_or(id, |(_, id)| id).to_owned(),
        sk.to_owned(),
    )
}

impl Run<'_> {
    /// Stream records since the last call: new rows, and rows that wait again.
    fn fresh(&mut self) -> Vec<Due> {
        let mut fresh = Vec::new();
        let rows = self.stage.table.dump().into_iter();
        for row in rows.filter(|row| row.get("dueShard").is_some()) {
            let (key, version) = (key(&row), row["version"].as_u64().unwrap_or_default());
            let before = self.streamed.insert(key.clone(), version);
            let waits = row["status"] == "waiting" || row["status"] == "postponed";
            if before.is_none() || (waits && before != Some(version)) {
                fresh.push(Due {
                    pk: key.0,
                    sk: key.1,
                });
            }
        }
        fresh.sort_by_key(|due| by_time(&due.pk, &due.sk));
        fresh
    }

    /// Passes new stream records to the real relay.
    pub(crate) async fn relay(&mut self, how: Relayed) {
        let mut rows = self.fresh();
        match how {
            Relayed::All => {}
            Relayed::Twice => rows.extend(rows.clone()),
            Relayed::Reversed => rows.reverse(),
            Relayed::None => rows.clear(),
        }
        if rows.is_empty() {
            return;
        }
        let key = |text: &str| json!({"S": text});
        let record = |row: &Due| {
            let change = json!({"Keys": {"pk": key(&row.pk), "sk": key(&row.sk)}, "SizeBytes": 1});
            json!({"eventName": "INSERT", "awsRegion": "eu-central-1", "eventID": "1", "dynamodb": change})
        };
        let event = json!({"Records": rows.iter().map(record).collect::<Vec<_>>()});
        // A broken queue loses the messages; the sweep sends them again.
        let _ = self
            .stage
            .relay
            .relay(serde_json::from_value(event).expect("a stream's event"))
            .await;
        self.collect();
    }

    /// Runs the sweep.
    pub(crate) async fn sweep(&mut self) {
        self.stage.table.faults.clear();
        let _ = self.stage.sweep.sweep().await;
        let before = self.queue.len();
        self.collect();
        // A row's shard follows from its random id.
        self.queue[before..].sort_by_key(|(message, _)| by_time(&message.pk, &message.sk));
    }

    /// Moves sent messages into the queue. A delay is not guaranteed: a message may arrive early.
    pub(crate) fn collect(&mut self) {
        self.queue.extend(
            self.stage
                .messages()
                .into_iter()
                .map(|sent| (sent.message, 0)),
        );
    }

    /// Hands a message to a worker, which may die.
    pub(crate) async fn work(&mut self, pick: usize, trouble: Option<(usize, Fault)>, keep: bool) {
        let Some(pick) = pick.checked_rem(self.queue.len()) else {
            return;
        };
        let (message, received) = if keep {
            self.queue[pick].clone()
        } else {
            self.queue.remove(pick)
        };
        let again = self.hand_over(&message, received + 1, trouble).await;
        if again && !keep && received + 1 < MAX_RECEIVES {
            self.queue.push((message, received + 1));
        }
        self.collect();
    }

    /// Hands many messages to workers, oldest first.
    pub(crate) async fn work_off(&mut self, most: usize) {
        for _ in 0..most {
            self.work(0, None, false).await;
        }
    }

    pub(crate) fn lose(&mut self, pick: usize) {
        if let Some(pick) = pick.checked_rem(self.queue.len()) {
            self.queue.remove(pick);
        }
    }

    /// Hands a message to its worker; returns whether SQS delivers it again.
    pub(crate) async fn hand_over(
        &mut self,
        message: &Message,
        received: u32,
        trouble: Option<(usize, Fault)>,
    ) -> bool {
        let stage = Arc::clone(&self.stage);
        stage.table.reset_calls();
        match trouble {
            Some((call, fault)) => stage.table.faults.plan(call, fault),
            None => stage.table.faults.clear(),
        }
        let again = tokio::select! {
            biased;
            () = stage.table.faults.died() => true,
            again = Box::pin(stage.process(message, received)) => again,
        };
        stage.table.faults.clear();
        let reader = Reader::Worker {
            tenant: message.tenant.clone(),
        };
        self.reads.extend(
            stage
                .table
                .reads()
                .into_iter()
                .map(|key| (reader.clone(), key)),
        );
        again
    }
}
