//! Sales and later events: purchase, refund, charge-back, payment, cancellation, voucher, payout, replay, event endpoint.

use serde_json::json;
use tandem_queue::Kind;
use tandem_tests::{Checkout, Client, id};

use crate::environment::{Environment, Sold};
use crate::scenario::{Act, Scenario, scenarios};

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

/// A sale with its callback delivered.
async fn delivered(env: &Environment) -> Sold {
    let sold = env.sold().await;
    env.work_off().await;
    sold
}

/// The path of the newest entry of a list.
async fn newest(client: &Client, list: &str) -> String {
    let listed = client.api.get(list).await.ok();
    format!("{list}/{}", id(&listed["items"][0]))
}

/// The path of the sold shared subscription.
fn shared_subscription(sold: &Sold) -> String {
    let subscription = sold.order["positions"][1]["subscriptionId"].as_str();
    format!("/v1/subscriptions/{}", subscription.expect("an id"))
}

/// Sets the event endpoint of a new client.
async fn with_event_endpoint(env: &Environment) -> Client {
    let client = env.client().await;
    let endpoint = json!({"url": env.receiver.url()});
    let set = client.api.put("/v1/event-endpoint", endpoint).await;
    let _ = set.expect(201);
    client
}

/// The purchase of a checkout's cart.
fn purchase(checkout: &Checkout) -> Act {
    let route = format!("POST {}", checkout.purchase_path());
    Act::call(&checkout.seller.api, route, checkout.purchase_body())
}

fn purchases() -> Vec<Scenario> {
    scenarios! {
        "purchase-cart", Some("POST /v1/carts/{cartId}/purchase"), "between two companies" => |env| {
            let (_, checkout) = env.pair().await;
            purchase(&checkout)
        }
        "purchase-cart", Some("POST /v1/carts/{cartId}/purchase"), "with an id of the seller" => |env| {
            let (_, checkout) = env.pair().await;
            let route = format!("POST {}", checkout.purchase_path());
            let mut body = checkout.purchase_body();
            body["externalSystemId"] = json!("shop-1");
            Act::call(&checkout.seller.api, route, body)
        }
        "purchase-cart", Some("POST /v1/carts/{cartId}/purchase"), "of an offer that is sold once, again" => |env| {
            let (pair, checkout) = env.pair().await;
            let offer = format!("/v1/offers/{}", id(&checkout.own_offer));
            let _ = pair.target.api.patch(&offer, json!({"oncePerCustomer": true})).await.ok();
            let first = pair.target.sell(&checkout.cart, &checkout.customer).await.created();
            let refund = format!("/v1/orders/{}/refund", id(&first));
            let _ = pair.target.api.post(&refund, json!({})).await.ok();
            env.work_off().await;
            purchase(&checkout)
        }
        "purchase-cart", Some("POST /v1/carts/{cartId}/purchase"), "within one company" => |env| {
            let pair = env.setup().pair_within_one_company().await;
            let checkout = pair.checkout().await;
            env.work_off().await;
            purchase(&checkout)
        }
    }
}

fn after_sales() -> Vec<Scenario> {
    scenarios! {
        "orders", Some("POST /v1/orders/{orderId}/refund"), "a voucher not redeemed" => |env| {
            let sold = delivered(env).await;
            let route = format!("POST /v1/orders/{}/refund", id(&sold.order));
            Act::call(&sold.pair.target.api, route, json!({}))
        }
        "orders", Some("POST /v1/orders/{orderId}/charge-back"), "of the shared position" => |env| {
            let sold = delivered(env).await;
            let route = format!("POST /v1/orders/{}/charge-back", id(&sold.order));
            Act::call(&sold.pair.target.api, route, json!({"positions": [2]}))
        }
        "subscriptions", Some("POST /v1/subscriptions/{subscriptionId}/payments"), "of a shared subscription" => |env| {
            let sold = delivered(env).await;
            let route = format!("POST {}/payments", shared_subscription(&sold));
            Act::call(&sold.pair.target.api, route, json!({}))
        }
        "subscriptions", Some("POST /v1/subscriptions/{subscriptionId}/payments"), "of another amount" => |env| {
            let sold = delivered(env).await;
            let route = format!("POST {}/payments", shared_subscription(&sold));
            Act::call(&sold.pair.target.api, route, json!({"amount": {"amount": 901, "currency": "EUR"}}))
        }
        "subscriptions", Some("POST /v1/subscriptions/{subscriptionId}/payments/{periodNumber}/reverse"), "a part" => |env| {
            let sold = delivered(env).await;
            let route = format!("POST {}/payments/1/reverse", shared_subscription(&sold));
            let part = json!({"kind": "refund", "amount": {"amount": 333, "currency": "EUR"}});
            Act::call(&sold.pair.target.api, route, part)
        }
        "subscriptions", Some("POST /v1/subscriptions/{subscriptionId}/payments"), "of a returned debit, again" => |env| {
            let sold = delivered(env).await;
            let path = shared_subscription(&sold);
            let charge_back = json!({"kind": "chargeBack"});
            let _ = sold.pair.target.api.post(&format!("{path}/payments/1/reverse"), charge_back).await.ok();
            env.work_off().await;
            Act::call(&sold.pair.target.api, format!("POST {path}/payments"), json!({"periodNumber": 1}))
        }
        "orders", Some("POST /v1/orders/{orderId}/charge-back"), "of a part, without an end" => |env| {
            let sold = delivered(env).await;
            let route = format!("POST /v1/orders/{}/charge-back", id(&sold.order));
            let part = json!({"positions": [2], "amount": {"amount": 333, "currency": "EUR"}, "endSubscription": false});
            Act::call(&sold.pair.target.api, route, part)
        }
        "subscriptions", Some("POST /v1/subscriptions/{subscriptionId}/cancel"), "of a shared subscription" => |env| {
            let sold = delivered(env).await;
            let route = format!("POST {}/cancel", shared_subscription(&sold));
            Act::call(&sold.pair.target.api, route, json!({}))
        }
        "subscriptions", Some("POST /v1/subscriptions/{subscriptionId}/undo-cancellation"), "before its date" => |env| {
            let sold = delivered(env).await;
            let path = shared_subscription(&sold);
            let _ = sold.pair.target.api.post(&format!("{path}/cancel"), json!({})).await.ok();
            env.work_off().await;
            Act::bare(&sold.pair.target.api, format!("POST {path}/undo-cancellation"))
        }
        "payouts", Some("POST /v1/payouts/{payoutId}/mark-paid"), "by the source" => |env| {
            let source = delivered(env).await.pair.source;
            let payout = newest(&source, "/v1/payouts").await;
            Act::bare(&source.api, format!("POST {payout}/mark-paid"))
        }
    }
}

fn claims() -> Vec<Scenario> {
    scenarios! {
        "redeem-voucher", Some("POST /v1/subscriptions/useCrossClientVoucher"), "the right code" => |env| {
            let source = delivered(env).await.pair.source;
            let callback = newest(&source, "/v1/callbacks").await;
            let callback = source.api.get(&callback).await.ok();
            let customer = source.customer().await;
            let body = json!({"customerId": id(&customer), "voucherCode": callback["body"]["data"]["voucherCode"]});
            Act::call(&source.api, "POST /v1/subscriptions/useCrossClientVoucher", body)
        }
    }
}

fn replays() -> Vec<Scenario> {
    scenarios! {
        "callbacks", Some("POST /v1/callbacks/{callbackId}/replay"), "to a disabled endpoint" => |env| {
            let source = env.sold().await.pair.source;
            env.receiver_answers(410);
            env.work_off().await;
            env.receiver_answers(200);
            let callback = newest(&source, "/v1/callbacks").await;
            Act::bare(&source.api, format!("POST {callback}/replay"))
        }
        "callbacks", Some("POST /v1/callbacks/{callbackId}/replay"), "to a paused endpoint" => |env| {
            let source = env.sold().await.pair.source;
            env.receiver_answers(503);
            assert!(!env.hand_over(&env.message(Kind::Callback), 1).await);
            env.receiver_answers(200);
            let callback = newest(&source, "/v1/callbacks").await;
            Act::bare(&source.api, format!("POST {callback}/replay"))
        }
        "callbacks", Some("POST /v1/callbacks/replays"), "of all held callbacks" => |env| {
            let pair = env.held(2).await;
            Act::call(&pair.source.api, "POST /v1/callbacks/replays", json!({}))
        }
        "callbacks", Some("POST /v1/callbacks/replay"), "two at once" => |env| {
            let sold = delivered(env).await;
            let _ = sold.checkout.purchase("another").await.created();
            env.work_off().await;
            let source = sold.pair.source;
            let callbacks = source.callbacks().await;
            let ids: Vec<_> = callbacks.iter().map(id).collect();
            Act::call(&source.api, "POST /v1/callbacks/replay", json!({"callbackIds": ids}))
        }
    }
}

fn event_endpoints() -> Vec<Scenario> {
    scenarios! {
        "callbacks", Some("PUT /v1/event-endpoint"), "set, with its secret" => |env| {
            let client = env.client().await;
            Act::call(&client.api, "PUT /v1/event-endpoint", json!({"url": env.receiver.url()}))
        }
        "callbacks", Some("POST /v1/event-endpoint/rotate-secret"), "a secret, shown once" => |env| {
            let client = with_event_endpoint(env).await;
            Act::bare(&client.api, "POST /v1/event-endpoint/rotate-secret")
        }
        "callbacks", Some("DELETE /v1/event-endpoint"), "removed" => |env| {
            let client = with_event_endpoint(env).await;
            Act::bare(&client.api, "DELETE /v1/event-endpoint")
        }
    }
}
