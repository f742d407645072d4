//! Redeeming vouchers, and guessing codes.

use serde_json::{Value, json};
use tandem_tests::handlers::{Answer, House, Merchant, Pair};

async fn redeem(house: &House, who: &Merchant, customer: &str, code: &str) -> Answer {
    let body = json!({"customerId": customer, "voucherCode": code});
    house
        .call(
            &who.who,
            "POST /v1/subscriptions/useCrossClientVoucher",
            Some(body),
        )
        .await
}

pub(crate) async fn sold(house: &House) -> (Pair, String, Value) {
    let pair = house.pair(Some("http://127.0.0.1:9/")).await;
    let order = house.purchase(&pair, "k1").await.expect(201);
    let listed = house
        .call(&pair.source.who, "GET /v1/callbacks", None)
        .await
        .expect(200);
    let id = listed["items"][0]["id"].as_str().expect("an id");
    let callback = house
        .call(&pair.source.who, &format!("GET /v1/callbacks/{id}"), None)
        .await
        .expect(200);
    (
        pair,
        callback["body"]["data"]["voucherCode"]
            .as_str()
            .expect("a code")
            .to_owned(),
        order,
    )
}

const UNKNOWN: &str = "00000-00000-00000-00000";

#[tokio::test]
async fn unknown_foreign_and_void_codes_answer_and_cost_the_same() {
    let house = House::new().await;
    let (pair, code, order) = sold(&house).await;
    let (own, foreign) = (
        house.customer(&pair.source, "own@example.com").await,
        house.customer(&pair.target, "x@example.com").await,
    );
    let mut answers = Vec::new();
    let mut calls = Vec::new();
    for (who, customer, code) in [
        (&pair.source, &own, UNKNOWN),
        (&pair.target, &foreign, code.as_str()),
    ] {
        house.table.reset_calls();
        answers.push(redeem(&house, who, customer, code).await);
        calls.push(house.table.calls());
    }
    let refund = format!("/v1/orders/{}/refund", order["id"].as_str().expect("an id"));
    let _ = house
        .post(&pair.target.who, &refund, "r1", json!({}))
        .await
        .expect(200);
    house.table.reset_calls();
    answers.push(redeem(&house, &pair.source, &own, &code).await);
    calls.push(house.table.calls());
    for (answer, calls) in answers.iter().zip(&calls) {
        assert_eq!((answer.status, &answer.text), (404, &answers[0].text));
        assert_eq!(calls, &["BatchGetItem", "TransactWriteItems"]);
    }
}

#[tokio::test]
async fn after_ten_wrong_codes_in_a_minute_each_code_must_wait() {
    let house = House::new().await;
    let (pair, code, _) = sold(&house).await;
    let customer = house.customer(&pair.source, "own@example.com").await;
    for _ in 0..10 {
        assert_eq!(
            redeem(&house, &pair.source, &customer, UNKNOWN)
                .await
                .problem(404),
            "voucher_not_found"
        );
        house.advance(1);
    }
    let refused = redeem(&house, &pair.source, &customer, &code).await;
    assert_eq!(refused.retry_after.as_deref(), Some("50"));
    assert_eq!(refused.problem(429), "too_many_guesses");
    let another = house.customer(&pair.target, "y@example.com").await;
    assert_eq!(
        redeem(&house, &pair.target, &another, UNKNOWN).await.status,
        404,
        "another client does not wait"
    );
    house.advance(50);
    assert_eq!(
        redeem(&house, &pair.source, &customer, &code)
            .await
            .expect(200)["status"],
        "active"
    );
}
