//! The limits of test events and replays.

use std::sync::Arc;

use futures::future::join_all;
use serde_json::{Value, json};
use tandem_tests::{Answer, InProcess, Pair, Reply, id};

const REPLAYS: &str = "/v1/callbacks/replays";

async fn pair(stage: &Arc<InProcess>) -> Pair {
    let setup = stage.setup();
    let receiver = setup.receiver().await;
    receiver.answer_always(Reply::status(204));
    setup.pair_between_two_companies(&receiver.url()).await
}

async fn test(pair: &Pair) -> Answer {
    let act = pair
        .source
        .act_on_connection("callback/test", &pair.connection_id);
    act.await
}

#[track_caller]
fn refused(answer: Answer, wait: &str) {
    assert_eq!(answer.header("retry-after"), Some(wait));
    let _ = answer.problem(429, "too_many_callbacks");
}

#[tokio::test]
async fn the_eleventh_test_event_of_a_minute_is_refused() {
    let stage = InProcess::start().await;
    let (first, other) = (pair(&stage).await, pair(&stage).await);
    for _ in 0..10 {
        let _ = test(&first).await.accepted();
        stage.advance(1);
    }
    let before = stage.table.dump();
    refused(test(&first).await, "50");
    assert_eq!(stage.table.dump(), before);
    let _ = test(&other).await.accepted();
    stage.advance(50);
    let _ = test(&first).await.accepted();
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_test_events_cannot_exceed_the_limit() {
    let stage = InProcess::start().await;
    let pair = pair(&stage).await;
    let answers = join_all((0..30).map(|_| test(&pair))).await;
    let accepted = answers.iter().filter(|answer| answer.status == 202).count();
    assert!(accepted <= 10, "{accepted}");
    // The others conflicted too often, or found the limit.
    let mut accepted = accepted;
    while test(&pair).await.status == 202 {
        accepted += 1;
    }
    assert_eq!(accepted, 10);
}

#[tokio::test]
async fn a_repeated_test_event_is_counted_once() {
    let stage = InProcess::start().await;
    let pair = pair(&stage).await;
    let path = format!("/v1/connections/{}/callback/test", pair.connection_id);
    for _ in 0..30 {
        let repeated = pair.source.api.post_with_key(&path, "k", json!({})).await;
        let _ = repeated.accepted();
    }
    let _ = test(&pair).await.accepted();
}

#[tokio::test]
async fn replays_are_counted_by_their_callbacks() {
    let stage = InProcess::start().await;
    let pair = pair(&stage).await;
    let checkout = pair.checkout().await;
    for sale in 0..49 {
        let _ = checkout.purchase(&format!("sale {sale}")).await.created();
    }
    let callbacks = pair.source.api.all("/v1/callbacks?limit=100").await;
    assert_eq!(callbacks.len(), 49);
    for _ in 0..6 {
        let _ = pair.source.replay(&callbacks).await.accepted();
    }
    let one = format!("/v1/callbacks/{}/replay", id(&callbacks[0]));
    for _ in 6 * 49..300 {
        let _ = pair.source.api.act(&one).await.accepted();
    }
    refused(pair.source.api.act(&one).await, "60");
    refused(pair.source.replay(&callbacks).await, "60");
    stage.advance(60);
    let _ = pair.source.replay(&callbacks).await.accepted();
}

#[tokio::test]
async fn the_eleventh_replay_of_all_in_an_hour_is_refused() {
    let stage = InProcess::start().await;
    let pair = pair(&stage).await;
    let replay = async || pair.source.api.post(REPLAYS, json!({})).await;
    for _ in 0..10 {
        let _ = replay().await.accepted();
    }
    refused(replay().await, "3600");
    let _ = test(&pair).await.accepted();
    stage.advance(3_600);
    let accepted: Value = replay().await.accepted();
    assert_eq!(accepted["state"], "accepted");
}
