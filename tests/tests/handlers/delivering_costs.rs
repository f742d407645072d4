//! The cost of a callback, with names of real length: calls, units, octets of its row and its log, and the most of one source.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use deliver_callbacks::{EndpointCache, FRESH_FOR};
use serde_json::Value;
use tandem_domain::ids::CallbackId;
use tandem_queue::Message;
use tandem_testing::{Capacity, ReadKey, template};
use tandem_tests::{Checkout, InProcess, Pair, Receiver, Reply};

use crate::log::Log;

/// An answer of a few hundred octets.
const ANSWER: &str = r#"{"status":"accepted","message":"Ihre Benachrichtigung wurde entgegengenommen und wird verarbeitet.","receivedAt":"2026-11-27T17:03:20Z","requestId":"0f8fad5b-d9cb-469f-a165-70867728950e","links":{"self":"https://crm.alpenblick.example/tandem/events/0f8fad5b-d9cb-469f-a165-70867728950e"},"tenant":"alpenblick-verlag"}"#;

struct Scene {
    stage: Arc<InProcess>,
    receiver: Receiver,
    pair: Pair,
    checkout: Checkout,
}

impl Scene {
    async fn new(reply: Reply) -> Self {
        let stage = InProcess::start().await;
        let setup = stage.setup();
        let receiver = setup.receiver().await;
        receiver.answer_always(reply);
        let pair = setup.pair_with_long_names(&receiver.url()).await;
        let checkout = pair.checkout_with_long_names().await;
        stage.work().await;
        Self {
            stage,
            receiver,
            pair,
            checkout,
        }
    }

    /// Sells some times; returns the messages that the stream causes.
    async fn sell(&self, times: usize) -> Vec<Message> {
        for _ in 0..times {
            self.stage.advance(1);
            let sold = self
                .pair
                .target
                .sell(&self.checkout.cart, &self.checkout.customer);
            let _ = sold.await.created();
        }
        self.stage.relay().await;
        let sent = self.stage.callback_messages().into_iter();
        let messages: Vec<_> = sent.map(|sent| sent.message).collect();
        assert_eq!(messages.len(), times);
        messages
    }

    /// The calls and units of one invocation of the worker.
    async fn cost_of(&self, messages: &[Message]) -> (Vec<String>, Capacity) {
        self.stage.table.reset_calls();
        self.stage.deliver(messages).await;
        (self.stage.table.calls(), self.stage.table.capacity())
    }

    async fn row(&self, message: &Message) -> HashMap<String, AttributeValue> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let table = &self.stage.table;
        let get = table.client.get_item().table_name(&table.table_name);
        let get = get
            .key("pk", text(&message.pk))
            .key("sk", text(&message.sk));
        get.send().await.expect("read").item.expect("a row")
    }
}

#[tokio::test]
async fn a_first_delivery_takes_three_calls_and_four_write_units() {
    let scene = Scene::new(Reply::status(200).body(ANSWER)).await;
    let messages = scene.sell(1).await;
    let (calls, units) = scene.cost_of(&messages).await;
    assert_eq!(calls, ["BatchGetItem", "PutItem", "PutItem"]);
    // The lease; the record, of up to two kilobytes with the answer; the removal from the index of due rows.
    assert!(units.write <= 4.0, "{units:?}");
    // The callback, the connection, the endpoint's health and the customer.
    assert!(units.read <= 4.0, "{units:?}");
    let attempts = scene.stage.rows_of("attempt#");
    assert!(attempts.is_empty(), "the attempt is in the callback's row");
    assert_eq!(scene.receiver.received().len(), 1);
}

#[tokio::test]
async fn a_batch_is_read_in_one_call() {
    let scene = Scene::new(Reply::status(204)).await;
    let messages = scene.sell(10).await;
    let (calls, units) = scene.cost_of(&messages).await;
    let reads = calls.iter().filter(|call| *call == "BatchGetItem").count();
    assert_eq!((reads, calls.len()), (1, 21), "{calls:?}");
    assert!(units.write <= 30.0, "{units:?}");
    assert!(
        units.read <= 13.0,
        "one connection and one customer: {units:?}"
    );
}

#[tokio::test]
async fn a_message_of_the_sweep_takes_one_more_read() {
    let scene = Scene::new(Reply::status(204)).await;
    let mut messages = scene.sell(1).await;
    messages[0].beside = None;
    let (calls, _) = scene.cost_of(&messages).await;
    assert_eq!(
        calls,
        ["BatchGetItem", "BatchGetItem", "PutItem", "PutItem"]
    );
}

#[tokio::test]
async fn a_wrong_hint_changes_nothing_but_the_cost() {
    let scene = Scene::new(Reply::status(204)).await;
    let mut messages = scene.sell(3).await;
    let named = messages[0].beside.clone().expect("from the stream");
    let mut wrong = named.clone();
    wrong.connection = Some("con_0190b8f5c6f77c3ab0a1000000000014".to_owned());
    messages[0].beside = Some(wrong.clone());
    (wrong.connection, wrong.concerned) = (None, Some("everybody".to_owned()));
    messages[1].beside = Some(wrong.clone());
    wrong.connection = Some("everything".to_owned());
    messages[2].beside = Some(wrong);
    scene.stage.deliver(&messages).await;
    let received = scene.receiver.received();
    assert_eq!(received.len(), 3);
    for request in received {
        let body = tandem_tests::verified(&request, scene.pair.secret());
        assert_eq!(
            body["data"]["customer"]["email"],
            scene.checkout.customer["email"]
        );
    }
}

#[tokio::test]
async fn a_new_row_is_below_a_kilobyte() {
    let scene = Scene::new(Reply::status(204)).await;
    let messages = scene.sell(1).await;
    let octets = || {
        let mut rows = scene.stage.table.sizes().into_iter();
        let row = rows.find(|row| row.key.0 == messages[0].pk && row.key.1 == messages[0].sk);
        row.expect("a row").octets
    };
    let new = octets();
    scene.stage.deliver(&messages).await;
    let delivered = octets();
    // Some octets to spare: the compressed length depends on the names.
    assert!(
        new <= 1_008,
        "{new} octets when new, {delivered} when delivered"
    );
    assert!(
        delivered <= 1_024,
        "{new} octets when new, {delivered} when delivered"
    );
}

#[tokio::test]
async fn a_leased_row_stays_where_it_is_in_every_index() {
    let scene = Scene::new(Reply::status(204)).await;
    let messages = scene.sell(1).await;
    let placed = |row: &HashMap<String, AttributeValue>| {
        ["gsi1pk", "gsisk", "dueShard", "sweepAt"].map(|name| row.get(name).cloned())
    };
    let before = placed(&scene.row(&messages[0]).await);
    let (client, id) = messages[0].ids::<CallbackId>().expect("ids");
    scene
        .stage
        .lease_callback(&client.to_string(), &id.to_string())
        .await;
    assert_eq!(placed(&scene.row(&messages[0]).await), before);
}

#[tokio::test]
async fn a_first_delivery_logs_one_line_below_180_octets() {
    let scene = Scene::new(Reply::status(200).body(ANSWER)).await;
    let messages = scene.sell(3).await;
    let log = Log::start();
    let call = tracing::error_span!(
        "Lambda runtime invoke",
        requestId = "0f8fad5b-d9cb-469f-a165-70867728950e"
    );
    tracing::Instrument::instrument(scene.stage.deliver(&messages), call).await;
    let (text, lines) = (log.text(), log.lines());
    assert_eq!(lines.len(), 3, "{text}");
    assert!(text.len() <= 3 * 180, "{} octets: {text}", text.len());
    assert_eq!(
        (&lines[0]["message"], &lines[0]["status_code"]),
        (&"delivered".into(), &200.into())
    );
    // The third was sold a second after the second, and so on; all were delivered at the time of the last.
    let delays = lines.iter().map(|line| line["delay_ms"].as_u64());
    let mut delays: Vec<_> = delays.map(|delay| delay.expect("a delay")).collect();
    delays.sort_unstable();
    assert_eq!(delays, [0, 1_000, 2_000]);
}

/// A worker that keeps the endpoints that it reads, as in production, but for longer: a test may be slow.
fn keeping(stage: &InProcess, endpoints: EndpointCache) -> deliver_callbacks::Worker {
    deliver_callbacks::Worker {
        endpoints,
        ..stage.deliverer.clone()
    }
}

async fn deliver_one(worker: &deliver_callbacks::Worker, message: &Message) {
    let event = tandem_tests::event_of(std::slice::from_ref(message), 1);
    let worked = worker.work(event).await.expect("worked");
    assert!(worked.batch_item_failures.is_empty(), "{worked:?}");
}

#[tokio::test]
async fn a_changed_endpoint_is_used_after_a_second() {
    let scene = Scene::new(Reply::status(204)).await;
    let (messages, worker) = (
        scene.sell(3).await,
        keeping(&scene.stage, EndpointCache::new(FRESH_FOR)),
    );
    deliver_one(&worker, &messages[0]).await;
    let moved = scene.stage.setup().receiver().await;
    let _ = scene.pair.move_endpoint(&moved.url()).await;
    tokio::time::sleep(FRESH_FOR).await;
    deliver_one(&worker, &messages[1]).await;
    let received = (scene.receiver.received().len(), moved.received().len());
    assert_eq!(received, (1, 1));
    assert_eq!(FRESH_FOR, std::time::Duration::from_secs(1));
}

#[tokio::test]
async fn later_attempts_and_tests_read_the_endpoint_each_time() {
    let scene = Scene::new(Reply::status(204)).await;
    let (messages, worker) = (
        scene.sell(2).await,
        keeping(&scene.stage, EndpointCache::new(FRESH_FOR * 600)),
    );
    deliver_one(&worker, &messages[0]).await;
    let moved = scene.stage.setup().receiver().await;
    let _ = scene.pair.move_endpoint(&moved.url()).await;
    let test = format!("/v1/connections/{}/callback/test", scene.pair.connection_id);
    let _ = scene.pair.source.api.act(&test).await.accepted();
    let id = messages[0].ids::<CallbackId>().expect("ids").1;
    let replay = format!("/v1/callbacks/{id}/replay");
    let _ = scene.pair.source.api.act(&replay).await.accepted();
    scene.stage.relay().await;
    for sent in scene.stage.callback_messages() {
        deliver_one(&worker, &sent.message).await;
    }
    assert_eq!(moved.received().len(), 2, "the test and the replayed one");
}

#[tokio::test]
async fn an_answer_of_an_endpoint_read_earlier_is_recorded() {
    let scene = Scene::new(Reply::status(204)).await;
    let (messages, endpoints) = (scene.sell(3).await, EndpointCache::new(FRESH_FOR * 600));
    let (one, other) = (
        keeping(&scene.stage, endpoints),
        keeping(&scene.stage, EndpointCache::new(FRESH_FOR)),
    );
    deliver_one(&one, &messages[0]).await;
    scene.receiver.answer_always(Reply::status(410));
    deliver_one(&other, &messages[1]).await;
    assert!(scene.pair.endpoint().await["disabledAt"].is_string());
    // The first worker does not know it yet.
    deliver_one(&one, &messages[2]).await;
    assert_eq!(scene.receiver.received().len(), 3);
    assert_eq!(scene.pair.source.callbacks_with("held").await.len(), 2);
    assert_eq!(scene.stage.logged_attempts(), 3);
}

/// Read units a second that a partition takes.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>
const READS: usize = 3_000;
/// Callbacks and purchases a second of one merchant.
const PACE: usize = 2_000;

/// The reads of the partition that holds a connection's row and its endpoint's health.
fn of_connection(reads: &[ReadKey], connection: &str) -> usize {
    reads.iter().filter(|read| read.pk == connection).count()
}

#[tokio::test]
async fn a_connection_takes_two_thousand_purchases_and_callbacks() {
    let mut stage = InProcess::new().await;
    // The test takes as long as it takes.
    stage.deliverer.endpoints = EndpointCache::new(FRESH_FOR * 600);
    let stage = Arc::new(stage);
    let setup = stage.setup();
    let receiver = setup.receiver().await;
    let pair = setup.pair_with_long_names(&receiver.url()).await;
    let checkout = pair.checkout_with_long_names().await;
    stage.work().await;
    let scene = Scene {
        stage,
        receiver,
        pair,
        checkout,
    };
    let (table, connection) = (&scene.stage.table, &scene.pair.connection_id);
    table.reset_calls();
    let messages = scene.sell(20).await;
    let by_purchases = of_connection(&table.reads(), connection);
    assert!(
        by_purchases <= 20,
        "a purchase reads it once: {by_purchases}"
    );
    table.reset_calls();
    // Each message in an invocation of its own, as they arrive when workers are free.
    for message in &messages {
        scene.stage.deliver(std::slice::from_ref(message)).await;
    }
    let by_deliveries = of_connection(&table.reads(), connection);
    assert_eq!(scene.receiver.received().len(), 20);
    assert_eq!(
        by_deliveries, 2,
        "one process reads both rows once a second"
    );
    let source = "/Resources/DeliverCallbacksFunction/Properties/Events/CallbackQueue/Properties";
    let workers = template()
        .pointer(&format!("{source}/ScalingConfig/MaximumConcurrency"))
        .and_then(Value::as_u64);
    let workers = usize::try_from(workers.expect("a number")).expect("small");
    assert!(PACE * by_purchases / 20 + workers * by_deliveries <= READS);
}
