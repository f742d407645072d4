//! Without the fast path: nothing comes by the stream, and no message that a worker sends arrives. The sweep alone brings all.

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

/// How long a message of a queue is hidden after a worker took it and died.
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

/// Rows that are due, by key, with the time since when. A row that is leased is due when its lease is over.
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

/// One of each kind of work: mails, callbacks of sales, an import of two chunks with its `import.completed`.
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

/// A minute goes by, then a sweep; what it hands over, and nothing else.
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

/// Everything happened, and once.
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
async fn with_every_fast_send_dropped_all_is_done_within_a_sweep_period() {
    let server = MockServer::start().await;
    // The first attempt of each callback fails, so that later attempts have to come by the sweep, too.
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

/// A worker takes a message and dies in the middle of its work, after its lease.
async fn dies(house: &House, message: &Message) {
    let faults = &house.table.faults;
    // Of a callback the row, its endpoint, the lease, and what would record the attempt; of a mail the row, the lease, and what
    // would say that it was sent; of a chunk its rows, the lease, what its items name, and the first of them.
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
        _ = house.process(message, 1) => panic!("the worker does not die over {message:?}"),
    }
    faults.clear();
}

#[tokio::test]
async fn with_every_fast_send_dropped_and_every_worker_dying_once_all_is_done_a_visibility_timeout_later()
 {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let house = busy(&server).await;
    // Messages that the queue hides, with the time when they come again, and since when their rows were due.
    let mut hidden: Vec<(Timestamp, Timestamp, Message)> = Vec::new();
    let mut died: Vec<Message> = Vec::new();
    for _ in 0..16 {
        let since = due(&house);
        // The sweep hands over a row once more while its message is hidden; that copy is dropped, so that only the queue helps.
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
