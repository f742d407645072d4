//! The sweep: it sends each row's message once, marks the row, and disturbs neither workers nor relay.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use sweep_outbox::Part;
use tandem_domain::Timestamp;
use tandem_domain::sweep::{GRACE, Handover, NextPage};
use tandem_queue::Message;
use tandem_store::outbox::{Swept, SweptPage};
use tandem_store::{Transaction, keys, shards};
use tandem_testing::template;
use tandem_tests::{Checkout, InProcess, Pair, Receiver};

const MINUTE: i64 = 60;

struct Sold {
    stage: Arc<InProcess>,
    _receiver: Receiver,
    pair: Pair,
    checkout: Checkout,
}

impl Sold {
    /// A sale whose callback waits, and whose stream record is lost.
    async fn new() -> Self {
        let stage = InProcess::start().await;
        let setup = stage.setup();
        let receiver = setup.receiver().await;
        let pair = setup.pair_between_two_companies(&receiver.url()).await;
        let checkout = pair.checkout().await;
        stage.work().await;
        let _ = checkout.purchase("k1").await.created();
        Self {
            stage,
            _receiver: receiver,
            pair,
            checkout,
        }
    }

    fn row(&self) -> Value {
        self.stage.rows_of("callback").remove(0)
    }

    /// The row as the sweep reads it.
    async fn read(&self) -> Swept {
        let (store, now) = (&self.stage.app.store, self.stage.clock.now());
        let page = NextPage::first();
        for shard in shards() {
            let due = store.due(&shard, now, &page, None).await;
            if let Some(row) = due.expect("read").rows.pop() {
                return row;
            }
        }
        panic!("no row is due");
    }

    /// Returns since when the row is due.
    async fn mark(&self, row: &Swept) -> Option<Timestamp> {
        let now = self.stage.clock.now();
        let marked = self
            .stage
            .app
            .store
            .mark_swept(row, Handover::Sent.again_at(now), now);
        marked.await.expect("marked, or left alone")
    }
}

/// Sweeps, and takes the messages.
async fn swept(stage: &InProcess) -> Vec<Message> {
    stage.sweep.sweep().await.expect("swept");
    let sent = stage.messages().into_iter();
    sent.map(|sent| sent.message).collect()
}

#[tokio::test]
async fn a_row_whose_message_is_queued_is_not_sent_again() {
    let sold = Sold::new().await;
    let stage = &sold.stage;
    assert_eq!(swept(stage).await, [], "the stream sends new rows");
    stage.clock.advance(GRACE);
    let sent = swept(stage).await;
    assert_eq!(sent.len(), 1);
    for _ in 0..9 {
        stage.advance(MINUTE);
        assert_eq!(swept(stage).await, [], "the message waits in its queue");
    }
    // A message that was dropped is replaced.
    stage.advance(MINUTE);
    assert_eq!(swept(stage).await, sent);
    assert!(!stage.process(&sent[0], 1).await);
    assert_eq!(sold.row()["status"], "delivered");
    assert!(sold.row().get("sweepAt").is_none() && sold.row().get("sweptAt").is_none());
}

#[tokio::test]
async fn a_mark_does_not_fail_a_workers_commit() {
    let sold = Sold::new().await;
    let store = &sold.stage.app.store;
    sold.stage.clock.advance(GRACE);
    let key = keys::callback(
        sold.pair.source.id.parse().expect("an id"),
        sold.row()["pk"]
            .as_str()
            .and_then(|pk| pk.split_once('#'))
            .expect("a key")
            .1
            .parse()
            .expect("an id"),
    );
    let read = store.get(&key).await.expect("read").expect("there");
    let row = sold.read().await;
    let _ = sold.mark(&row).await;
    assert_eq!(sold.row()["version"], 1, "the mark keeps the version");
    assert!(sold.row()["sweptAt"].is_number());
    let mut lease = Transaction::default();
    lease
        .replace(&read.begin(sold.stage.clock.now()).expect("due"))
        .expect("a row");
    store.commit(lease).await.expect("no conflict");
    assert!(
        sold.row().get("sweptAt").is_none(),
        "the lease replaces the mark"
    );
}

#[tokio::test]
async fn a_mark_says_since_when_a_callback_is_due() {
    let sold = Sold::new().await;
    let committed = sold.stage.clock.now();
    for grace in [
        GRACE,
        Handover::Sent.again_at(committed).duration_since(committed),
    ] {
        sold.stage.clock.advance(grace);
        let row = sold.read().await;
        assert_eq!(sold.mark(&row).await, Some(committed), "new, and marked");
        assert_eq!(sold.mark(&row).await, None, "changed since it was read");
    }
    // Of an attempt under way the row keeps the time at which it was due.
    let callback = sold.row()["id"].as_str().expect("an id").to_owned();
    let leased = sold.stage.lease_callback(&sold.pair.source.id, &callback);
    leased.await;
    sold.stage.advance(10 * MINUTE);
    let row = sold.read().await;
    assert_eq!(sold.mark(&row).await, Some(committed), "leased");
}

#[tokio::test]
async fn a_mark_has_no_effect_on_a_row_that_changed_since() {
    let sold = Sold::new().await;
    sold.stage.clock.advance(GRACE);
    let row = sold.read().await;
    let message = Message::try_from(row.due.clone()).expect("a kind");
    let callback = row.due.pk.split_once('#').expect("a key").1;
    sold.stage
        .lease_callback(&sold.pair.source.id, callback)
        .await;
    let leased = sold.row();
    let _ = sold.mark(&row).await;
    assert_eq!(sold.row(), leased, "leased since");
    sold.stage.advance(2 * MINUTE);
    // Cut off, then delivered.
    while sold.row()["status"] != "delivered" {
        let _ = sold.stage.process(&message, 1).await;
        sold.stage.advance(10);
    }
    let done = sold.row();
    let _ = sold.mark(&row).await;
    assert_eq!(sold.row(), done, "delivered since");
    let (client, table) = (&sold.stage.table.client, &sold.stage.table.table_name);
    let text = |text: &String| AttributeValue::S(text.clone());
    let delete = client.delete_item().table_name(table);
    let delete = delete
        .key("pk", text(&row.due.pk))
        .key("sk", text(&row.due.sk));
    let _ = delete.send().await.expect("deleted");
    let _ = sold.mark(&row).await;
    assert!(sold.stage.rows_of("callback").is_empty(), "deleted since");
}

#[tokio::test]
async fn the_relay_sends_nothing_for_a_mark() {
    let sold = Sold::new().await;
    let stage = &sold.stage;
    stage.relay().await;
    assert_eq!(stage.messages().len(), 1);
    stage.clock.advance(GRACE);
    assert_eq!(swept(stage).await.len(), 1);
    stage.relay().await;
    assert_eq!(stage.messages(), []);
}

#[tokio::test]
async fn neither_a_kind_without_queue_nor_a_broken_queue_blocks() {
    let sold = Sold::new().await;
    let stage = &sold.stage;
    // The callback's row becomes one of a kind that no queue of this release takes.
    let (client, table) = (&stage.table.client, &stage.table.table_name);
    let put = client.put_item().table_name(table);
    let put = put
        .item("pk", AttributeValue::S("cli_1#par_1".to_owned()))
        .item("sk", AttributeValue::S("parcel".to_owned()))
        .item("dueShard", AttributeValue::S("due#00".to_owned()))
        .item("sweepAt", AttributeValue::N("1".to_owned()));
    let _ = put.send().await.expect("put");
    let at = |row: &Value| row["sweepAt"].as_i64().expect("milliseconds");
    let now = || stage.clock.now().as_millisecond();
    stage.clock.advance(GRACE);
    stage.break_queues(true);
    assert!(stage.sweep.sweep().await.is_err(), "reported");
    let parcel = stage.rows_of("parcel").remove(0);
    assert_eq!(at(&parcel), now() + 3_600_000, "logged each hour");
    assert_eq!(at(&sold.row()), now() + 60_000, "tried each minute");
    stage.break_queues(false);
    let _ = sold.checkout.purchase("k2").await.created();
    stage.advance(2 * MINUTE);
    assert_eq!(swept(stage).await.len(), 2);
}

#[tokio::test]
async fn pages_follow_each_other_and_leave_out_tenants() {
    let sold = Sold::new().await;
    let stage = &sold.stage;
    let (client, table) = (&stage.table.client, &stage.table.table_name);
    for (number, tenant) in ["a", "a", "b", "a", "c"].into_iter().enumerate() {
        let put = client.put_item().table_name(table);
        let put = put
            .item("pk", AttributeValue::S(format!("{tenant}#{number}")))
            .item("sk", AttributeValue::S("mail".to_owned()))
            .item("dueShard", AttributeValue::S("due#99".to_owned()))
            .item("sweepAt", AttributeValue::N(number.to_string()));
        let _ = put.send().await.expect("put");
    }
    let read = async |limit: usize, without: &[&str], after: Option<SweptPage>| {
        let page = NextPage {
            limit: Some(limit),
            without: without.iter().map(|&tenant| tenant.to_owned()).collect(),
        };
        let read = stage
            .app
            .store
            .due("due#99", stage.clock.now(), &page, after);
        let read = read.await.expect("read");
        let keys: Vec<String> = read.rows.iter().map(|row| row.due.pk.clone()).collect();
        (keys, read)
    };
    let (keys, first) = read(2, &[], None).await;
    assert_eq!(
        (keys, first.has_more()),
        (vec!["a#0".into(), "a#1".into()], true)
    );
    let (keys, last) = read(9, &["a", "x"], Some(first)).await;
    assert_eq!(
        (keys, last.has_more()),
        (vec!["b#2".into(), "c#4".into()], false)
    );
}

#[tokio::test]
async fn the_schedules_sweep_each_shard_once() {
    let stage = InProcess::start().await;
    let template = template();
    let function = &template["Resources"]["SweepOutboxFunction"]["Properties"];
    let events = function["Events"].as_object().expect("events");
    let mut swept: Vec<String> = Vec::new();
    for event in events.values() {
        let input = event["Properties"]["Input"].as_str().expect("a part");
        let part: Part = serde_json::from_str(input).expect("a part");
        assert_eq!(part.of, events.len(), "{input}");
        stage.table.reset_calls();
        stage.sweep.sweep_part(part).await.expect("swept");
        swept.extend(stage.table.reads().into_iter().map(|read| read.pk));
    }
    swept.sort_unstable();
    assert_eq!(swept, shards().collect::<Vec<_>>());
    // Production reserves the concurrency of all parts.
    let reserved = &template["Parameters"]["SweepConcurrency"]["Default"];
    assert_eq!(reserved.as_u64(), u64::try_from(events.len()).ok());
}
