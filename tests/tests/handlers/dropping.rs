//! Without the fast path: the stream delivers nothing and workers' messages are lost. The sweep alone recovers all work.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tandem_domain::sweep::GRACE;
use tandem_queue::{Kind, Message};
use tandem_testing::{Fault, Lost, TestTable, template};
use tandem_tests::{InProcess, Receiver, Reply, id, managed_offer};

/// Between two sweeps.
const SWEEP: SignedDuration = SignedDuration::from_secs(60);

/// The time until SQS delivers a dead worker's message again.
fn visibility_timeout(kind: Kind) -> SignedDuration {
    let name = match kind {
        Kind::Callback | Kind::Replay => "CallbackVisibilityTimeout",
        Kind::Mail => "MailVisibilityTimeout",
        Kind::Import => "ImportVisibilityTimeout",
    };
    SignedDuration::from_secs(
        template()["Parameters"][name]["Default"]
            .as_i64()
            .expect("seconds"),
    )
}

/// The longest time until the sweep sends the message of a due row: new rows are left to the stream first.
const LATEST: SignedDuration = SignedDuration::from_secs(60 + GRACE.as_secs());

/// Due rows by key, with their due times. A leased row is due when its lease expires.
fn due(stage: &InProcess) -> BTreeMap<(String, String), Timestamp> {
    let due = stage.due().into_iter();
    due.map(|(at, row)| ((row.pk, row.sk), at)).collect()
}

/// Each kind of work: mails, callbacks of sales, an import of two chunks with its `import.completed`.
async fn busy() -> (Arc<InProcess>, Receiver) {
    let stage = Arc::new(InProcess::on(TestTable::in_process(), InProcess::sender()));
    let setup = stage.setup();
    let receiver = setup.receiver().await;
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let checkout = pair.checkout().await;
    for key in ["k1", "k2", "k3"] {
        let _ = checkout.purchase(key).await.created();
    }
    let (target, url) = (&pair.target, json!({"url": receiver.url()}));
    let _ = target.api.put("/v1/event-endpoint", url).await.expect(201);
    let offer = managed_offer(target).await;
    let item = |number: usize| {
        json!({
            "externalSystemId": format!("A-{number}"),
            "offerId": id(&offer),
            "invoiceCustomerId": id(&checkout.customer),
            "quantity": 1,
            "startDate": "2026-11-01T00:00:00Z",
            "paymentMethod": "BILLING",
        })
    };
    let body = json!({"items": (0..30).map(item).collect::<Vec<_>>()});
    let imported = target.api.post("/v1/imports/orders", body).await;
    let _ = imported.accepted();
    let blocked = target.act_on_connection("block", &pair.connection_id);
    let _ = blocked.await.ok();
    (stage, receiver)
}

/// Advances a minute and sweeps; returns only the sweep's messages.
async fn minute(stage: &InProcess) -> Vec<Message> {
    stage.clock.advance(SWEEP);
    drop(stage.messages());
    stage.sweep.sweep().await.expect("swept");
    stage
        .messages()
        .into_iter()
        .map(|sent| sent.message)
        .collect()
}

/// Checks that everything happened exactly once.
fn assert_all_done(stage: &InProcess, receiver: &Receiver) {
    let have = |rows: &[Value], status: &str| rows.iter().all(|row| row["status"] == status);
    let callbacks = stage.rows_of("callback");
    assert_eq!(
        (
            callbacks.len(),
            stage.rows_of("order").len(),
            stage.rows_of("imported#").len()
        ),
        // Three sales; the target's own connection.blocked and import.completed.
        (5, 3, 30)
    );
    assert!(have(&callbacks, "delivered"), "{callbacks:?}");
    assert!(
        callbacks
            .iter()
            .any(|row| row["event"] == "import.completed")
    );
    assert!(have(&stage.rows_of("mail"), "sent"));
    assert!(have(&stage.rows_of("chunk#"), "done"));
    // Invited, accepted, blocked.
    assert_eq!(stage.mails().len(), 3);
    assert!(receiver.received().len() >= 4);
    assert!(due(stage).is_empty(), "{:?}", due(stage));
}

#[tokio::test]
async fn without_stream_and_sends_all_work_is_done_within_a_sweep() {
    let (stage, receiver) = busy().await;
    // The first attempt of each callback fails, so that the sweep must enqueue later attempts too.
    receiver.answer_next(vec![Reply::status(500); 4]);
    for _ in 0..12 {
        let messages = minute(&stage).await;
        let now = stage.clock.now();
        for ((pk, sk), since) in due(&stage).into_iter().filter(|(_, since)| *since <= now) {
            let sent = messages
                .iter()
                .any(|message| message.pk == pk && message.sk == sk);
            let late = now.duration_since(since);
            assert!(late <= LATEST, "{pk} {sk} is due since {since}");
            assert!(sent || late < GRACE, "{pk} {sk} is not handed over");
        }
        for message in &messages {
            assert!(!stage.process(message, 1).await);
        }
    }
    assert_all_done(&stage, &receiver);
}

/// A worker receives a message and dies after its lease.
async fn dies(stage: &InProcess, message: &Message) {
    let faults = &stage.table.faults;
    // Calls of a callback: row, endpoint, lease, record; of a mail: row, lease, record; of a chunk: rows, lease, the rows of
    // its items, the first item.
    let call = match message.kind {
        Kind::Callback | Kind::Replay | Kind::Import => 3,
        Kind::Mail => 1,
    };
    let lost = if message.kind == Kind::Mail {
        Lost::Answer
    } else {
        Lost::Request
    };
    faults.plan(call, Fault::Death(lost));
    tokio::select! {
        biased;
        () = faults.died() => {}
        _ = stage.process(message, 1) => panic!("the worker survives {message:?}"),
    }
    faults.clear();
}

#[tokio::test]
async fn lost_messages_and_dead_workers_delay_by_a_visibility_timeout() {
    let (stage, receiver) = busy().await;
    // Hidden messages, with the time of their next delivery and their rows' due time.
    let mut hidden: Vec<(Timestamp, Timestamp, Message)> = Vec::new();
    let mut died: Vec<Message> = Vec::new();
    for _ in 0..16 {
        let since = due(&stage);
        // The sweep sends another message while the first is hidden; that copy is dropped, so that only the queue recovers.
        for message in minute(&stage).await {
            if died.contains(&message) {
                continue;
            }
            dies(&stage, &message).await;
            let comes = stage.clock.now() + visibility_timeout(message.kind);
            hidden.push((
                comes,
                since[&(message.pk.clone(), message.sk.clone())],
                message.clone(),
            ));
            died.push(message);
        }
        let now = stage.clock.now();
        for (_, since, message) in hidden.extract_if(.., |(comes, ..)| *comes <= now) {
            assert!(!stage.process(&message, 2).await);
            let late = stage.clock.now().duration_since(since);
            assert!(
                late <= LATEST + visibility_timeout(message.kind),
                "{message:?} is {late} late"
            );
            let key = (message.pk, message.sk);
            assert!(!due(&stage).contains_key(&key), "{key:?} is not done");
        }
    }
    assert!(hidden.is_empty());
    assert_all_done(&stage, &receiver);
}
