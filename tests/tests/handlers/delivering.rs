//! Callbacks from the commit to the receiver, with the production schedule and a virtual clock.

use serde_json::{Value, json};
use tandem_domain::mail::MailKind;
use tandem_testing::Fault;
use tandem_tests::handlers::{House, Pair};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

async fn answering(server: &MockServer, status: u16) {
    server.reset().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(status).set_body_string("said"))
        .mount(server)
        .await;
}

async fn sold(house: &House, server: &MockServer) -> Pair {
    let pair = house.pair(Some(&server.uri())).await;
    house.work().await;
    let _ = house.mails();
    let _ = house.purchase(&pair, "k1").await.expect(201);
    pair
}

async fn only_callback(house: &House, pair: &Pair) -> Value {
    let listed = house
        .call(&pair.source.who, "GET /v1/callbacks", None)
        .await
        .expect(200);
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    let id = listed["items"][0]["id"].as_str().expect("an id");
    house
        .call(&pair.source.who, &format!("GET /v1/callbacks/{id}"), None)
        .await
        .expect(200)
}

#[tokio::test]
async fn a_callback_is_signed_delivered_once_and_logged() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 204).await;
    let pair = sold(&house, &server).await;
    house.work().await;
    house.work().await;
    let received = server.received_requests().await.expect("recorded");
    assert_eq!(received.len(), 1);
    let callback = only_callback(&house, &pair).await;
    assert_eq!(
        (callback["status"].as_str(), callback["attempts"].as_u64()),
        (Some("delivered"), Some(1))
    );
    assert_eq!(callback["attemptLog"][0]["statusCode"], 204);
    assert_eq!(
        received[0].headers["webhook-id"].to_str().ok(),
        callback["id"].as_str()
    );
    assert_eq!(
        serde_json::from_slice::<Value>(&received[0].body).expect("JSON"),
        callback["body"]
    );
}

#[tokio::test]
async fn an_attempt_survives_conflicts_on_its_lease_and_record() {
    // Calls: read the callback, read its endpoint, lease, record.
    for call in [2, 3] {
        let (house, server) = (House::new().await, MockServer::start().await);
        answering(&server, 204).await;
        let pair = sold(&house, &server).await;
        house.sweep.sweep().await.expect("swept");
        let messages: Vec<_> = house
            .callback_messages()
            .into_iter()
            .map(|sent| sent.message)
            .collect();
        house.table.faults.plan(call, Fault::Busy);
        house.deliver(&messages).await;
        assert_eq!(house.table.faults.calls().len(), 5, "one is sent again");
        house.table.faults.clear();
        house.advance(3_600);
        house.work().await;
        assert_eq!(server.received_requests().await.expect("recorded").len(), 1);
        let callback = only_callback(&house, &pair).await;
        assert_eq!(
            (callback["status"].as_str(), callback["attempts"].as_u64()),
            (Some("delivered"), Some(1))
        );
    }
}

#[tokio::test]
async fn a_replay_during_an_attempt_keeps_the_attempts_record() {
    let (house, server) = (House::new().await, MockServer::start().await);
    let slow = ResponseTemplate::new(200).set_delay(std::time::Duration::from_millis(300));
    Mock::given(method("POST"))
        .respond_with(slow)
        .mount(&server)
        .await;
    let pair = sold(&house, &server).await;
    let replay = async {
        while server
            .received_requests()
            .await
            .expect("recorded")
            .is_empty()
        {
            tokio::task::yield_now().await;
        }
        let callback = only_callback(&house, &pair).await;
        let replay = format!(
            "POST /v1/callbacks/{}/replay",
            callback["id"].as_str().expect("an id")
        );
        assert_eq!(
            house
                .call(&pair.source.who, &replay, None)
                .await
                .expect(202)["status"],
            "pending"
        );
    };
    futures::future::join(house.work(), replay).await;
    house.advance(3_600);
    house.work().await;
    assert_eq!(server.received_requests().await.expect("recorded").len(), 1);
    let callback = only_callback(&house, &pair).await;
    assert_eq!(
        (
            callback["status"].as_str(),
            callback["attemptLog"].as_array().map(Vec::len)
        ),
        (Some("delivered"), Some(1))
    );
}

#[tokio::test]
async fn a_failing_receiver_gets_ten_attempts_then_the_source_a_mail() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 500).await;
    let pair = sold(&house, &server).await;
    let mut attempts = 0;
    // Standard Webhooks' waits between attempts, each with up to 10 % jitter.
    for wait in [
        0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
    ] {
        if wait > 0 {
            house.advance(wait - 1);
            house.work().await;
            assert_eq!(
                server.received_requests().await.expect("recorded").len(),
                attempts,
                "too early, wait {wait}"
            );
            house.advance(1 + wait / 10 + 1);
        }
        house.work().await;
        attempts += 1;
        assert_eq!(
            server.received_requests().await.expect("recorded").len(),
            attempts,
            "wait {wait}"
        );
    }
    house.advance(30 * 86_400);
    house.work().await;
    let callback = only_callback(&house, &pair).await;
    assert_eq!(
        (callback["status"].as_str(), callback["attempts"].as_u64()),
        (Some("exhausted"), Some(10))
    );
    assert_eq!(callback["attemptLog"][0]["answer"], "said");
    let mails = house.mails();
    assert!(
        matches!(mails.as_slice(), [mail] if matches!(mail.mail.kind, MailKind::CallbackExhausted { attempts: 10, .. }))
    );
    assert_eq!(mails[0].mail.client_id.to_string(), pair.source.id);

    answering(&server, 200).await;
    let replay = format!(
        "POST /v1/callbacks/{}/replay",
        callback["id"].as_str().expect("an id")
    );
    let _ = house
        .call(&pair.source.who, &replay, None)
        .await
        .expect(202);
    house.work().await;
    let received = server.received_requests().await.expect("recorded");
    assert_eq!(received.len(), 1);
    assert_eq!(
        received[0].headers["webhook-id"].to_str().ok(),
        callback["id"].as_str()
    );
    assert_eq!(only_callback(&house, &pair).await["status"], "delivered");
}

#[tokio::test]
async fn retry_after_lengthens_the_wait() {
    let (house, server) = (House::new().await, MockServer::start().await);
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "3600");
    Mock::given(method("POST"))
        .respond_with(busy)
        .mount(&server)
        .await;
    let pair = sold(&house, &server).await;
    house.work().await;
    house.advance(3_599);
    house.work().await;
    assert_eq!(only_callback(&house, &pair).await["attempts"], 1);
    house.advance(1);
    house.work().await;
    assert_eq!(only_callback(&house, &pair).await["attempts"], 2);
}

#[tokio::test]
async fn a_410_disables_the_endpoint_until_a_replay_or_a_new_url() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 410).await;
    let pair = sold(&house, &server).await;
    house.work().await;
    assert_eq!(only_callback(&house, &pair).await["status"], "held");
    let read = format!("GET /v1/connections/{}", pair.connection);
    let connection = house.call(&pair.source.who, &read, None).await.expect(200);
    assert!(connection["callback"]["disabledAt"].is_string());
    assert!(
        matches!(house.mails().as_slice(), [mail] if matches!(mail.mail.kind, MailKind::EndpointDisabled { .. }))
    );

    let _ = house.purchase(&pair, "k2").await.expect(201);
    house.work().await;
    assert_eq!(
        server.received_requests().await.expect("recorded").len(),
        1,
        "the second sale is held without a call"
    );
    let held = house
        .call(&pair.source.who, "GET /v1/callbacks?status=held", None)
        .await
        .expect(200);
    let ids: Vec<&Value> = held["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| &item["id"])
        .collect();
    assert_eq!(ids.len(), 2);

    answering(&server, 200).await;
    let _ = house
        .call(
            &pair.source.who,
            "POST /v1/callbacks/replay",
            Some(json!({"callbackIds": ids})),
        )
        .await
        .expect(202);
    house.work().await;
    assert_eq!(server.received_requests().await.expect("recorded").len(), 2);
    let connection = house.call(&pair.source.who, &read, None).await.expect(200);
    assert!(connection["callback"]["disabledAt"].is_null());
}

#[tokio::test]
async fn a_worker_that_dies_after_the_lease_delays_the_callback() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 200).await;
    let pair = sold(&house, &server).await;
    let id = only_callback(&house, &pair).await["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let (client, id) = (
        pair.source.id.parse().expect("an id"),
        id.parse().expect("an id"),
    );
    let callback = house
        .app
        .store
        .get(&tandem_store::keys::callback(client, id))
        .await
        .expect("read")
        .expect("there");
    let mut lease = tandem_store::Transaction::default();
    lease
        .replace(&callback.begin(house.app.now()).expect("due"))
        .expect("a row");
    house.app.store.commit(lease).await.expect("leased");
    house.work().await;
    assert_eq!(
        server.received_requests().await.expect("recorded").len(),
        0,
        "leased by the dead worker"
    );
    house.advance(61);
    house.work().await;
    assert_eq!(server.received_requests().await.expect("recorded").len(), 1);
    let callback = only_callback(&house, &pair).await;
    let log = callback["attemptLog"].as_array().expect("a log");
    assert_eq!(
        (
            callback["status"].as_str(),
            callback["attempts"].as_u64(),
            log.len()
        ),
        (Some("delivered"), Some(2), 2)
    );
    assert_eq!(
        (&log[0]["statusCode"], &log[1]["number"]),
        (&json!(200), &json!(1))
    );
    assert!(
        log[1]["error"]
            .as_str()
            .is_some_and(|error| error.contains("cut off")),
        "{log:?}"
    );
}

#[tokio::test]
async fn a_callback_that_kills_each_worker_ends_exhausted() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 200).await;
    let pair = sold(&house, &server).await;
    let id = only_callback(&house, &pair).await["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let key = tandem_store::keys::callback(
        pair.source.id.parse().expect("an id"),
        id.parse().expect("an id"),
    );
    for _ in 0..10 {
        let callback = house
            .app
            .store
            .get(&key)
            .await
            .expect("read")
            .expect("there");
        let now = house.app.now();
        let (callback, cut_off) = match callback.cut_off(&house.deliverer.schedule, 0, now) {
            Some((after, attempt)) => (after, Some(attempt)),
            None => (callback, None),
        };
        let mut lease = tandem_store::Transaction::default();
        lease
            .replace(&callback.clone().begin(now).expect("due"))
            .expect("a row");
        if let Some(attempt) = cut_off {
            let (client_id, callback_id) = (callback.client_id, callback.id);
            lease
                .create(&tandem_store::rows::AttemptRow {
                    client_id,
                    callback_id,
                    attempt,
                })
                .expect("a row");
        }
        house.app.store.commit(lease).await.expect("leased");
        house.advance(100_000);
    }
    house.work().await;
    let callback = only_callback(&house, &pair).await;
    assert_eq!(
        (callback["status"].as_str(), callback["attempts"].as_u64()),
        (Some("exhausted"), Some(10))
    );
    assert_eq!(callback["attemptLog"].as_array().map(Vec::len), Some(10));
    assert_eq!(server.received_requests().await.expect("recorded").len(), 0);
    assert!(
        matches!(house.mails().as_slice(), [mail] if matches!(mail.mail.kind, MailKind::CallbackExhausted { .. }))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_fifty_workers_makes_the_attempt() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 200).await;
    let _ = sold(&house, &server).await;
    house.sweep.sweep().await.expect("swept");
    let message = house.callback_messages().remove(0).message;
    let one = std::slice::from_ref(&message);
    futures::future::join_all((0..50).map(|_| house.deliver(one))).await;
    assert_eq!(server.received_requests().await.expect("recorded").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sweeps_at_once_lead_to_one_attempt_of_each_callback() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 200).await;
    let pair = sold(&house, &server).await;
    let _ = house.purchase(&pair, "k2").await.expect(201);
    let (one, other) = futures::future::join(house.sweep.sweep(), house.sweep.sweep()).await;
    assert!(one.is_ok() && other.is_ok());
    let messages: Vec<_> = house
        .callback_messages()
        .into_iter()
        .map(|sent| sent.message)
        .collect();
    assert_eq!(messages.len(), 4, "each sweep hands over both");
    futures::future::join_all(
        messages
            .iter()
            .map(|message| house.deliver(std::slice::from_ref(message))),
    )
    .await;
    assert_eq!(server.received_requests().await.expect("recorded").len(), 2);
}
