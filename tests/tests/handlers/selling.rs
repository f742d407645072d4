//! Carts, subscriptions and payments as the seller's and the source's staff read them.

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::{InProcess, id, mandatory, optional};

const UNUSED_URL: &str = "http://127.0.0.1:9/";

#[tokio::test]
async fn a_cart_says_whether_it_can_be_sold_now() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let (source, target) = (&pair.source, &pair.target);
    let own = target.subscription_offer("Morgenblatt", 1_990).await;
    let gone = target.subscription_offer("Abendblatt", 990).await;
    let shared = source.shared_offer("Garden Weekly", 999, &[target]).await;
    let positions = [mandatory(&own), mandatory(&shared), optional(&gone)];
    let path = format!("/v1/carts/{}", id(&target.cart(&positions).await));
    let sellable = target.api.get(&path).await.ok();
    assert_eq!(
        (&sellable["sellable"], &sellable["problem"]),
        (&json!(true), &json!(null))
    );
    assert_eq!(sellable["positions"][1]["sellable"], true);

    let archived = format!("/v1/offers/{}/archive", id(&gone));
    let _ = target.api.act(&archived).await.ok();
    let without_optional = target.api.get(&path).await.ok();
    assert_eq!(without_optional["sellable"], true);
    assert_eq!(
        without_optional["positions"][2]["problem"]["code"],
        "offer_archived"
    );

    let _ = source
        .act_on_connection("block", &pair.connection_id)
        .await
        .ok();
    let blocked = target.api.get(&path).await.ok();
    assert_eq!(
        (&blocked["sellable"], &blocked["problem"]["code"]),
        (&json!(false), &json!("position_not_sellable"))
    );
    assert_eq!(
        blocked["positions"][1]["problem"]["code"],
        "offer_not_available"
    );

    let _ = target.api.act(&format!("{path}/archive")).await.ok();
    let archived = target.api.get(&path).await.ok();
    assert_eq!(archived["problem"]["code"], "cart_archived");
}

#[tokio::test]
async fn a_source_finds_cancelled_sales_that_wait_for_a_link() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let (source, target) = (&pair.source, &pair.target);
    let sale = pair.sell().await;
    let shared = sale.shared_subscription_id();
    let path = format!("/v1/subscriptions/{shared}");
    let cancelled = target
        .api
        .post(&format!("{path}/cancel"), json!({}))
        .await
        .ok();
    assert_eq!(
        (&cancelled["linked"], &cancelled["hasAccess"]),
        (&json!(true), &json!(true))
    );

    let row = source.api.get(&path).await.ok();
    assert_eq!(
        (&row["status"], &row["linked"]),
        (&json!("cancelled"), &json!(false))
    );
    assert_eq!(row["hasAccess"], true);
    assert_eq!(row["cancelledAt"], cancelled["cancelledAt"]);
    for (filter, found) in [
        ("linked=false", 1),
        ("linked=true", 0),
        ("linked=false&hasAccess=true", 1),
        ("hasAccess=false", 0),
        ("status=cancelled&linked=false", 1),
    ] {
        let rows = source.api.all(&format!("/v1/subscriptions?{filter}")).await;
        assert_eq!(rows.len(), found, "{filter}");
    }
    let wrong = source.api.get("/v1/subscriptions?linked=no").await;
    let _ = wrong.problem(400, "invalid_query");
    stage.advance(40 * 24 * 60 * 60);
    let ended = source
        .api
        .all("/v1/subscriptions?linked=false&hasAccess=false")
        .await;
    assert_eq!(ended.len(), 1);

    let charged_back = format!("/v1/orders/{}/charge-back", sale.order_id());
    let _ = target.api.post(&charged_back, json!({})).await.ok();
    let after = source.api.get(&path).await.ok();
    assert_eq!(after["status"], "chargedBack");
    assert_eq!(
        (&after["endsAt"], &after["cancelledAt"]),
        (&row["endsAt"], &row["cancelledAt"])
    );
}

#[tokio::test]
async fn a_renewal_needs_a_key_or_a_period_number() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let sale = pair.sell().await;
    let path = format!(
        "/v1/subscriptions/{}/payments",
        sale.shared_subscription_id()
    );
    let api = &pair.target.api;
    let call = |body: Value| {
        let call = api.call(Method::POST, &path).json(&body);
        call.without_idempotency_key().send()
    };
    let without = call(json!({})).await;
    let refused = without.problem(400, "idempotency_key_required");
    assert!(
        refused["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("periodNumber"))
    );
    let numbered = || call(json!({"periodNumber": 2}));
    assert_eq!(numbered().await.ok()["periodsPaid"], 2);
    let _ = numbered().await.problem(409, "subscription_other_period");
    assert_eq!(
        api.post_with_key(&path, "k", json!({})).await.ok()["periodsPaid"],
        3
    );
}

#[tokio::test]
async fn a_statement_of_the_largest_sales_is_exact() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let (source, target) = (&pair.source, &pair.target);
    let largest = source
        .shared_offer("Garden Weekly", 1_000_000_000_000, &[target])
        .await;
    let own = target.subscription_offer("Morgenblatt", 0).await;
    let (cart, customer) = (
        target.cart(&[mandatory(&own), mandatory(&largest)]).await,
        target.customer().await,
    );
    let purchase = |quantity: u32| {
        let body = json!({
            "customerId": id(&customer),
            "paymentMethod": "ZERO",
            "positions": [{"position": 2, "quantity": quantity}],
        });
        target.purchase(&cart, body)
    };
    let refused = purchase(10_000).await;
    assert_eq!(refused.body["errors"][0]["code"], "total_too_large");
    let _ = refused.problem(422, "invalid_fields");
    for _ in 0..20 {
        let _ = purchase(9_007).await.created();
    }
    let statement = source.api.get("/v1/payouts/statement").await.ok();
    assert_eq!(
        statement["lines"][0]["gross"]["amount"],
        20 * 9_007_000_000_000_000_i64
    );
}

#[tokio::test]
async fn a_statement_queries_the_indexes_and_one_row_of_each_line() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let checkout = pair.checkout().await;
    for number in 0..30 {
        let _ = checkout.purchase(&number.to_string()).await.created();
    }
    let rows = pair.target.api.all("/v1/payouts").await;
    let paid = format!("/v1/payouts/{}/mark-paid", id(&rows[0]));
    let _ = pair.source.api.post(&paid, json!({})).await.ok();
    stage.table.reset_calls();
    let statement = pair.target.api.get("/v1/payouts/statement?role=target");
    let lines = statement.await.ok()["lines"].clone();
    let mut calls = stage.table.calls();
    calls.dedup();
    assert_eq!(calls, ["GetItem", "Query", "BatchGetItem"]);
    // The company, for its time zone, and the newest row of the line.
    assert_eq!(
        stage
            .table
            .reads()
            .iter()
            .filter(|read| read.sk.is_some())
            .count(),
        2
    );
    let sum = |member: &str, of: &[Value]| {
        of.iter()
            .map(|row| row[member]["amount"].as_i64().expect("an amount"))
            .sum::<i64>()
    };
    let line = &lines.as_array().expect("lines")[0];
    assert_eq!(line["rows"], 30);
    assert_eq!(line["partnerName"], pair.source.name.as_str());
    for member in ["gross", "due"] {
        assert_eq!(line[member]["amount"], sum(member, &rows), "{member}");
    }
    assert_eq!(line["open"]["amount"], sum("due", &rows[1..]));
    let open = "/v1/payouts/statement?role=target&paidStatus=OPEN";
    let open = pair.target.api.get(open).await.ok();
    assert_eq!(open["lines"][0]["rows"], 29);
    let one = rows[3]["orderId"].as_str().expect("an order");
    let one = format!("/v1/payouts/statement?orderId={one}");
    let one = pair.target.api.get(&one).await.ok();
    assert_eq!(one["lines"][0]["rows"], 1);
}
