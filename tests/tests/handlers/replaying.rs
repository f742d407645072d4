//! Replay jobs: in steps, at a bounded rate, each callback once.

use serde_json::{Value, json};
use tandem_queue::Message;
use tandem_store::outbox::Due;
use tandem_tests::handlers::{House, Pair};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

async fn answering(server: &MockServer, status: u16) {
    server.reset().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(status))
        .mount(server)
        .await;
}

async fn calls(server: &MockServer) -> usize {
    server.received_requests().await.expect("recorded").len()
}

/// A pair whose callbacks are all held after the endpoint answered 410.
async fn held(house: &House, server: &MockServer, sales: usize) -> Pair {
    answering(server, 410).await;
    let pair = house.pair(Some(&server.uri())).await;
    for sale in 0..sales {
        let _ = house
            .purchase(&pair, &format!("sale {sale}"))
            .await
            .expect(201);
    }
    house.work().await;
    let own = |row: &&Value| {
        row["pk"]
            .as_str()
            .is_some_and(|pk| pk.starts_with(&pair.source.id))
    };
    let held = |row: &&Value| row["sk"] == "callback" && row["status"] == "held";
    assert_eq!(
        house.table.dump().iter().filter(own).filter(held).count(),
        sales
    );
    answering(server, 200).await;
    pair
}

async fn accept(house: &House, pair: &Pair, body: Value) -> String {
    let job = house
        .call(&pair.source.who, "POST /v1/callbacks/replays", Some(body))
        .await
        .expect(202);
    assert_eq!(job["state"], "accepted");
    job["id"].as_str().expect("an id").to_owned()
}

async fn job(house: &House, pair: &Pair, id: &str) -> Value {
    house
        .call(
            &pair.source.who,
            &format!("GET /v1/callbacks/replays/{id}"),
            None,
        )
        .await
        .expect(200)
}

fn message(pair: &Pair, id: &str) -> Message {
    Message::try_from(Due {
        pk: format!("{}#{id}", pair.source.id),
        sk: "replay".to_owned(),
    })
    .expect("a kind")
}

#[tokio::test]
async fn a_replay_of_all_proceeds_in_steps_and_enables_the_endpoint() {
    let (house, server) = (House::new().await, MockServer::start().await);
    let pair = held(&house, &server, 60).await;
    let id = accept(&house, &pair, json!({})).await;
    let mut delivered = Vec::new();
    for _ in 0..4 {
        house.work().await;
        delivered.push(calls(&server).await);
        house.advance(5);
    }
    assert_eq!(
        delivered,
        [25, 50, 60, 60],
        "a step of 25 each five seconds"
    );
    let job = job(&house, &pair, &id).await;
    assert_eq!(
        (job["state"].as_str(), &job["counts"]),
        (
            Some("done"),
            &json!({"found": 60, "replayed": 60, "skipped": 0})
        )
    );
    assert!(job["startedAt"].is_string() && job["finishedAt"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_workers_run_a_replay_step_once() {
    let (house, server) = (House::new().await, MockServer::start().await);
    let pair = held(&house, &server, 5).await;
    let id = accept(&house, &pair, json!({})).await;
    let message = message(&pair, &id);
    let one = std::slice::from_ref(&message);
    futures::future::join_all((0..50).map(|_| house.deliver(one))).await;
    let after = job(&house, &pair, &id).await;
    assert_eq!(
        after["counts"],
        json!({"found": 5, "replayed": 5, "skipped": 0})
    );
    house.work().await;
    house.deliver(one).await;
    house.work().await;
    assert_eq!(calls(&server).await, 5);
}

#[tokio::test]
async fn a_replay_covers_only_the_callers_selected_callbacks() {
    let (house, server, other) = (
        House::new().await,
        MockServer::start().await,
        MockServer::start().await,
    );
    let pair = held(&house, &server, 3).await;
    let stranger = held(&house, &other, 2).await;
    house.advance(60);
    let since = house.app.now();
    let _ = house.purchase(&pair, "late").await.expect(201);
    house.work().await;
    let id = accept(&house, &pair, json!({"since": since})).await;
    house.work().await;
    assert_eq!(
        (
            calls(&server).await,
            job(&house, &pair, &id).await["counts"]["replayed"].as_u64()
        ),
        (1, Some(1))
    );
    let id = accept(&house, &pair, json!({"connectionId": stranger.connection})).await;
    house.work().await;
    assert_eq!(job(&house, &pair, &id).await["counts"]["found"], 0);
    let id = accept(&house, &pair, json!({"connectionId": pair.connection})).await;
    house.work().await;
    assert_eq!((calls(&server).await, calls(&other).await), (4, 0));
    let read = format!("GET /v1/callbacks/replays/{id}");
    assert_eq!(
        house
            .call(&stranger.source.who, &read, None)
            .await
            .problem(404),
        "replay_not_found"
    );
}

#[tokio::test]
async fn a_repeated_replay_is_one_job_and_a_410_ends_its_sends() {
    let (house, server) = (House::new().await, MockServer::start().await);
    let pair = held(&house, &server, 30).await;
    answering(&server, 410).await;
    let first = house
        .post(&pair.source.who, "/v1/callbacks/replays", "k", json!({}))
        .await;
    let again = house
        .post(&pair.source.who, "/v1/callbacks/replays", "k", json!({}))
        .await;
    assert!(again.replayed && first.body["id"] == again.body["id"]);
    house.advance(1);
    for _ in 0..3 {
        house.work().await;
        house.advance(5);
    }
    let id = first.body["id"].as_str().expect("an id").to_owned();
    assert_eq!(
        job(&house, &pair, &id).await["counts"],
        json!({"found": 30, "replayed": 30, "skipped": 0})
    );
    assert!(
        calls(&server).await <= 25,
        "the second step meets an endpoint that is disabled again"
    );
    let rows = house.table.dump();
    let held = rows
        .iter()
        .filter(|row| row["sk"] == "callback" && row["status"] == "held")
        .count();
    assert_eq!(held, 30, "nothing is lost");
}
