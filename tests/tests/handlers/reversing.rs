//! Reversals, payments again and cancellations: their races, their costs and their largest transaction.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::{Answer, Api, InProcess, id, mandatory};

use crate::redeeming::UNUSED_URL;

/// Posts until each of the concurrent requests has a definite answer; each has a key of its own.
async fn concurrent(api: &Api, requests: &[(String, Value)]) -> Vec<Answer> {
    let (mut open, mut answered) = ((0..requests.len()).collect::<Vec<_>>(), Vec::new());
    while !open.is_empty() {
        let calls = open.iter().map(|number| async move {
            let (path, body) = &requests[*number];
            let key = number.to_string();
            (*number, api.post_with_key(path, &key, body.clone()).await)
        });
        let (busy, definite): (Vec<_>, Vec<_>) = join_all(calls)
            .await
            .into_iter()
            .partition(|(_, answer)| answer.status == 503);
        open = busy.into_iter().map(|(number, _)| number).collect();
        answered.extend(definite.into_iter().map(|(_, answer)| answer));
    }
    answered
}

fn done(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.status == 200).count()
}

fn euros(cents: i64) -> Value {
    json!({"amount": cents, "currency": "EUR"})
}

/// The sums of gross and due of all payout rows.
async fn sums(api: &Api) -> (i64, i64) {
    let rows = api.all("/v1/payouts").await;
    let sum = |member: &str| {
        rows.iter()
            .filter_map(|row| row[member]["amount"].as_i64())
            .sum()
    };
    (sum("gross"), sum("due"))
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_parts_never_exceed_the_payment() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let sale = pair.sell().await;
    let path = format!("/v1/subscriptions/{}", sale.shared_subscription_id());
    let part = json!({"kind": "chargeBack", "amount": euros(100)});
    let reverse = format!("{path}/payments/1/reverse");
    let by_order = format!("/v1/orders/{}/refund", sale.order_id());
    let of_order = json!({"positions": [2], "amount": euros(100), "endSubscription": false});
    let requests: Vec<_> = (0..16)
        .map(|number| match number % 2 {
            0 => (reverse.clone(), part.clone()),
            _ => (by_order.clone(), of_order.clone()),
        })
        .collect();
    let answers = concurrent(&pair.target.api, &requests).await;
    // The payment was 9.99 EUR, of which the source got 7.99.
    assert_eq!(done(&answers), 9, "{answers:?}");
    assert!(
        answers
            .iter()
            .all(|answer| [200, 422].contains(&answer.status))
    );
    assert_eq!(sums(&pair.target.api).await.0, 99);
    let _ = pair
        .target
        .api
        .post(&reverse, json!({"kind": "refund"}))
        .await
        .ok();
    assert_eq!(sums(&pair.source.api).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_concurrent_payments_again_one_counts() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let sale = pair.sell().await;
    let path = format!("/v1/subscriptions/{}", sale.shared_subscription_id());
    let reverse = format!("{path}/payments/1/reverse");
    let (target, charge_back) = (&pair.target.api, json!({"kind": "chargeBack"}));
    let _ = target.post(&reverse, charge_back.clone()).await.ok();
    let pay = (format!("{path}/payments"), json!({"periodNumber": 1}));
    let answers = concurrent(target, &vec![pay.clone(); 8]).await;
    assert_eq!(done(&answers), 1);
    assert_eq!(sums(target).await, (999, 799));
    // Reversals against payments again: never more than one payment is there.
    let requests: Vec<_> = (100..110)
        .map(|number| match number % 2 {
            0 => (reverse.clone(), charge_back.clone()),
            _ => pay.clone(),
        })
        .collect();
    let _ = concurrent(target, &requests).await;
    let [seller, source] = both_rows(&stage, sale.shared_subscription_id());
    assert_eq!(seller["unpaid"], source["unpaid"]);
    let expected = if seller["unpaid"].is_null() {
        (999, 799)
    } else {
        (0, 0)
    };
    assert_eq!(sums(target).await, expected);
}

fn both_rows(stage: &InProcess, subscription: &str) -> [Value; 2] {
    let rows = stage.rows_of("subscription");
    let row = |role: &str| {
        let is = |row: &&Value| row["id"] == subscription && row["role"] == role;
        rows.iter().find(is).expect("a row").clone()
    };
    [row("seller"), row("source")]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_against_a_cancellation_leaves_equal_rows() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let sale = pair.sell().await;
    let subscription = sale.shared_subscription_id();
    let path = |action: &str| format!("/v1/subscriptions/{subscription}/{action}");
    let requests: Vec<_> = (0..12)
        .map(|number| match number % 3 {
            0 => (path("payments"), json!({"periodNumber": 2 + number / 3})),
            1 => (path("cancel"), json!({"at": "endOfPeriod"})),
            _ => (path("undo-cancellation"), json!({})),
        })
        .collect();
    let answers = concurrent(&pair.target.api, &requests).await;
    assert!(
        answers
            .iter()
            .all(|answer| [200, 409].contains(&answer.status))
    );
    let [seller, source] = both_rows(&stage, subscription);
    for member in ["life", "periodsPaid", "paidUntil", "cancelledAt", "endsAt"] {
        assert_eq!(seller[member], source[member], "{member}");
    }
    let periods = seller["periodsPaid"].as_i64().expect("a number");
    assert_eq!(sums(&pair.source.api).await.0, 999 * periods);
}

/// Without a key, a late repetition of the first payment would look like a new one.
#[tokio::test]
async fn a_payment_again_needs_a_key() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let sale = pair.sell().await;
    let path = format!(
        "/v1/subscriptions/{}/payments",
        sale.shared_subscription_id()
    );
    let api = &pair.target.api;
    let first = || {
        let call = api
            .call(Method::POST, &path)
            .json(&json!({"periodNumber": 2}));
        call.without_idempotency_key().send()
    };
    assert_eq!(first().await.ok()["periodsPaid"], 2);
    let charge_back = json!({"kind": "chargeBack"});
    let _ = api
        .post(&format!("{path}/2/reverse"), charge_back)
        .await
        .ok();
    let before = stage.rows_of("payout");
    let _ = first().await.problem(400, "idempotency_key_required");
    assert_eq!(stage.rows_of("payout"), before);
    let again = json!({"periodNumber": 2});
    let _ = api.post_with_key(&path, "k", again.clone()).await.ok();
    assert!(api.post_with_key(&path, "k", again).await.is_repeated());
    assert_eq!(stage.rows_of("payout").len(), before.len() + 1);
}

#[tokio::test]
async fn the_largest_reversal_fits_one_transaction() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let (source, target) = (&pair.source, &pair.target);
    let own = target.subscription_offer("Morgenblatt", 1_990).await;
    let mut positions = vec![mandatory(&own)];
    for _ in 0..19 {
        let shared = source.shared_offer("Garden Weekly", 999, &[target]).await;
        positions.push(mandatory(&shared));
    }
    let (cart, customer) = (target.cart(&positions).await, target.customer().await);
    let order = target.sell(&cart, &customer).await.created();
    let path = format!("/v1/orders/{}/charge-back", id(&order));
    stage.table.reset_calls();
    let reversed = target
        .api
        .post(&path, json!({"endSubscription": false}))
        .await
        .ok();
    assert!(reversed["positions"][19]["status"] == "chargedBack");
    let transactions = stage.table.calls();
    let transactions = transactions
        .iter()
        .filter(|call| *call == "TransactWriteItems");
    assert_eq!(transactions.count(), 1);
    assert_eq!(stage.rows_of("period").len(), 20);
}

/// docs/table-design.md has these figures.
#[tokio::test]
async fn each_change_after_the_sale_uses_the_documented_units() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_with_long_names(UNUSED_URL).await;
    let checkout = pair.checkout_with_long_names().await;
    let order = checkout.purchase("k1").await.created();
    let api = &pair.target.api;
    let subscription = order["positions"][1]["subscriptionId"]
        .as_str()
        .expect("an id");
    let path = |action: &str| format!("/v1/subscriptions/{subscription}/{action}");
    let part = json!({"kind": "refund", "amount": euros(1)});
    let last = json!({"kind": "refund", "endSubscription": true});
    let mut used = Vec::new();
    for (change, action, body) in [
        (
            "a renewal of another amount",
            "payments",
            json!({"amount": euros(901)}),
        ),
        (
            "a renewal at the terms",
            "payments",
            json!({"periodNumber": 3}),
        ),
        (
            "a cancellation, its move or its undoing",
            "cancel",
            json!({}),
        ),
        (
            "a cancellation, its move or its undoing",
            "cancel",
            json!({"at": "2027-06-01T00:00:00Z"}),
        ),
        (
            "a cancellation, its move or its undoing",
            "undo-cancellation",
            json!({}),
        ),
        (
            "a reversal without an end, or a payment again",
            "payments/1/reverse",
            part.clone(),
        ),
        (
            "a reversal without an end, or a payment again",
            "payments/1/reverse",
            part,
        ),
        (
            "a reversal without an end, or a payment again",
            "payments",
            json!({"periodNumber": 1}),
        ),
        (
            "a reversal that ends the subscription",
            "payments/3/reverse",
            last,
        ),
    ] {
        stage.table.reset_calls();
        let _ = api.post(&path(action), body).await.ok();
        used.push((change, action, stage.table.capacity().write));
    }
    let design = include_str!("../../../docs/table-design.md");
    for (change, action, units) in &used {
        let documented = format!("| {change} | {units} |");
        assert!(
            design.contains(&documented),
            "{action}: {documented} {used:?}"
        );
    }
}
