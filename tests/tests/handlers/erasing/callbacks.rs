//! Callbacks about an erased customer.

use serde_json::{Value, json};
use tandem_tests::id;

use super::{EMAIL, Sold};

#[tokio::test]
async fn after_an_erasure_logs_and_replays_show_only_the_id() {
    let sold = Sold::new(200).await;
    sold.stage.work().await;
    let before = sold.sale_callback().await;
    assert_eq!(before["body"]["data"]["customer"]["email"], EMAIL);
    let answer = format!("we know {EMAIL}");
    assert_eq!(before["attemptLog"][0]["answer"], answer);
    sold.refund().await;
    sold.stage.work().await;
    let _ = sold.erase().await.ok();
    let after = sold.sale_callback().await;
    let customer = json!({
        "id": sold.customer_id(), "email": null, "language": null, "firstName": null, "lastName": null, "erased": true
    });
    let (data, data_before) = (&after["body"]["data"], &before["body"]["data"]);
    assert_eq!(data["customer"], customer);
    assert_eq!(data["voucherCode"], data_before["voucherCode"]);
    let attempt = &after["attemptLog"][0];
    assert_eq!(
        (&attempt["statusCode"], &attempt["answer"]),
        (&json!(200), &Value::Null)
    );

    let replay = format!("/v1/callbacks/{}/replay", id(&after));
    let _ = sold.pair.source.api.act(&replay).await.accepted();
    sold.answer_from_now_on(200);
    sold.stage.work().await;
    let received = sold.receiver.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].json()["data"]["customer"], customer);
    assert_eq!(received[0].webhook_id(), id(&after));
    assert!(!sold.stored().contains(EMAIL));
    let replayed = sold.sale_callback().await;
    assert_eq!(replayed["attemptLog"][0]["answer"], Value::Null);
}

/// Asserts that the sale's and the refund's callback came, without the person.
fn assert_came_without_the_person(sold: &Sold) {
    let received = sold.receiver.received().into_iter();
    let bodies: Vec<String> = received.map(|sent| sent.json().to_string()).collect();
    assert_eq!(bodies.len(), 2, "the sale and the refund: {bodies:?}");
    assert!(
        bodies.iter().all(|body| !body.contains(EMAIL)),
        "{bodies:?}"
    );
}

#[tokio::test]
async fn a_waiting_callback_is_delivered_without_the_person() {
    let sold = Sold::new(503).await;
    sold.stage.work().await;
    sold.refund().await;
    let _ = sold.erase().await.ok();
    sold.answer_from_now_on(200);
    // The endpoint is paused: one of the two callbacks probes it, the other follows.
    for _ in 0..2 {
        sold.stage.advance(3_600);
        sold.stage.work().await;
    }
    assert_came_without_the_person(&sold);
    assert_eq!(sold.sale_callback().await["status"], "delivered");
}

#[tokio::test]
async fn held_and_interrupted_callbacks_are_sent_without_the_person() {
    let sold = Sold::new(410).await;
    let (stage, source) = (&sold.stage, &sold.pair.source);
    stage.work().await;
    assert_eq!(source.callbacks_with("held").await.len(), 1);
    sold.refund().await;
    // The worker dies during the attempt of the refund's callback.
    let new_url = format!("{}/new", sold.receiver.url());
    let _ = sold.pair.move_endpoint(&new_url).await;
    let pending = source.callbacks_with("pending").await;
    assert_eq!(pending.len(), 1);
    let refunded = id(&pending[0]);
    stage.lease_callback(&source.id, refunded).await;
    let _ = sold.erase().await.ok();
    sold.answer_from_now_on(200);
    let replay = source.api.post("/v1/callbacks/replays", json!({})).await;
    let _ = replay.accepted();
    stage.advance(61);
    stage.work().await;
    assert_came_without_the_person(&sold);
    assert!(!sold.stored().contains("wagtail"));
    let log = source.callback(refunded).await["attemptLog"].clone();
    assert_eq!(log.as_array().map(Vec::len), Some(2), "{log}");
    let error = log[1]["error"].as_str();
    assert!(
        error.is_some_and(|error| error.contains("cut off")),
        "{log}"
    );
    assert_eq!(
        (&log[0]["answer"], &log[1]["answer"]),
        (&Value::Null, &Value::Null)
    );
}
