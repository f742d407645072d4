//! The events of changes after a sale, for the seller and for a source within its contracting company.

use serde_json::{Value, json};
use tandem_tests::{InProcess, id, mandatory};

use crate::client_events::Endpoint;

const UNUSED_URL: &str = "http://127.0.0.1:9/";

/// Every type but those of connections and purchases.
fn types() -> Value {
    json!([
        "order.reversed",
        "subscription.renewed",
        "subscription.cancelled",
        "subscription.cancellationUndone",
        "subscription.refunded",
        "subscription.paymentReversed",
        "subscription.paidAgain",
    ])
}

/// The type and the role of each event, sorted.
fn seen(endpoint: &Endpoint) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let seen = |event: &Value| (text(&event["type"]), text(&event["data"]["role"]));
    let mut all: Vec<_> = endpoint.received().iter().map(seen).collect();
    all.sort();
    all
}

#[tokio::test]
async fn each_change_of_a_subscription_is_an_event_of_both_clients() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let of_target = Endpoint::of(&stage, &pair.target, types()).await;
    let of_source = Endpoint::of(&stage, &pair.source, types()).await;
    let sale = pair.sell().await;
    let of = |action: &str| {
        let subscription = sale.shared_subscription_id();
        format!("/v1/subscriptions/{subscription}/{action}")
    };
    let api = &pair.target.api;
    for (action, body) in [
        ("payments", json!({"periodNumber": 2})),
        ("cancel", json!({})),
        ("undo-cancellation", json!({})),
        ("payments/2/reverse", json!({"kind": "chargeBack"})),
        ("payments", json!({"periodNumber": 2})),
        (
            "payments/1/reverse",
            json!({"kind": "refund", "endSubscription": true}),
        ),
    ] {
        let _ = api.post(&of(action), body).await.ok();
    }
    stage.work().await;
    for (endpoint, role) in [(&of_target, "seller"), (&of_source, "source")] {
        let expected = [
            "cancellationUndone",
            "cancelled",
            "paidAgain",
            "paymentReversed",
            "refunded",
            "renewed",
        ];
        let expected = expected.map(|word| (format!("subscription.{word}"), role.to_owned()));
        assert_eq!(seen(endpoint), expected);
        for event in endpoint.received() {
            let data = &event["data"];
            assert_eq!(data["subscription"]["id"], sale.shared_subscription_id());
            assert_eq!(data["customer"], json!({"id": id(&sale.customer)}));
            assert_eq!(data["connectionId"].is_string(), role == "source");
        }
    }
}

#[tokio::test]
async fn a_refund_of_an_order_is_one_event_of_each_client() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let of_target = Endpoint::of(&stage, &pair.target, types()).await;
    let of_source = Endpoint::of(&stage, &pair.source, types()).await;
    let sale = pair.sell().await;
    let _ = pair.target.refund(&sale.order).await.ok();
    stage.work().await;
    for (endpoint, role, positions) in [(&of_target, "seller", 2), (&of_source, "source", 1)] {
        let [event] = &endpoint.received()[..] else {
            panic!("one event: {:?}", endpoint.received())
        };
        assert_eq!(
            (&event["type"], &event["data"]["role"]),
            (&json!("order.reversed"), &json!(role))
        );
        let reversed = event["data"]["positions"].as_array().expect("positions");
        assert_eq!(reversed.len(), positions);
        let amount = reversed.last().expect("a position")["amount"]["amount"].as_i64();
        assert!(amount.is_some_and(|amount| amount < 0));
    }
}

#[tokio::test]
async fn the_largest_refund_with_an_event_fits_one_transaction() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let (source, target) = (&pair.source, &pair.target);
    let _ = Endpoint::of(&stage, target, Value::Null).await;
    let own = target.subscription_offer("Morgenblatt", 1_990).await;
    let mut positions = vec![mandatory(&own)];
    for _ in 0..19 {
        let shared = source.shared_offer("Garden Weekly", 999, &[target]).await;
        positions.push(mandatory(&shared));
    }
    let (cart, customer) = (target.cart(&positions).await, target.customer().await);
    let order = target.sell(&cart, &customer).await.created();
    let refunded = target.refund(&order).await.ok();
    let positions = refunded["positions"].as_array().expect("positions");
    assert!(
        positions
            .iter()
            .all(|position| position["status"] == "refunded")
    );
}

#[tokio::test]
async fn without_an_event_endpoint_a_change_writes_no_event() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let sale = pair.sell().await;
    let path = format!("/v1/subscriptions/{}/payments", sale.own_subscription_id());
    let _ = pair.target.api.post(&path, json!({})).await.ok();
    let _ = pair.target.refund(&sale.order).await.ok();
    assert!(stage.rows_of("callback").is_empty());
}
