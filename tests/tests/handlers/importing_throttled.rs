//! Imports while DynamoDB throttles the table: workers slow down, chunks wait, and nothing becomes a dead letter.

use std::time::Duration;

use process_imports::{MOST_WRITES, TIME_LIMIT};
use serde_json::{Value, json};
use tandem_domain::import::chunk::{LEASE, MAX_LEASES};
use tandem_queue::Delayed;
use tandem_runtime::aws::OPERATION_TIMEOUT;
use tandem_testing::{Fault, retries, template};

use crate::import_scene::ImportScene;

impl ImportScene {
    async fn accept_many(&self, count: usize) -> String {
        let item = |number| self.item(&format!("A-{number}"), json!({}));
        let items: Vec<Value> = (0..count).map(item).collect();
        self.accept(&items).await
    }

    async fn state(&self, promise: &str) -> Value {
        self.promise(promise).await["state"].clone()
    }
}

#[tokio::test]
async fn a_chunk_throttled_for_long_never_becomes_a_dead_letter() {
    let scene = ImportScene::new().await;
    let stage = &scene.stage;
    let promise = scene.accept_many(30).await;
    let mut rounds = 0;
    // Each transaction of the work in turn is the first that is throttled: a lease, the items, the end, giving back. Leases that
    // cannot be given back count as dead workers.
    for first in (0..2 * usize::try_from(MAX_LEASES).expect("few")).chain([40, 60]) {
        for message in stage.import_messages().await {
            stage
                .table
                .faults
                .plan(first % 8 + first / 16 * 20, Fault::ThrottledWrites);
            let failed = stage.import(&[message], 1).await;
            assert!(failed.is_empty(), "round {first}: {failed:?}");
            stage.table.faults.clear();
            rounds += 1;
        }
        stage.advance(600);
    }
    assert!(rounds > 2 * MAX_LEASES, "{rounds}");
    stage.work().await;
    assert!(stage.dead_letters().is_empty());
    assert_eq!(scene.state(&promise).await, "completed");
    assert_eq!(scene.orders().len(), 30);
}

#[tokio::test]
async fn a_throttled_read_leaves_its_message_to_the_sweep() {
    let scene = ImportScene::new().await;
    let stage = &scene.stage;
    let promise = scene.accept_many(1).await;
    for received in 1..=5 {
        let messages = stage.import_messages().await;
        assert_eq!(messages.len(), 1);
        stage.table.faults.plan(0, Fault::Throttled);
        assert!(stage.import(&messages, received).await.is_empty());
        stage.table.faults.clear();
        stage.advance(60);
    }
    stage.work().await;
    assert_eq!(scene.state(&promise).await, "completed");
}

#[tokio::test]
async fn a_throttled_chunk_is_enqueued_later_each_time() {
    let scene = ImportScene::new().await;
    let stage = &scene.stage;
    let promise = scene.accept_many(1).await;
    let attempts = usize::try_from(retries().max_attempts()).expect("few");
    stage.relay().await;
    let mut sent = stage.messages();
    for limit in [5, 10, 20, 40] {
        let [Delayed { message, .. }] = <[_; 1]>::try_from(sent).expect("one chunk");
        // Calls: the chunk, its lease, the item's rows, the item; then the chunk is given back.
        stage.table.faults.plan(3, Fault::ThrottledTimes(attempts));
        assert!(stage.import(&[message], 1).await.is_empty());
        assert_eq!(stage.table.faults.calls().len(), 4 + attempts);
        stage.table.faults.clear();
        stage.relay().await;
        sent = stage.messages();
        let delay = sent[0].delay;
        assert!(
            (Duration::from_secs(limit) / 2..=Duration::from_secs(limit)).contains(&delay),
            "{delay:?}, not up to {limit} s"
        );
        stage.advance(limit.try_into().expect("seconds"));
    }
    assert!(stage.import(&[sent.remove(0).message], 1).await.is_empty());
    assert_eq!(scene.state(&promise).await, "completed");
}

#[tokio::test]
async fn a_throttled_worker_writes_fewer_items_at_once() {
    let scene = ImportScene::new().await;
    let stage = &scene.stage;
    let limit = || stage.importer.pace.limit();
    assert_eq!(limit(), MOST_WRITES);
    let promise = scene.accept_many(100).await;
    let messages = stage.import_messages().await;
    stage.table.faults.plan(5, Fault::ThrottledTimes(1));
    let throttled = stage.import(&messages[..1], 1).await;
    assert_eq!((throttled.len(), limit()), (0, MOST_WRITES / 2));
    assert_eq!(stage.import(&messages[1..], 1).await.len(), 0);
    assert_eq!(limit(), MOST_WRITES, "75 items without throttling");
    assert_eq!(scene.state(&promise).await, "completed");
}

#[test]
fn a_slow_chunk_is_given_back_before_its_function_times_out() {
    let template = template();
    let timeout = &template["Resources"]["ProcessImportsFunction"]["Properties"]["Timeout"];
    let timeout = Duration::from_secs(timeout.as_u64().expect("seconds"));
    assert!(TIME_LIMIT + OPERATION_TIMEOUT < timeout);
    assert!(timeout < LEASE.unsigned_abs());
}
