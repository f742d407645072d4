//! Replay jobs: in steps, at a bounded rate, each callback once.

use std::sync::Arc;

use serde_json::{Value, json};
use tandem_queue::{Kind, Message};
use tandem_store::outbox::Due;
use tandem_tests::{Checkout, InProcess, Pair, Receiver, Reply, id};

const REPLAYS: &str = "/v1/callbacks/replays";

/// Forgets the requests so far, and answers all others with this status.
fn answer_from_now(receiver: &Receiver, status: u16) {
    receiver.forget_received();
    receiver.answer_always(Reply::status(status));
}

/// A pair whose callbacks are all held after the endpoint answered 410.
async fn held(stage: &Arc<InProcess>, receiver: &Receiver, sales: usize) -> (Pair, Checkout) {
    answer_from_now(receiver, 410);
    let setup = stage.setup();
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let checkout = pair.checkout().await;
    for sale in 0..sales {
        let _ = checkout.purchase(&format!("sale {sale}")).await.created();
    }
    stage.work().await;
    assert_eq!(pair.source.callbacks_with("held").await.len(), sales);
    answer_from_now(receiver, 200);
    (pair, checkout)
}

async fn accept(pair: &Pair, body: Value) -> String {
    let job = pair.source.api.post(REPLAYS, body).await.accepted();
    assert_eq!(job["state"], "accepted");
    id(&job).to_owned()
}

async fn job(pair: &Pair, id: &str) -> Value {
    let path = format!("{REPLAYS}/{id}");
    pair.source.api.get(&path).await.ok()
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
    let stage = InProcess::start().await;
    let receiver = stage.setup().receiver().await;
    let (pair, _) = held(&stage, &receiver, 60).await;
    let id = accept(&pair, json!({})).await;
    let mut delivered = Vec::new();
    for _ in 0..4 {
        stage.work().await;
        delivered.push(receiver.received().len());
        stage.advance(5);
    }
    assert_eq!(
        delivered,
        [25, 50, 60, 60],
        "a step of 25 each five seconds"
    );
    let job = job(&pair, &id).await;
    assert_eq!(
        (job["state"].as_str(), &job["counts"]),
        (
            Some("done"),
            &json!({"found": 60, "replayed": 60, "skipped": 0})
        )
    );
    assert!(job["startedAt"].is_string() && job["finishedAt"].is_string());
}

#[tokio::test]
async fn a_replay_proceeds_by_the_stream_without_a_sweep() {
    let stage = InProcess::start().await;
    let receiver = stage.setup().receiver().await;
    let (pair, _) = held(&stage, &receiver, 60).await;
    stage.relay().await;
    drop(stage.messages());
    let id = accept(&pair, json!({})).await;
    let mut delays = Vec::new();
    loop {
        stage.relay().await;
        let sent = stage.callback_messages();
        if sent.is_empty() {
            break;
        }
        for sent in sent {
            if sent.message.kind == Kind::Replay {
                delays.push(sent.delay.as_secs());
            }
            let delay = sent.delay.as_secs().try_into().expect("seconds");
            stage.advance(delay);
            stage.deliver(&[sent.message]).await;
        }
    }
    assert_eq!(delays, [0, 5, 5]);
    assert_eq!(receiver.received().len(), 60);
    assert_eq!(job(&pair, &id).await["state"], "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_workers_run_a_replay_step_once() {
    let stage = InProcess::start().await;
    let receiver = stage.setup().receiver().await;
    let (pair, _) = held(&stage, &receiver, 5).await;
    let id = accept(&pair, json!({})).await;
    let message = message(&pair, &id);
    let one = std::slice::from_ref(&message);
    futures::future::join_all((0..50).map(|_| stage.deliver(one))).await;
    let after = job(&pair, &id).await;
    assert_eq!(
        after["counts"],
        json!({"found": 5, "replayed": 5, "skipped": 0})
    );
    stage.work().await;
    stage.deliver(one).await;
    stage.work().await;
    assert_eq!(receiver.received().len(), 5);
}

#[tokio::test]
async fn a_replay_covers_only_the_callers_selected_callbacks() {
    let stage = InProcess::start().await;
    let receiver = stage.setup().receiver().await;
    let other = stage.setup().receiver().await;
    let (pair, checkout) = held(&stage, &receiver, 3).await;
    let (stranger, _) = held(&stage, &other, 2).await;
    stage.advance(60);
    let since = stage.app.now();
    let _ = checkout.purchase("late").await.created();
    stage.work().await;
    let id = accept(&pair, json!({"since": since})).await;
    stage.work().await;
    assert_eq!(
        (
            receiver.received().len(),
            job(&pair, &id).await["counts"]["replayed"].as_u64()
        ),
        (1, Some(1))
    );
    for (api, connection, code) in [
        (&pair.source.api, &stranger.connection_id, "not_found"),
        (&pair.target.api, &pair.connection_id, "not_the_source"),
    ] {
        let body = json!({"connectionId": connection});
        let refused = api.post(REPLAYS, body).await;
        assert_eq!(refused.body["errors"][0]["code"], code);
        let _ = refused.problem(422, "invalid_fields");
    }
    let id = accept(&pair, json!({"connectionId": pair.connection_id})).await;
    stage.work().await;
    assert_eq!((receiver.received().len(), other.received().len()), (4, 0));
    let foreign = stranger.source.api.get(&format!("{REPLAYS}/{id}")).await;
    let _ = foreign.problem(404, "replay_not_found");
}

#[tokio::test]
async fn a_repeated_replay_is_one_job_and_a_410_ends_its_sends() {
    let stage = InProcess::start().await;
    let receiver = stage.setup().receiver().await;
    let (pair, _) = held(&stage, &receiver, 30).await;
    answer_from_now(&receiver, 410);
    let api = &pair.source.api;
    let first = api.post_with_key(REPLAYS, "k", json!({})).await;
    let again = api.post_with_key(REPLAYS, "k", json!({})).await;
    assert!(again.is_repeated() && first.body["id"] == again.body["id"]);
    stage.advance(1);
    for _ in 0..3 {
        stage.work().await;
        stage.advance(5);
    }
    assert_eq!(
        job(&pair, id(&first.body)).await["counts"],
        json!({"found": 30, "replayed": 30, "skipped": 0})
    );
    assert!(
        receiver.received().len() <= 25,
        "the second step meets an endpoint that is disabled again"
    );
    let held = pair.source.callbacks_with("held").await;
    assert_eq!(held.len(), 30, "nothing is lost");
}
