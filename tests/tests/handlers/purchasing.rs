//! The cost of a purchase, and the rows that it writes.

use serde_json::{Value, json};
use tandem_tests::{InProcess, id, mandatory, preselected};

const UNUSED_URL: &str = "http://127.0.0.1:9/";

#[tokio::test]
async fn a_purchase_takes_three_round_trips_one_of_them_a_transaction() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let checkout = pair.checkout().await;
    stage.table.reset_calls();
    let _ = checkout.purchase("k1").await.created();
    assert_eq!(
        stage.table.calls(),
        ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]
    );
}

/// docs/table-design.md has these figures; infra/scale.py reads them there.
#[tokio::test]
async fn a_purchase_and_a_redemption_use_the_documented_units() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let checkout = pair.checkout().await;
    stage.table.reset_calls();
    let _ = checkout.purchase("k1").await.created();
    let sold = stage.table.capacity();
    let code = pair.source.newest_voucher_code().await;
    let customer = pair.source.customer().await;
    stage.table.reset_calls();
    let _ = pair.source.redeem(&code, &customer).await.ok();
    let redeemed = stage.table.capacity();
    let documented = format!(
        "uses {} write units and {} read units to be sold, and {} and {} to be redeemed",
        sold.write, sold.read, redeemed.write, redeemed.read
    );
    let design = include_str!("../../../docs/table-design.md");
    let words: Vec<&str> = design.split_whitespace().collect();
    assert!(words.join(" ").contains(&documented), "{documented}");
}

#[tokio::test]
async fn the_largest_purchase_fits_one_transaction() {
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
    let before = stage.table.dump().len();
    stage.table.reset_calls();
    let order = target.sell(&cart, &customer).await.created();
    assert_eq!(order["positions"].as_array().map(Vec::len), Some(20));
    assert_eq!(
        stage.table.calls(),
        ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]
    );
    // The order, the record of the key, the own subscription, and four rows for each cross-client position.
    assert_eq!(stage.table.dump().len() - before, 3 + 19 * 4);
    let path = format!("/v1/orders/{}/refund", id(&order));
    let refunded = target.api.post(&path, json!({})).await.ok();
    assert!(
        refunded["positions"]
            .as_array()
            .expect("positions")
            .iter()
            .all(|position| position["status"] == "refunded")
    );
}

#[tokio::test]
async fn a_purchase_writes_no_readable_code_customer_or_secret() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let checkout = pair.checkout().await;
    let _ = checkout.purchase("k1").await.created();
    let code = pair.source.newest_voucher_code().await;
    let rows = Value::from(stage.table.dump()).to_string();
    for secret in [code.as_str(), &code.replace('-', ""), pair.secret()] {
        assert!(!rows.contains(secret));
    }
    let sold: Vec<Value> = stage
        .table
        .dump()
        .into_iter()
        .filter(|row| row["sk"] == "callback" || row["voucherHash"].is_string())
        .collect();
    assert_eq!(sold.len(), 2);
    let email = checkout.customer["email"].as_str().expect("an address");
    assert!(!Value::from(sold).to_string().contains(email));
}

#[tokio::test]
async fn a_rejected_purchase_writes_nothing() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let checkout = pair.checkout().await;
    let blocked = pair
        .source
        .act_on_connection("block", &pair.connection_id)
        .await;
    let _ = blocked.ok();
    let before = stage.table.dump();
    let rejected = checkout.purchase("k1").await;
    assert_eq!(rejected.body["errors"][0]["field"], "position 2");
    let _ = rejected.problem(409, "cart_not_sellable");
    assert_eq!(stage.table.dump(), before);
}

#[tokio::test]
async fn optional_positions_are_bought_if_chosen_and_quantities_count() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let (source, target) = (&pair.source, &pair.target);
    let own = target.subscription_offer("Morgenblatt", 1_999).await;
    let shared = source.shared_offer("Garden Weekly", 999, &[target]).await;
    let cart = target.cart(&[mandatory(&own), preselected(&shared)]).await;
    let body = json!({"customerId": id(&target.customer().await), "paymentMethod": "ZERO"});
    let without = target.purchase(&cart, body.clone()).await.created();
    assert_eq!(without["positions"].as_array().map(Vec::len), Some(1));
    let mut chosen = body;
    chosen["positions"] = json!([{"position": 1, "quantity": 2}, {"position": 2, "quantity": 3}]);
    let with = target.purchase(&cart, chosen).await.created();
    assert_eq!(
        with["total"],
        json!({"amount": 2 * 1_999 + 3 * 999, "currency": "EUR"})
    );
    let payouts = source.api.all("/v1/payouts").await;
    assert_eq!(payouts[0]["gross"]["amount"], 3 * 999);
    // 2,997 less 20 %, which is rounded half up (599).
    assert_eq!(payouts[0]["due"]["amount"], 2_398);
}
