//! The cost and the rows of a purchase.

use serde_json::{Value, json};
use tandem_tests::handlers::House;

#[tokio::test]
async fn a_purchase_takes_two_reads_and_one_transaction() {
    let house = House::new().await;
    let pair = house.pair(Some("http://127.0.0.1:9/")).await;
    house.table.reset_calls();
    let _ = house.purchase(&pair, "k1").await.expect(201);
    assert_eq!(
        house.table.calls(),
        ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]
    );
}

#[tokio::test]
async fn the_largest_purchase_fits_one_transaction() {
    let house = House::new().await;
    let pair = house.pair(Some("http://127.0.0.1:9/")).await;
    let sharing =
        json!({"crossClient": {"targetClientIds": [pair.target.id], "sellerShareBasisPoints": 0}});
    let mut offers = vec![pair.own_offer.clone()];
    for _ in 0..19 {
        offers.push(house.offer(&pair.source, sharing.clone()).await);
    }
    let cart = house
        .cart(
            &pair.target,
            &offers.iter().map(String::as_str).collect::<Vec<_>>(),
        )
        .await;
    let body = json!({"customerId": pair.customer, "paymentMethod": "PAYPAL"});
    let before = house.table.dump().len();
    house.table.reset_calls();
    let order = house
        .post(
            &pair.target.who,
            &format!("/v1/carts/{cart}/purchase"),
            "k1",
            body,
        )
        .await
        .expect(201);
    assert_eq!(order["positions"].as_array().map(Vec::len), Some(20));
    assert_eq!(
        house.table.calls(),
        ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]
    );
    // The order, the idempotency record, the own subscription, and five rows per cross-client position.
    assert_eq!(house.table.dump().len() - before, 3 + 19 * 5);
    let path = format!("/v1/orders/{}/refund", order["id"].as_str().expect("an id"));
    let refunded = house
        .post(&pair.target.who, &path, "r1", json!({}))
        .await
        .expect(200);
    assert!(
        refunded["positions"]
            .as_array()
            .expect("positions")
            .iter()
            .all(|position| position["status"] == "refunded")
    );
}

#[tokio::test]
async fn a_purchases_rows_show_no_code_no_customer_and_no_secret() {
    let house = House::new().await;
    let pair = house.pair(Some("http://127.0.0.1:9/")).await;
    let _ = house.purchase(&pair, "k1").await.expect(201);
    let listed = house
        .call(&pair.source.who, "GET /v1/callbacks", None)
        .await
        .expect(200);
    let id = listed["items"][0]["id"].as_str().expect("an id");
    let callback = house
        .call(&pair.source.who, &format!("GET /v1/callbacks/{id}"), None)
        .await
        .expect(200);
    let code = callback["body"]["data"]["voucherCode"]
        .as_str()
        .expect("a code")
        .to_owned();
    let rows = Value::from(house.table.dump()).to_string();
    for secret in [
        code.as_str(),
        &code.replace('-', ""),
        pair.secret.as_deref().expect("a secret"),
    ] {
        assert!(!rows.contains(secret));
    }
    let sold: Vec<Value> = house
        .table
        .dump()
        .into_iter()
        .filter(|row| row["sk"] == "callback" || row["sk"] == "voucher")
        .collect();
    assert_eq!(sold.len(), 2);
    assert!(!Value::from(sold).to_string().contains("anna@example.com"));
}

#[tokio::test]
async fn a_refused_purchase_writes_nothing() {
    let house = House::new().await;
    let pair = house.pair(None).await;
    let block = format!("POST /v1/connections/{}/block", pair.connection);
    let _ = house.call(&pair.source.who, &block, None).await.expect(200);
    let before = house.table.dump();
    let refused = house.purchase(&pair, "k1").await;
    assert_eq!(refused.body["errors"][0]["field"], "position 2");
    assert_eq!(refused.problem(409), "cart_not_sellable");
    assert_eq!(house.table.dump(), before);
}

#[tokio::test]
async fn chosen_optional_positions_are_bought_by_quantity() {
    let house = House::new().await;
    let pair = house.pair(None).await;
    let positions = json!([
        {"position": 1, "offerId": pair.own_offer, "mandatory": true},
        {"position": 2, "offerId": pair.shared_offer, "mandatory": false, "preselected": true},
    ]);
    let edit = Some(json!({"positions": positions}));
    let _ = house
        .call(
            &pair.target.who,
            &format!("PATCH /v1/carts/{}", pair.cart),
            edit,
        )
        .await
        .expect(200);
    let path = format!("/v1/carts/{}/purchase", pair.cart);
    let body = json!({"customerId": pair.customer, "paymentMethod": "ZERO"});
    let without = house
        .post(&pair.target.who, &path, "k1", body.clone())
        .await
        .expect(201);
    assert_eq!(without["positions"].as_array().map(Vec::len), Some(1));
    let mut chosen = body;
    chosen["positions"] = json!([{"position": 1, "quantity": 2}, {"position": 2, "quantity": 3}]);
    let with = house
        .post(&pair.target.who, &path, "k2", chosen)
        .await
        .expect(201);
    assert_eq!(
        with["total"],
        json!({"amount": 2 * 1_999 + 3 * 999, "currency": "EUR"})
    );
    let payouts = house
        .call(&pair.source.who, "GET /v1/payouts", None)
        .await
        .expect(200);
    assert_eq!(payouts["items"][0]["gross"]["amount"], 3 * 999);
    // 2,997 less 20 % rounded down (599).
    assert_eq!(payouts["items"][0]["due"]["amount"], 2_398);
}
