//! Callbacks from the commit to the receiver, with the production schedule and a virtual clock.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tandem_domain::callback::Callback;
use tandem_domain::mail::MailKind;
use tandem_domain::sweep::GRACE;
use tandem_store::{Transaction, keys, rows};
use tandem_testing::Fault;
use tandem_tests::{Checkout, InProcess, Pair, Receiver, Reply, id, verified};

use crate::failing_endpoints::deliver_at_once;

/// A sale whose callback has not been attempted.
struct Sold {
    stage: Arc<InProcess>,
    receiver: Receiver,
    pair: Pair,
    checkout: Checkout,
}

impl Sold {
    async fn new(reply: Reply) -> Self {
        let stage = InProcess::start().await;
        let setup = stage.setup();
        let receiver = setup.receiver().await;
        receiver.answer_always(reply);
        let pair = setup.pair_between_two_companies(&receiver.url()).await;
        let checkout = pair.checkout().await;
        stage.work().await;
        let _ = stage.mails();
        let _ = checkout.purchase("k1").await.created();
        Self {
            stage,
            receiver,
            pair,
            checkout,
        }
    }

    /// The only callback, as the source reads it.
    async fn callback(&self) -> Value {
        let source = &self.pair.source;
        let listed = source.callbacks().await;
        assert_eq!(listed.len(), 1);
        source.callback(id(&listed[0])).await
    }

    /// The status and the number of attempts of the only callback.
    async fn outcome(&self) -> (String, u64) {
        let callback = self.callback().await;
        let status = callback["status"].as_str().expect("a status");
        let attempts = callback["attempts"].as_u64().expect("a number");
        (status.to_owned(), attempts)
    }

    fn calls(&self) -> usize {
        self.receiver.received().len()
    }

    async fn replay(&self, callback: &Value) -> Value {
        let path = format!("/v1/callbacks/{}/replay", id(callback));
        self.pair.source.api.act(&path).await.accepted()
    }
}

fn outcome(status: &str, attempts: u64) -> (String, u64) {
    (status.to_owned(), attempts)
}

#[tokio::test]
async fn a_callback_is_signed_delivered_once_and_logged() {
    let sold = Sold::new(Reply::status(204)).await;
    sold.stage.work().await;
    sold.stage.work().await;
    let received = sold.receiver.received();
    assert_eq!(received.len(), 1);
    assert_eq!(sold.outcome().await, outcome("delivered", 1));
    let callback = sold.callback().await;
    assert_eq!(callback["attemptLog"][0]["statusCode"], 204);
    assert_eq!(received[0].webhook_id(), id(&callback));
    assert_eq!(verified(&received[0], sold.pair.secret()), callback["body"]);
}

#[tokio::test]
async fn an_attempt_survives_conflicts_on_its_lease_and_record() {
    // Calls: read the callback, read its endpoint, lease, record.
    for call in [2, 3] {
        let sold = Sold::new(Reply::status(204)).await;
        let messages = sold.stage.due_callbacks().await;
        let faults = &sold.stage.table.faults;
        faults.plan(call, Fault::BUSY);
        sold.stage.deliver(&messages).await;
        assert_eq!(faults.calls().len(), 5, "one is sent again");
        faults.clear();
        sold.stage.advance(3_600);
        sold.stage.work().await;
        assert_eq!(sold.calls(), 1);
        assert_eq!(sold.outcome().await, outcome("delivered", 1));
    }
}

#[tokio::test]
async fn a_replay_during_an_attempt_keeps_the_attempts_record() {
    let sold = Sold::new(Reply::status(200).after(Duration::from_millis(300))).await;
    let replay = async {
        while sold.calls() == 0 {
            tokio::task::yield_now().await;
        }
        let callback = sold.callback().await;
        assert_eq!(sold.replay(&callback).await["status"], "pending");
    };
    futures::future::join(sold.stage.work(), replay).await;
    sold.stage.advance(3_600);
    sold.stage.work().await;
    assert_eq!(sold.calls(), 1);
    let callback = sold.callback().await;
    assert_eq!(callback["status"], "delivered");
    assert_eq!(callback["attemptLog"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_failing_receiver_gets_ten_attempts_then_the_source_a_mail() {
    let sold = Sold::new(Reply::status(500).body("said")).await;
    let stage = &sold.stage;
    let mut attempts = 0;
    // Standard Webhooks' waits between attempts, each with up to 10 % jitter.
    for wait in [
        0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
    ] {
        if wait > 0 {
            stage.advance(wait - 1);
            stage.work().await;
            assert_eq!(sold.calls(), attempts, "too early, wait {wait}");
            stage.advance(1 + wait / 10 + 1);
        }
        stage.work().await;
        attempts += 1;
        assert_eq!(sold.calls(), attempts, "wait {wait}");
    }
    stage.advance(30 * 86_400);
    stage.work().await;
    assert_eq!(sold.outcome().await, outcome("exhausted", 10));
    let callback = sold.callback().await;
    assert_eq!(callback["attemptLog"][0]["answer"], "said");
    let mails = stage.mails();
    assert!(
        matches!(mails.as_slice(), [mail] if matches!(mail.mail.kind, MailKind::CallbackExhausted { attempts: 10, .. }))
    );
    assert_eq!(mails[0].mail.client_id.to_string(), sold.pair.source.id);

    sold.receiver.forget_received();
    sold.receiver.answer_always(Reply::status(200));
    let _ = sold.replay(&callback).await;
    stage.work().await;
    let received = sold.receiver.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].webhook_id(), id(&callback));
    assert_eq!(sold.callback().await["status"], "delivered");
}

#[tokio::test]
async fn retry_after_lengthens_the_wait() {
    let sold = Sold::new(Reply::status(503).header("retry-after", "3600")).await;
    sold.stage.work().await;
    sold.stage.advance(3_599);
    sold.stage.work().await;
    assert_eq!(sold.callback().await["attempts"], 1);
    sold.stage.advance(1);
    sold.stage.work().await;
    assert_eq!(sold.callback().await["attempts"], 2);
}

#[tokio::test]
async fn a_410_disables_the_endpoint_until_a_replay_or_a_new_url() {
    let sold = Sold::new(Reply::status(410)).await;
    let (stage, source) = (&sold.stage, &sold.pair.source);
    stage.work().await;
    assert_eq!(sold.callback().await["status"], "held");
    assert!(sold.pair.endpoint().await["disabledAt"].is_string());
    assert!(
        matches!(stage.mails().as_slice(), [mail] if matches!(mail.mail.kind, MailKind::EndpointDisabled { .. }))
    );

    let _ = sold.checkout.purchase("k2").await.created();
    stage.work().await;
    assert_eq!(sold.calls(), 1, "the second sale is held without a call");
    let held = source.callbacks_with("held").await;
    assert_eq!(held.len(), 2);

    sold.receiver.forget_received();
    sold.receiver.answer_always(Reply::status(200));
    let _ = source.replay(&held).await.accepted();
    stage.work().await;
    assert_eq!(sold.calls(), 2);
    assert!(sold.pair.endpoint().await["disabledAt"].is_null());
}

#[tokio::test]
async fn a_worker_that_dies_after_the_lease_delays_the_callback() {
    let sold = Sold::new(Reply::status(200)).await;
    let stage = &sold.stage;
    let callback = sold.callback().await;
    stage
        .lease_callback(&sold.pair.source.id, id(&callback))
        .await;
    stage.work().await;
    assert_eq!(sold.calls(), 0, "leased by the dead worker");
    stage.advance(61);
    stage.work().await;
    assert_eq!(sold.calls(), 1);
    assert_eq!(sold.outcome().await, outcome("delivered", 2));
    let callback = sold.callback().await;
    let log = callback["attemptLog"].as_array().expect("a log");
    assert_eq!(log.len(), 2);
    assert_eq!(
        (&log[0]["statusCode"], &log[1]["number"]),
        (&json!(200), &json!(1))
    );
    let error = log[1]["error"].as_str();
    assert!(
        error.is_some_and(|error| error.contains("cut off")),
        "{log:?}"
    );
}

/// Records the attempt of the last dead worker, and leases the callback again, like a worker that dies too.
async fn lease_after_a_dead_worker(stage: &InProcess, callback: Callback) {
    let now = stage.app.now();
    let (callback, cut_off) = match callback.cut_off(&stage.deliverer.schedule, 0, now) {
        Some((after, attempt)) => (after, Some(attempt)),
        None => (callback, None),
    };
    let mut begun = callback.begin(now).expect("due");
    let own = cut_off.and_then(|attempt| begun.log(attempt));
    let mut lease = Transaction::default();
    lease.replace(&begun).expect("a row");
    if let Some(attempt) = own {
        let row = rows::AttemptRow {
            client_id: begun.client_id,
            callback_id: begun.id,
            attempt,
        };
        lease.create(&row).expect("a row");
    }
    stage.app.store.commit(lease).await.expect("leased");
}

#[tokio::test]
async fn a_callback_that_kills_each_worker_ends_exhausted() {
    let sold = Sold::new(Reply::status(200)).await;
    let stage = &sold.stage;
    let callback = sold.callback().await;
    let key = keys::callback(
        sold.pair.source.id.parse().expect("an id"),
        id(&callback).parse().expect("an id"),
    );
    for _ in 0..10 {
        let callback = stage.app.store.get(&key).await.expect("read");
        lease_after_a_dead_worker(stage, callback.expect("there")).await;
        stage.advance(100_000);
    }
    stage.work().await;
    assert_eq!(sold.outcome().await, outcome("exhausted", 10));
    let callback = sold.callback().await;
    assert_eq!(callback["attemptLog"].as_array().map(Vec::len), Some(10));
    assert_eq!(sold.calls(), 0);
    assert!(
        matches!(stage.mails().as_slice(), [mail] if matches!(mail.mail.kind, MailKind::CallbackExhausted { .. }))
    );
}

/// Passes the changed rows to the relay; returns the seconds after which the callback queue shows each message.
async fn relayed(stage: &InProcess) -> Vec<u64> {
    stage.relay().await;
    let sent = stage.callback_messages().into_iter();
    sent.map(|sent| sent.delay.as_secs()).collect()
}

#[tokio::test]
async fn the_stream_enqueues_an_attempt_that_is_due_soon() {
    let sold = Sold::new(Reply::status(500)).await;
    let stage = &sold.stage;
    assert_eq!(relayed(stage).await, [0], "the first attempt");
    let messages = sold.stage.due_callbacks().await;
    // Up to a tenth longer than the schedule.
    for due in [5..=5, 300..=330] {
        stage.deliver(&messages).await;
        let delays = relayed(stage).await;
        assert!(delays.len() == 1 && due.contains(&delays[0]), "{delays:?}");
        assert!(relayed(stage).await.is_empty(), "nothing has changed");
        stage.advance(i64::try_from(delays[0]).expect("seconds") + 1);
    }
    stage.deliver(&messages).await;
    assert_eq!(sold.outcome().await, outcome("pending", 3));
    assert!(relayed(stage).await.is_empty(), "half an hour");
    stage.advance(1_981);
    let callback = sold.callback().await;
    let source = &sold.pair.source.id;
    stage.lease_callback(source, id(&callback)).await;
    assert!(relayed(stage).await.is_empty(), "with a worker");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_fifty_workers_makes_the_attempt() {
    let sold = Sold::new(Reply::status(200)).await;
    let messages = sold.stage.due_callbacks().await;
    assert_eq!(messages.len(), 1);
    futures::future::join_all((0..50).map(|_| sold.stage.deliver(&messages))).await;
    assert_eq!(sold.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sweeps_at_once_lead_to_one_attempt_of_each_callback() {
    let sold = Sold::new(Reply::status(200)).await;
    let stage = &sold.stage;
    let _ = sold.checkout.purchase("k2").await.created();
    stage.clock.advance(GRACE);
    let (one, other) = futures::future::join(stage.sweep.sweep(), stage.sweep.sweep()).await;
    assert!(one.is_ok() && other.is_ok());
    let sent = stage.callback_messages().into_iter();
    let messages: Vec<_> = sent.map(|sent| sent.message).collect();
    assert!(messages.len() >= 2, "the sweeps hand over both");
    deliver_at_once(stage, &[messages.clone(), messages].concat()).await;
    assert_eq!(sold.calls(), 2);
}
