//! `Idempotency-Key`: a repeated request has its effect once and gets the stored answer.

use serde_json::{Value, json};
use tandem_testing::Fault;
use tandem_tests::handlers::{Answer, House, Who};

use crate::redeeming::sold;

#[tokio::test]
async fn a_repeated_purchase_gets_the_stored_answer_without_a_write() {
    let house = House::new().await;
    let pair = house.pair(None).await;
    let first = house.purchase(&pair, "k1").await;
    assert!(!first.replayed);
    let rows = house.table.dump();
    house.table.reset_calls();
    let again = house.purchase(&pair, "k1").await;
    assert!(again.replayed);
    assert_eq!(house.table.calls(), ["BatchGetItem"]);
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    assert_eq!(house.table.dump(), rows);
}

#[tokio::test]
async fn member_order_does_not_matter_for_a_repeat_but_values_do() {
    let house = House::new().await;
    let pair = house.pair(None).await;
    let _ = house.purchase(&pair, "k1").await.expect(201);
    let target = format!("POST /v1/carts/{}/purchase", pair.cart);
    let turned = format!(
        r#"{{ "paymentMethod": "PAYPAL", "customerId": "{}" }}"#,
        pair.customer
    );
    let again = house
        .send(
            &pair.target.who,
            &target,
            Some(turned),
            &[("idempotency-key", "k1")],
        )
        .await;
    assert!(again.replayed, "{}", again.text);
    let other = json!({"customerId": pair.customer, "paymentMethod": "TWINT"});
    let refused = house
        .call_with(
            &pair.target.who,
            &target,
            Some(other),
            &[("idempotency-key", "k1")],
        )
        .await;
    assert_eq!(refused.problem(422), "idempotency_key_reused");
}

#[tokio::test]
async fn a_key_belongs_to_one_client_and_one_route() {
    let house = House::new().await;
    let pair = house.pair(None).await;
    let order = house.purchase(&pair, "k1").await.expect(201);
    let refund = format!("/v1/orders/{}/refund", order["id"].as_str().expect("an id"));
    let refunded = house.post(&pair.target.who, &refund, "k1", json!({})).await;
    assert!(!refunded.replayed);
    assert_eq!(refunded.status, 200);
    let offer =
        json!({"name": "Buch", "type": "single", "price": {"amount": 1, "currency": "EUR"}});
    let first = house
        .post(&pair.target.who, "/v1/offers", "k1", offer.clone())
        .await
        .expect(201);
    let others = house
        .post(&pair.source.who, "/v1/offers", "k1", offer)
        .await
        .expect(201);
    assert_ne!(first["id"], others["id"]);
}

#[tokio::test]
async fn a_key_expires_after_72_hours_even_if_its_row_remains() {
    let house = House::new().await;
    let pair = house.pair(None).await;
    let first = house.purchase(&pair, "k1").await.expect(201);
    house.advance(72 * 3_600);
    assert!(house.purchase(&pair, "k1").await.replayed);
    house.advance(2 * 3_600);
    let second = house.purchase(&pair, "k1").await;
    assert!(!second.replayed);
    assert_ne!(second.expect(201)["id"], first["id"]);
}

#[tokio::test]
async fn natural_keys_prevent_repeats_after_the_key_expired() {
    let house = House::new().await;
    let (pair, code, order) = sold(&house).await;
    let customer = house.customer(&pair.source, "leserin@example.com").await;
    let redeem = json!({"voucherCode": code, "customerId": customer});
    let refund = format!("/v1/orders/{}/refund", order["id"].as_str().expect("an id"));
    let invite = json!({"targetClientId": pair.target.id, "offersAccess": true, "callback": {"url": "http://127.0.0.1:9/"}});
    let (source, target) = (&pair.source.who, &pair.target.who);
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
    for (who, path, body, (first, later)) in calls {
        assert_eq!(
            house.post(who, path, "k2", body.clone()).await.status,
            first,
            "{path}"
        );
        house.advance(74 * 3_600);
        let before = rows_but_keys(&house);
        let again = house.post(who, path, "k2", body).await;
        assert_eq!(
            (again.status, again.replayed),
            (later, false),
            "{path}: {}",
            again.text
        );
        assert_eq!(rows_but_keys(&house), before, "{path}");
    }
}

/// All rows except idempotency records.
fn rows_but_keys(house: &House) -> Vec<Value> {
    house
        .table
        .dump()
        .into_iter()
        .filter(|row| row["sk"] != "idempotency")
        .collect()
}

#[tokio::test]
async fn a_secret_shown_once_is_repeatable_by_key_and_stored_sealed() {
    let house = House::new().await;
    let pair = house.pair(Some("http://127.0.0.1:9/")).await;
    let path = format!("/v1/connections/{}/callback/rotate-secret", pair.connection);
    let first = house
        .post(&pair.source.who, &path, "k1", json!({}))
        .await
        .expect(200);
    let again = house.post(&pair.source.who, &path, "k1", json!({})).await;
    assert!(again.replayed);
    assert_eq!(again.body["secret"], first["secret"]);
    let rows = serde_json::Value::from(house.table.dump()).to_string();
    assert!(!rows.contains(first["secret"].as_str().expect("a secret")));
}

#[tokio::test]
async fn purchases_refunds_and_charge_backs_need_a_key() {
    let house = House::new().await;
    let pair = house.pair(None).await;
    let order = house.purchase(&pair, "k1").await.expect(201);
    let id = order["id"].as_str().expect("an id");
    let body = json!({"customerId": pair.customer, "paymentMethod": "PAYPAL"});
    let targets = [
        (format!("POST /v1/carts/{}/purchase", pair.cart), body),
        (format!("POST /v1/orders/{id}/refund"), json!({})),
        (format!("POST /v1/orders/{id}/charge-back"), json!({})),
    ];
    for (target, body) in targets {
        let refused = house
            .call(&pair.target.who, &target, Some(body.clone()))
            .await;
        assert_eq!(refused.problem(400), "idempotency_key_required", "{target}");
        let long = "k".repeat(256);
        let refused = house
            .call_with(
                &pair.target.who,
                &target,
                Some(body),
                &[("idempotency-key", &long)],
            )
            .await;
        assert_eq!(refused.problem(400), "idempotency_key_invalid", "{target}");
    }
}

/// Pauses a call before one of its table requests while its repeat with the same key completes; returns both answers.
async fn overtaken(
    house: &House,
    who: &Who,
    target: &str,
    body: Option<Value>,
    at: usize,
) -> (Answer, Answer) {
    let (faults, key) = (&house.table.faults, [("idempotency-key", "overtaken")]);
    faults.plan(at, Fault::HeldUp);
    let mut paused = Box::pin(house.call_with(who, target, body.clone(), &key));
    tokio::select! {
        biased;
        () = faults.died() => {}
        answer = &mut paused => panic!("the call is not paused: {answer:?}"),
    }
    let repeat = house.call_with(who, target, body, &key).await;
    faults.resume();
    (paused.await, repeat)
}

#[tokio::test]
async fn a_call_overtaken_by_its_own_repeat_gets_the_same_answer() {
    for at in 0..3 {
        let house = House::new().await;
        let pair = house.pair(Some("http://127.0.0.1:9/")).await;
        let order = house.purchase(&pair, "k1").await.expect(201);
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        let (order, sold) = (
            text(&order["id"]),
            text(&order["positions"][1]["subscriptionId"]),
        );
        let callback = json!({"url": "http://127.0.0.1:9/"});
        let invitation =
            json!({"targetClientId": pair.source.id, "offersAccess": true, "callback": callback});
        // Each of these routes refuses a second identical change.
        for (target, body) in [
            (
                format!("POST /v1/subscriptions/{sold}/payments"),
                Some(json!({"periodNumber": 2})),
            ),
            (
                format!("POST /v1/subscriptions/{sold}/cancel"),
                Some(json!({})),
            ),
            (format!("POST /v1/orders/{order}/refund"), Some(json!({}))),
            ("POST /v1/connections".to_owned(), Some(invitation)),
            (
                format!("POST /v1/connections/{}/block", pair.connection),
                None,
            ),
        ] {
            let (answer, repeat) = overtaken(&house, &pair.target.who, &target, body, at).await;
            assert!(repeat.status < 300, "{target}: {}", repeat.text);
            assert_eq!(
                (answer.status, &answer.text),
                (repeat.status, &repeat.text),
                "{target}, held up before request {at}"
            );
        }
    }
}
