//! Redeeming vouchers, and guessing codes.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::{Answer, Client, InProcess, Pair, Sale, id};

pub(crate) const UNUSED_URL: &str = "http://127.0.0.1:9/";
pub(crate) const UNKNOWN: &str = "00000-00000-00000-00000";

/// A sale between two contracting companies, with its voucher code.
pub(crate) async fn sold(stage: &Arc<InProcess>) -> (Pair, Sale, String) {
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let sale = pair.sell().await;
    let code = pair.source.newest_voucher_code().await;
    (pair, sale, code)
}

/// Redeems without an idempotency key, which would add reads.
async fn redeem_without_key(client: &Client, code: &str, customer: &Value) -> Answer {
    let path = "/v1/subscriptions/useCrossClientVoucher";
    let body = json!({"customerId": id(customer), "voucherCode": code});
    let call = client.api.call(Method::POST, path).json(&body);
    call.without_idempotency_key().send().await
}

#[tokio::test]
async fn unknown_foreign_and_void_codes_answer_and_cost_the_same() {
    let stage = InProcess::start().await;
    let (pair, sale, code) = sold(&stage).await;
    let (own, foreign) = (pair.source.customer().await, pair.target.customer().await);
    let mut answers = Vec::new();
    let mut calls = Vec::new();
    for (client, customer, code) in [
        (&pair.source, &own, UNKNOWN),
        (&pair.target, &foreign, code.as_str()),
    ] {
        stage.table.reset_calls();
        answers.push(redeem_without_key(client, code, customer).await);
        calls.push(stage.table.calls());
    }
    let _ = pair.target.refund(&sale.order).await.ok();
    stage.table.reset_calls();
    answers.push(redeem_without_key(&pair.source, &code, &own).await);
    calls.push(stage.table.calls());
    for (answer, calls) in answers.iter().zip(&calls) {
        assert_eq!((answer.status, &answer.text), (404, &answers[0].text));
        let mut calls = calls.clone();
        calls.sort_unstable();
        assert_eq!(calls, ["BatchGetItem", "PutItem", "Query"]);
    }
}

#[tokio::test]
async fn after_ten_wrong_codes_in_a_minute_each_code_must_wait() {
    let stage = InProcess::start().await;
    let (pair, _, code) = sold(&stage).await;
    let customer = pair.source.customer().await;
    for _ in 0..10 {
        let unknown = pair.source.redeem(UNKNOWN, &customer).await;
        let _ = unknown.problem(404, "voucher_not_found");
        stage.advance(1);
    }
    let refused = pair.source.redeem(&code, &customer).await;
    assert_eq!(refused.header("retry-after"), Some("50"));
    let _ = refused.problem(429, "too_many_guesses");
    let another = pair.target.customer().await;
    // Another client does not wait.
    let unknown = pair.target.redeem(UNKNOWN, &another).await;
    let _ = unknown.problem(404, "voucher_not_found");
    stage.advance(50);
    let redeemed = pair.source.redeem(&code, &customer).await.ok();
    assert_eq!(redeemed["status"], "active");
}
