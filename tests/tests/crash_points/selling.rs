//! Sales and later events: purchase, refund, charge-back, payment, cancellation, voucher, payout, replay, event endpoint.

use serde_json::{Value, json};
use tandem_queue::Kind;
use tandem_tests::handlers::{Merchant, Pair};

use crate::scenario::{Act, Scenario, scenarios};
use crate::stage::Stage;

pub(crate) fn scenarios() -> Vec<Scenario> {
    [
        purchases(),
        after_sales(),
        claims(),
        replays(),
        event_endpoints(),
    ]
    .concat()
}

fn id(body: &Value) -> &str {
    body["id"].as_str().expect("an id")
}

/// A sale with its callback delivered.
async fn delivered(stage: &Stage) -> (Pair, Value) {
    let sold = stage.sold().await;
    stage.work_off().await;
    sold
}

async fn first(stage: &Stage, who: &Merchant, list: &str) -> Value {
    let listed = stage
        .house
        .call(&who.who, &format!("GET {list}"), None)
        .await
        .expect(200);
    listed["items"][0].clone()
}

/// The path of the sold shared subscription.
async fn sold_subscription(stage: &Stage, pair: &Pair) -> String {
    let row = first(
        stage,
        &pair.target,
        &format!("/v1/subscriptions?offerId={}", pair.shared_offer),
    )
    .await;
    format!("/v1/subscriptions/{}", id(&row))
}

fn purchases() -> Vec<Scenario> {
    scenarios! {
        "purchase-cart", Some("POST /v1/carts/{cartId}/purchase"), "between two companies" => |stage| {
            let pair = stage.pair().await;
            let body = json!({"customerId": pair.customer, "paymentMethod": "PAYPAL"});
            Act::call(&pair.target.who, format!("POST /v1/carts/{}/purchase", pair.cart), body)
        }
        "purchase-cart", Some("POST /v1/carts/{cartId}/purchase"), "within one company" => |stage| {
            let pair = stage.house.pair(None).await;
            stage.work_off().await;
            let body = json!({"customerId": pair.customer, "paymentMethod": "PAYPAL"});
            Act::call(&pair.target.who, format!("POST /v1/carts/{}/purchase", pair.cart), body)
        }
    }
}

fn after_sales() -> Vec<Scenario> {
    scenarios! {
        "orders", Some("POST /v1/orders/{orderId}/refund"), "a voucher not redeemed" => |stage| {
            let (pair, order) = delivered(stage).await;
            Act::call(&pair.target.who, format!("POST /v1/orders/{}/refund", id(&order)), json!({}))
        }
        "orders", Some("POST /v1/orders/{orderId}/charge-back"), "of the shared position" => |stage| {
            let (pair, order) = delivered(stage).await;
            Act::call(&pair.target.who, format!("POST /v1/orders/{}/charge-back", id(&order)), json!({"positions": [2]}))
        }
        "subscriptions", Some("POST /v1/subscriptions/{subscriptionId}/payments"), "of a shared subscription" => |stage| {
            let (pair, _) = delivered(stage).await;
            Act::call(&pair.target.who, format!("POST {}/payments", sold_subscription(stage, &pair).await), json!({}))
        }
        "subscriptions", Some("POST /v1/subscriptions/{subscriptionId}/cancel"), "of a shared subscription" => |stage| {
            let (pair, _) = delivered(stage).await;
            Act::call(&pair.target.who, format!("POST {}/cancel", sold_subscription(stage, &pair).await), json!({}))
        }
        "payouts", Some("POST /v1/payouts/{payoutId}/mark-paid"), "by the source" => |stage| {
            let (pair, _) = delivered(stage).await;
            let row = first(stage, &pair.source, "/v1/payouts").await;
            Act::bare(&pair.source.who, format!("POST /v1/payouts/{}/mark-paid", id(&row)))
        }
    }
}

fn claims() -> Vec<Scenario> {
    scenarios! {
        "redeem-voucher", Some("POST /v1/subscriptions/useCrossClientVoucher"), "the right code" => |stage| {
            let (pair, _) = delivered(stage).await;
            let callback = format!("/v1/callbacks/{}", id(&first(stage, &pair.source, "/v1/callbacks").await));
            let callback = stage.house.call(&pair.source.who, &format!("GET {callback}"), None).await.expect(200);
            let customer = stage.house.customer(&pair.source, "anna@example.com").await;
            let body = json!({"customerId": customer, "voucherCode": callback["body"]["data"]["voucherCode"]});
            Act::call(&pair.source.who, "POST /v1/subscriptions/useCrossClientVoucher", body)
        }
    }
}

fn replays() -> Vec<Scenario> {
    scenarios! {
        "callbacks", Some("POST /v1/callbacks/{callbackId}/replay"), "to a disabled endpoint" => |stage| {
            let (pair, _) = stage.sold().await;
            stage.receiver_answers(410).await;
            stage.work_off().await;
            stage.receiver_answers(200).await;
            let callback = first(stage, &pair.source, "/v1/callbacks").await;
            Act::bare(&pair.source.who, format!("POST /v1/callbacks/{}/replay", id(&callback)))
        }
        "callbacks", Some("POST /v1/callbacks/{callbackId}/replay"), "to a paused endpoint" => |stage| {
            let (pair, _) = stage.sold().await;
            stage.receiver_answers(503).await;
            assert!(!stage.hand_over(&stage.message(Kind::Callback), 1).await);
            stage.receiver_answers(200).await;
            let callback = first(stage, &pair.source, "/v1/callbacks").await;
            Act::bare(&pair.source.who, format!("POST /v1/callbacks/{}/replay", id(&callback)))
        }
        "callbacks", Some("POST /v1/callbacks/replays"), "of all held callbacks" => |stage| {
            let pair = stage.held(2).await;
            Act::call(&pair.source.who, "POST /v1/callbacks/replays", json!({}))
        }
        "callbacks", Some("POST /v1/callbacks/replay"), "two at once" => |stage| {
            let (pair, _) = delivered(stage).await;
            let _ = stage.house.purchase(&pair, "another").await.expect(201);
            stage.work_off().await;
            let listed = stage.house.call(&pair.source.who, "GET /v1/callbacks", None).await.expect(200);
            let ids: Vec<_> = listed["items"].as_array().expect("items").iter().map(id).collect();
            Act::call(&pair.source.who, "POST /v1/callbacks/replay", json!({"callbackIds": ids}))
        }
    }
}

fn event_endpoints() -> Vec<Scenario> {
    scenarios! {
        "callbacks", Some("PUT /v1/event-endpoint"), "set, with its secret" => |stage| {
            let client = stage.house.merchant(&stage.house.company(false).await, "A").await;
            Act::call(&client.who, "PUT /v1/event-endpoint", json!({"url": stage.receiver.uri()}))
        }
        "callbacks", Some("POST /v1/event-endpoint/rotate-secret"), "a secret, shown once" => |stage| {
            let client = stage.house.merchant(&stage.house.company(false).await, "A").await;
            let set = Some(json!({"url": stage.receiver.uri()}));
            let _ = stage.house.call(&client.who, "PUT /v1/event-endpoint", set).await.expect(201);
            Act::bare(&client.who, "POST /v1/event-endpoint/rotate-secret")
        }
        "callbacks", Some("DELETE /v1/event-endpoint"), "removed" => |stage| {
            let client = stage.house.merchant(&stage.house.company(false).await, "A").await;
            let set = Some(json!({"url": stage.receiver.uri()}));
            let _ = stage.house.call(&client.who, "PUT /v1/event-endpoint", set).await.expect(201);
            Act::bare(&client.who, "DELETE /v1/event-endpoint")
        }
    }
}
