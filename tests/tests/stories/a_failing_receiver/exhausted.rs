//! A receiver that fails every attempt.

use serde_json::{Value, json};
use tandem_tests::{Pair, Receiver, Reply, Sale, Setup, id, verified};
use uuid::Uuid;

use super::{CREATED, replay, status_codes};

async fn exhausted(setup: &Setup, receiver: &Receiver) -> (Pair, Sale, Value) {
    receiver.answer_always(Reply::status(500));
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let sale = pair.sell().await;
    let callback = pair
        .source
        .callback_about(sale.shared_subscription_id(), CREATED, "exhausted")
        .await;
    (pair, sale, callback)
}

#[tokio::test]
async fn an_exhausted_callback_sends_a_mail_and_can_be_replayed() {
    let setup = Setup::new().await;
    let receiver = setup.receiver().await;
    let (pair, sale, callback) = exhausted(&setup, &receiver).await;
    assert_eq!(
        status_codes(&callback),
        [500, 500, 500, 500],
        "the schedule has four attempts"
    );
    assert_eq!(callback["nextAttemptAt"], Value::Null);
    let mail = pair
        .source
        .mail_about("A callback could not be delivered")
        .await;
    assert!(
        mail.text.contains(id(&callback)) && mail.text.contains("after 4 attempts"),
        "{}",
        mail.text
    );

    receiver.answer_always(Reply::status(200));
    let replayed = replay(&pair.source, &callback).await.accepted();
    assert_eq!(
        (id(&replayed), &replayed["status"]),
        (id(&callback), &json!("pending"))
    );
    let delivered = pair
        .source
        .callback_about(sale.shared_subscription_id(), CREATED, "delivered")
        .await;
    assert_eq!(status_codes(&delivered), [500, 500, 500, 500, 200]);
    let received = receiver.received();
    assert_eq!(received.len(), 5);
    for request in &received {
        assert_eq!(request.webhook_id(), id(&callback), "the id stays the same");
        assert_eq!(verified(request, pair.secret()), delivered["body"]);
    }
}

#[tokio::test]
async fn a_replay_restarts_the_schedule() {
    let setup = Setup::new().await;
    let receiver = setup.receiver().await;
    let (pair, _, callback) = exhausted(&setup, &receiver).await;
    receiver.answer_next([500, 500, 500].map(Reply::status));
    receiver.answer_always(Reply::status(204));
    let _ = replay(&pair.source, &callback).await.accepted();
    let subscription = callback["subscriptionId"].as_str().expect("an id");
    let delivered = pair
        .source
        .callback_about(subscription, CREATED, "delivered")
        .await;
    assert_eq!(
        status_codes(&delivered),
        [500, 500, 500, 500, 500, 500, 500, 204]
    );
}

#[tokio::test]
async fn a_delivered_callback_is_replayed_once_for_a_repeated_request() {
    let setup = Setup::new().await;
    let receiver = setup.receiver().await;
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let sale = pair.sell().await;
    let callback = pair
        .source
        .callback_about(sale.shared_subscription_id(), CREATED, "delivered")
        .await;

    let (path, key) = (
        format!("/v1/callbacks/{}/replay", id(&callback)),
        Uuid::now_v7().to_string(),
    );
    let ask = async || {
        pair.source
            .api
            .call("POST".parse().expect("a method"), &path)
            .idempotency_key(&key)
            .send()
            .await
    };
    let first = ask().await.accepted();
    let twice = setup
        .settle("the second delivery", async || {
            let callback = pair
                .source
                .api
                .get(&format!("/v1/callbacks/{}", id(&callback)))
                .await
                .ok();
            if callback["attempts"] == 2 && callback["status"] == "delivered" {
                Ok(callback)
            } else {
                Err(callback.to_string())
            }
        })
        .await;
    let again = ask().await;
    assert_eq!(
        again.header("idempotency-replayed"),
        Some("true"),
        "{again}"
    );
    assert_eq!(again.accepted(), first);
    assert_eq!(
        pair.source
            .api
            .get(&format!("/v1/callbacks/{}", id(&callback)))
            .await
            .ok(),
        twice
    );
    let received = receiver.received();
    assert_eq!(
        received
            .iter()
            .map(|request| request.webhook_id())
            .collect::<Vec<_>>(),
        [id(&callback), id(&callback)]
    );
    assert_eq!(received[0].body, received[1].body);
}
