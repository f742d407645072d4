//! Offers that are sold once to a customer.

use futures::future::join_all;
use serde_json::{Value, json};
use tandem_tests::{Answer, InProcess, Pair, id, mandatory};

const UNUSED_URL: &str = "http://127.0.0.1:9/";

/// A cart of an own offer and of a shared offer that is sold once, and a customer.
struct Scene {
    pair: Pair,
    cart: Value,
    customer: Value,
}

impl Scene {
    async fn of(pair: Pair) -> Self {
        let shared = json!({"targetClientIds": [pair.target.id], "sellerShareBasisPoints": 2_000});
        let once = json!({"crossClient": shared, "oncePerCustomer": true});
        let shared = pair.source.offer("Garden Weekly", 999, once).await;
        let own = pair.target.subscription_offer("Morgenblatt", 1_990).await;
        Self {
            cart: pair
                .target
                .cart(&[mandatory(&own), mandatory(&shared)])
                .await,
            customer: pair.target.customer().await,
            pair,
        }
    }

    async fn buy(&self) -> Answer {
        self.pair.target.sell(&self.cart, &self.customer).await
    }

    /// The purchase is refused, and names this subscription.
    async fn is_refused(&self, order: &Value) {
        let refused = self.buy().await;
        let error = refused.body["errors"][0].clone();
        assert_eq!(error["field"], order["positions"][1]["subscriptionId"]);
        let detail = error["detail"].as_str().expect("a detail");
        assert!(detail.starts_with("position 2:"), "{detail}");
        let _ = refused.problem(409, "already_subscribed");
    }

    /// Changes the shared subscription of an order.
    async fn act(&self, order: &Value, verb: &str, body: Value) {
        let id = order["positions"][1]["subscriptionId"]
            .as_str()
            .expect("an id");
        let path = format!("/v1/subscriptions/{id}/{verb}");
        let _ = self.pair.target.api.post(&path, body).await.ok();
    }
}

#[tokio::test]
async fn a_customer_buys_again_when_the_subscription_has_ended() {
    let stage = InProcess::start().await;
    let scene = Scene::of(stage.setup().pair_within_one_company().await).await;
    let api = &scene.pair.target.api;
    // Until a refund,
    let first = scene.buy().await.created();
    scene.is_refused(&first).await;
    let refund = format!("/v1/orders/{}/refund", id(&first));
    let _ = api.post(&refund, json!({"positions": [2]})).await.ok();
    // a charge-back,
    let second = scene.buy().await.created();
    scene.is_refused(&second).await;
    let charge_back = format!("/v1/orders/{}/charge-back", id(&second));
    let _ = api.post(&charge_back, json!({})).await.ok();
    // and a cancellation that has taken effect; a renewal or a later end does not count.
    let third = scene.buy().await.created();
    scene
        .act(&third, "payments", json!({"periodNumber": 2}))
        .await;
    scene.is_refused(&third).await;
    scene.act(&third, "cancel", json!({})).await;
    scene.is_refused(&third).await;
    stage.advance(100 * 86_400);
    let fourth = scene.buy().await.created();
    scene.is_refused(&fourth).await;
    assert_eq!(stage.rows_of("once").len(), 1);
    // Another customer, and an offer that is no longer sold once.
    let other = scene.pair.target.customer().await;
    let _ = scene.pair.target.sell(&scene.cart, &other).await.created();
    let offers = scene.pair.source.api.all("/v1/offers").await;
    assert_eq!(offers[0]["oncePerCustomer"], true);
    let shared = scene.pair.target.offers_shared_with_it().await;
    assert_eq!(shared[0]["oncePerCustomer"], true);
    let offer = format!("/v1/offers/{}", id(&offers[0]));
    let _ = scene
        .pair
        .source
        .api
        .patch(&offer, json!({"oncePerCustomer": false}))
        .await
        .ok();
    let _ = scene.buy().await.created();
}

#[tokio::test]
async fn the_end_of_a_period_that_does_not_renew_is_an_end() {
    let stage = InProcess::start().await;
    let client = stage.setup().pair_within_one_company().await.target;
    let once = json!({"oncePerCustomer": true, "renews": false});
    let offer = client.offer("Morgenblatt", 1_990, once).await;
    let (cart, customer) = (
        client.cart(&[mandatory(&offer)]).await,
        client.customer().await,
    );
    let _ = client.sell(&cart, &customer).await.created();
    let _ = client
        .sell(&cart, &customer)
        .await
        .problem(409, "already_subscribed");
    stage.advance(32 * 86_400);
    let _ = client.sell(&cart, &customer).await.created();
    let _ = client
        .sell(&cart, &customer)
        .await
        .problem(409, "already_subscribed");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_purchases_of_one_customer_one_gets_the_offer() {
    let stage = InProcess::start().await;
    let scene = Scene::of(stage.setup().pair_between_two_companies(UNUSED_URL).await).await;
    // At first, and when an earlier subscription has ended.
    for round in 1..=2 {
        let answers = join_all((0..50).map(|_| scene.buy())).await;
        let sold: Vec<_> = answers
            .iter()
            .filter(|answer| answer.status == 201)
            .collect();
        assert_eq!((sold.len(), stage.rows_of("order").len()), (1, round));
        let is_refused =
            |answer: &Answer| answer.status == 201 || answer.code() == "already_subscribed";
        assert!(answers.iter().all(is_refused), "{answers:?}");
        let refund = format!("/v1/orders/{}/refund", id(&sold[0].body));
        let _ = scene.pair.target.api.post(&refund, json!({})).await.ok();
    }
}

#[tokio::test]
async fn the_first_purchase_of_a_customer_costs_two_units_more() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let plain = pair.checkout().await;
    let scene = Scene::of(pair).await;
    stage.table.reset_calls();
    let _ = plain.purchase("k1").await.created();
    let (units, calls) = (stage.table.capacity(), stage.table.calls());
    stage.table.reset_calls();
    let _ = scene.buy().await.created();
    assert_eq!(stage.table.calls(), calls, "no more round trips");
    let once = stage.table.capacity();
    assert!(
        (once.write - units.write - 2.0).abs() < 0.01,
        "{} {}",
        once.write,
        units.write
    );
    assert!((once.read - units.read).abs() < 0.01);
    stage.table.reset_calls();
    let _ = scene.buy().await.problem(409, "already_subscribed");
    let reads = ["BatchGetItem"; 2];
    let refused = [
        &reads[..],
        &["TransactWriteItems"],
        &reads,
        &reads,
        &["GetItem"],
    ]
    .concat();
    assert_eq!(stage.table.calls(), refused);
}
