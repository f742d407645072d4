//! Without the fast path: the stream delivers nothing and workers' messages are lost. The sweep alone recovers all work.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tandem_queue::{Kind, Message};
use tandem_testing::{Fault, Lost, TestTable, template};
use tandem_tests::handlers::House;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

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

/// Due rows by key, with their due times. A leased row is due when its lease expires.
fn due(house: &House) -> BTreeMap<(String, String), Timestamp> {
    let text = |row: &Value, name: &str| row[name].as_str().map(str::to_owned);
    let due = |row: &Value| {
        row.get("dueShard")?;
        Some((
            (text(row, "pk")?, text(row, "sk")?),
            text(row, "dueAt")?.parse().expect("a time"),
        ))
    };
    house.table.dump().iter().filter_map(due).collect()
}

/// Each kind of work: mails, callbacks of sales, an import of two chunks with its `import.completed`.
async fn busy(server: &MockServer) -> House {
    let house = House::on(TestTable::in_process(), House::sender());
    let pair = house.pair(Some(&server.uri())).await;
    for key in ["k1", "k2", "k3"] {
        let _ = house.purchase(&pair, key).await.expect(201);
    }
    let _ = house
        .call(
            &pair.target.who,
            "PUT /v1/event-endpoint",
            Some(json!({"url": server.uri()})),
        )
        .await
        .expect(201);
    let offer = house
        .offer(&pair.target, json!({"externallyManaged": true}))
        .await;
    let item = |number: usize| {
        json!({"externalSystemId": format!("A-{number}"), "offerId": offer, "invoiceCustomerId": pair.customer, "quantity": 1,
            "startDate": "2026-11-01T00:00:00Z", "paymentMethod": "BILLING"})
    };
    let body = json!({"items": (0..30).map(item).collect::<Vec<_>>()});
    let _ = house
        .call(&pair.target.who, "POST /v1/imports/orders", Some(body))
        .await
        .expect(202);
    let block = format!("POST /v1/connections/{}/block", pair.connection);
    let _ = house.call(&pair.target.who, &block, None).await.expect(200);
    house
}

/// Advances a minute and sweeps; returns only the sweep's messages.
async fn minute(house: &House) -> Vec<Message> {
    house.clock.advance(SWEEP);
    drop(house.messages());
    house.sweep.sweep().await.expect("swept");
    house
        .messages()
        .into_iter()
        .map(|sent| sent.message)
        .collect()
}

/// Checks that everything happened exactly once.
async fn is_all_done(house: &House, server: &MockServer) {
    let rows = house.table.dump();
    let of = |sk: &str| {
        rows.iter()
            .filter(|row| row["sk"].as_str().is_some_and(|own| own.starts_with(sk)))
            .collect::<Vec<_>>()
    };
    let callbacks = of("callback");
    assert_eq!(
        (callbacks.len(), of("order").len(), of("log#").len()),
        (4, 33, 30)
    );
    assert!(
        callbacks.iter().all(|row| row["status"] == "delivered"),
        "{callbacks:?}"
    );
    assert!(
        callbacks
            .iter()
            .any(|row| row["event"] == "import.completed")
    );
    assert!(
        of("mail").iter().all(|row| row["status"] == "sent")
            && of("chunk#").iter().all(|row| row["status"] == "done")
    );
    // Invited, accepted, blocked.
    assert_eq!(house.mails().len(), 3);
    assert!(server.received_requests().await.expect("recorded").len() >= 4);
    assert!(due(house).is_empty(), "{:?}", due(house));
}

#[tokio::test]
async fn without_stream_and_sends_all_work_is_done_within_a_sweep() {
    let server = MockServer::start().await;
    // The first attempt of each callback fails, so that the sweep must enqueue later attempts too.
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(500))
        .up_to_n_times(4)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let house = busy(&server).await;
    for _ in 0..12 {
        let messages = minute(&house).await;
        for ((pk, sk), since) in due(&house)
            .into_iter()
            .filter(|(_, since)| *since <= house.clock.now())
        {
            assert!(
                house.clock.now().duration_since(since) <= SWEEP,
                "{pk} {sk} is due since {since}"
            );
            assert!(
                messages
                    .iter()
                    .any(|message| message.pk == pk && message.sk == sk),
                "{pk} {sk} is not handed over"
            );
        }
        for message in &messages {
            assert!(!house.process(message, 1).await);
        }
    }
    is_all_done(&house, &server).await;
}

/// A worker receives a message and dies after its lease.
async fn dies(house: &House, message: &Message) {
    let faults = &house.table.faults;
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
        _ = house.process(message, 1) => panic!("the worker survives {message:?}"),
    }
    faults.clear();
}

#[tokio::test]
async fn lost_messages_and_dead_workers_delay_by_a_visibility_timeout() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let house = busy(&server).await;
    // Hidden messages, with the time of their next delivery and their rows' due time.
    let mut hidden: Vec<(Timestamp, Timestamp, Message)> = Vec::new();
    let mut died: Vec<Message> = Vec::new();
    for _ in 0..16 {
        let since = due(&house);
        // The sweep sends another message while the first is hidden; that copy is dropped, so that only the queue recovers.
        for message in minute(&house).await {
            if died.contains(&message) {
                continue;
            }
            dies(&house, &message).await;
            let comes = house.clock.now() + visibility_timeout(message.kind);
            hidden.push((
                comes,
                since[&(message.pk.clone(), message.sk.clone())],
                message.clone(),
            ));
            died.push(message);
        }
        let now = house.clock.now();
        for (_, since, message) in hidden.extract_if(.., |(comes, ..)| *comes <= now) {
            assert!(!house.process(&message, 2).await);
            let late = house.clock.now().duration_since(since);
            assert!(
                late <= SWEEP + visibility_timeout(message.kind),
                "{message:?} is {late} late"
            );
            let key = (message.pk, message.sk);
            assert!(!due(&house).contains_key(&key), "{key:?} is not done");
        }
    }
    assert!(hidden.is_empty());
    is_all_done(&house, &server).await;
}
