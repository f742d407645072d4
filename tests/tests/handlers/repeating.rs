//! `Idempotency-Key`: a repeated request has its effect once and gets the stored answer.

use reqwest::Method;
use serde_json::{Value, json};
use tandem_testing::Fault;
use tandem_tests::{Answer, Api, InProcess, id};

use crate::redeeming::{UNUSED_URL, sold};

#[tokio::test]
async fn a_repeated_purchase_gets_the_stored_answer_without_a_write() {
    let stage = InProcess::start().await;
    let checkout = stage
        .setup()
        .pair_within_one_company()
        .await
        .checkout()
        .await;
    let first = checkout.purchase("k1").await;
    assert!(!first.is_repeated());
    let rows = stage.table.dump();
    stage.table.reset_calls();
    let again = checkout.purchase("k1").await;
    assert!(again.is_repeated());
    assert_eq!(stage.table.calls(), ["BatchGetItem"]);
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    assert_eq!(stage.table.dump(), rows);
}

#[tokio::test]
async fn member_order_does_not_matter_for_a_repeat_but_values_do() {
    let stage = InProcess::start().await;
    let checkout = stage
        .setup()
        .pair_within_one_company()
        .await
        .checkout()
        .await;
    let _ = checkout.purchase("k1").await.created();
    let (api, path) = (&checkout.seller.api, checkout.purchase_path());
    let customer = id(&checkout.customer);
    let turned = format!(r#"{{ "paymentMethod": "PAYPAL", "customerId": "{customer}" }}"#);
    let call = api.call(Method::POST, &path).idempotency_key("k1");
    let again = call.body("application/json", turned).send().await;
    assert!(again.is_repeated(), "{again}");
    let other = json!({"customerId": customer, "paymentMethod": "TWINT"});
    let refused = api.post_with_key(&path, "k1", other).await;
    let _ = refused.problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn null_repeats_an_absent_member_unless_it_clears() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let api = &pair.target.api;
    let draft = |more: Value| {
        let mut body = json!({"email": "ida@customers.example", "language": "de"});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        body
    };
    let path = "/v1/customers";
    let phone = draft(json!({"phone": null, "address": null}));
    let first = api.post_with_key(path, "k1", phone).await;
    let again = api.post_with_key(path, "k1", draft(json!({}))).await;
    assert!(!first.is_repeated() && again.is_repeated(), "{again}");
    let path = format!("/v1/customers/{}", id(&first.created()));
    let edit = async |key: &str, body: Value| {
        let call = api.call(Method::PATCH, &path).idempotency_key(key);
        call.json(&body).send().await
    };
    let _ = edit("k1", json!({"firstName": "Ida", "email": null}))
        .await
        .ok();
    let again = edit("k1", json!({"firstName": "Ida"})).await;
    assert!(again.is_repeated(), "null is no e-mail address: {again}");
    let _ = edit("k2", json!({"phone": null})).await.ok();
    let refused = edit("k2", json!({})).await;
    let _ = refused.problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_key_belongs_to_one_client_and_one_route() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let (source, target) = (&pair.source.api, &pair.target.api);
    let order = pair.checkout().await.purchase("k1").await.created();
    let refund = format!("/v1/orders/{}/refund", id(&order));
    let refunded = target.post_with_key(&refund, "k1", json!({})).await;
    assert!(!refunded.is_repeated());
    let _ = refunded.ok();
    let offer =
        json!({"name": "Buch", "type": "single", "price": {"amount": 1, "currency": "EUR"}});
    let first = target
        .post_with_key("/v1/offers", "k1", offer.clone())
        .await;
    let others = source.post_with_key("/v1/offers", "k1", offer).await;
    assert_ne!(first.created()["id"], others.created()["id"]);
}

#[tokio::test]
async fn a_key_expires_after_72_hours_even_if_its_row_remains() {
    let stage = InProcess::start().await;
    let checkout = stage
        .setup()
        .pair_within_one_company()
        .await
        .checkout()
        .await;
    let first = checkout.purchase("k1").await.created();
    stage.advance(72 * 3_600);
    assert!(checkout.purchase("k1").await.is_repeated());
    stage.advance(2 * 3_600);
    let second = checkout.purchase("k1").await;
    assert!(!second.is_repeated());
    assert_ne!(second.created()["id"], first["id"]);
}

#[tokio::test]
async fn natural_keys_prevent_repeats_after_the_key_expired() {
    let stage = InProcess::start().await;
    let (pair, sale, code) = sold(&stage).await;
    let customer = pair.source.customer().await;
    let redeem = json!({"voucherCode": code, "customerId": id(&customer)});
    let refund = format!("/v1/orders/{}/refund", sale.order_id());
    let invite = json!({"targetClientId": pair.target.id, "offersAccess": true, "callback": {"url": UNUSED_URL}});
    let (source, target) = (&pair.source.api, &pair.target.api);
    let calls = [
        (
            source,
            "/v1/subscriptions/useCrossClientVoucher",
            redeem,
            (200, 200),
        ),
        (target, refund.as_str(), json!({}), (200, 409)),
        (source, "/v1/connections", invite, (409, 409)),
    ];
    for (api, path, body, (first, later)) in calls {
        let answer = api.post_with_key(path, "k2", body.clone()).await;
        let _ = answer.expect(first);
        stage.advance(74 * 3_600);
        let before = rows_but_keys(&stage);
        let again = api.post_with_key(path, "k2", body).await;
        assert!(!again.is_repeated(), "{again}");
        let _ = again.expect(later);
        assert_eq!(rows_but_keys(&stage), before, "{path}");
    }
}

/// All rows except idempotency records and API keys, which note the day of their use.
fn rows_but_keys(stage: &InProcess) -> Vec<Value> {
    let mut rows = stage.table.dump();
    rows.retain(|row| row["sk"] != "idempotency" && row["sk"] != "key");
    rows
}

#[tokio::test]
async fn a_secret_shown_once_is_repeatable_by_key_and_stored_sealed() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let api = &pair.source.api;
    let path = format!(
        "/v1/connections/{}/callback/rotate-secret",
        pair.connection_id
    );
    let first = api.post_with_key(&path, "k1", json!({})).await.ok();
    let again = api.post_with_key(&path, "k1", json!({})).await;
    assert!(again.is_repeated());
    assert_eq!(again.body["secret"], first["secret"]);
    let rows = Value::from(stage.table.dump()).to_string();
    assert!(!rows.contains(first["secret"].as_str().expect("a secret")));
}

#[tokio::test]
async fn purchases_refunds_and_charge_backs_need_a_key() {
    let stage = InProcess::start().await;
    let checkout = stage
        .setup()
        .pair_within_one_company()
        .await
        .checkout()
        .await;
    let order = checkout.purchase("k1").await.created();
    let subscription = order["positions"][1]["subscriptionId"]
        .as_str()
        .expect("an id");
    let order = id(&order);
    let targets = [
        (
            format!("/v1/subscriptions/{subscription}/payments/1/reverse"),
            json!({"kind": "refund"}),
        ),
        (checkout.purchase_path(), checkout.purchase_body()),
        (format!("/v1/orders/{order}/refund"), json!({})),
        (format!("/v1/orders/{order}/charge-back"), json!({})),
    ];
    for (path, body) in targets {
        let call = || checkout.seller.api.call(Method::POST, &path).json(&body);
        let refused = call().without_idempotency_key().send().await;
        let _ = refused.problem(400, "idempotency_key_required");
        let refused = call().idempotency_key(&"k".repeat(256)).send().await;
        let _ = refused.problem(400, "idempotency_key_invalid");
    }
}

/// Pauses a call before one of its table requests while its repeat with the same key completes; returns both answers.
async fn overtaken(
    stage: &InProcess,
    api: &Api,
    path: &str,
    body: Option<&Value>,
    at: usize,
) -> (Answer, Answer) {
    let faults = &stage.table.faults;
    let send = || {
        let call = api.call(Method::POST, path).idempotency_key("overtaken");
        match body {
            Some(body) => call.json(body).send(),
            None => call.send(),
        }
    };
    faults.plan(at, Fault::HeldUp);
    let mut paused = Box::pin(send());
    tokio::select! {
        biased;
        () = faults.died() => {}
        answer = &mut paused => panic!("the call is not paused: {answer:?}"),
    }
    let repeat = send().await;
    faults.resume();
    (paused.await, repeat)
}

#[tokio::test]
async fn a_call_overtaken_by_its_own_repeat_gets_the_same_answer() {
    for at in 0..3 {
        let stage = InProcess::start().await;
        let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
        let sale = pair.sell().await;
        let subscription = format!("/v1/subscriptions/{}", sale.shared_subscription_id());
        let invitation = json!({"targetClientId": pair.source.id, "offersAccess": true, "callback": {"url": UNUSED_URL}});
        // Each of these routes refuses a second identical change.
        for (path, body) in [
            (
                format!("{subscription}/payments"),
                Some(json!({"periodNumber": 2})),
            ),
            (format!("{subscription}/cancel"), Some(json!({}))),
            (
                format!("/v1/orders/{}/refund", sale.order_id()),
                Some(json!({})),
            ),
            ("/v1/connections".to_owned(), Some(invitation)),
            (
                format!("/v1/connections/{}/block", pair.connection_id),
                None,
            ),
        ] {
            let api = &pair.target.api;
            let (answer, repeat) = overtaken(&stage, api, &path, body.as_ref(), at).await;
            assert!(repeat.status < 300, "{repeat}");
            assert_eq!(
                (answer.status, &answer.text),
                (repeat.status, &repeat.text),
                "{path}, held up before request {at}"
            );
        }
    }
}
