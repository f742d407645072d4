//! A purchase with a start and an `externalSystemId` of the seller, and the lists that find it.

use futures::future::join_all;
use serde_json::{Value, json};
use tandem_tests::{Answer, Checkout, Client, InProcess, id, managed_offer};

const UNUSED_URL: &str = "http://127.0.0.1:9/";

/// Buys the cart with more members in the body.
async fn buy(checkout: &Checkout, key: &str, members: Value) -> Answer {
    let mut body = checkout.purchase_body();
    let members = members.as_object().expect("members").clone();
    body.as_object_mut().expect("a body").extend(members);
    let path = checkout.purchase_path();
    checkout.seller.api.post_with_key(&path, key, body).await
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(id).collect()
}

/// Imports one order, and returns its id.
async fn imported(stage: &InProcess, client: &Client, external: &str) -> String {
    let item = json!({
        "externalSystemId": external, "offerId": id(&managed_offer(client).await),
        "invoiceCustomerId": id(&client.customer().await), "quantity": 1,
        "startDate": "2026-01-01T00:00:00Z", "paymentMethod": "BILLING",
    });
    let import = json!({"items": [item]});
    let _ = client
        .api
        .post("/v1/imports/orders", import)
        .await
        .accepted();
    stage.work().await;
    let found = format!("/v1/orders?externalSystemId={external}");
    let orders = client.api.all(&found).await;
    let order = orders.iter().find(|order| order["managedBy"] == "external");
    id(order.expect("an imported order")).to_owned()
}

#[tokio::test]
async fn a_given_id_finds_the_order_and_its_subscriptions() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let checkout = pair.checkout().await;
    let _ = checkout.purchase("k0").await.created();
    let named = json!({"externalSystemId": "shop-1"});
    let order = buy(&checkout, "k1", named.clone()).await.created();
    assert_eq!(order["externalSystemId"], "shop-1");
    let (source, target) = (&pair.source.api, &pair.target.api);
    let orders = target.all("/v1/orders?externalSystemId=shop-1").await;
    assert_eq!(orders, std::slice::from_ref(&order));
    let found = "/v1/subscriptions?externalSystemId=shop-1";
    let mut subscriptions = target.all(found).await;
    subscriptions.sort_by_key(|row| row["position"].as_i64());
    let expected: Vec<_> = [0, 1]
        .map(|index| {
            order["positions"][index]["subscriptionId"]
                .as_str()
                .expect("an id")
        })
        .into();
    assert_eq!(ids(&subscriptions), expected);
    assert!(
        subscriptions
            .iter()
            .all(|row| row["externalSystemId"] == "shop-1")
    );
    // The id is the seller's: the source's row lacks it and is not found by it. The payout row, which both read, has it.
    assert_eq!(source.all(found).await, Vec::<Value>::new());
    let theirs = source.all("/v1/subscriptions").await;
    assert!(
        theirs
            .iter()
            .all(|row| row["externalSystemId"] == json!(null))
    );
    let of_order = async || {
        let rows = source
            .all(&format!("/v1/payouts?orderId={}", id(&order)))
            .await;
        let named = rows
            .iter()
            .filter(|row| row["externalSystemId"] == "shop-1");
        (named.count(), rows.len())
    };
    assert_eq!(of_order().await, (1, 1));
    let csv = source.get("/v1/payouts/export").await.text;
    assert!(csv.contains("\"shop-1\",\"9.99\",\"7.99\""), "{csv}");
    // A renewal's payout row has it too.
    let renewed = format!("/v1/subscriptions/{}/payments", expected[1]);
    let _ = target.post(&renewed, json!({"periodNumber": 2})).await.ok();
    assert_eq!(of_order().await, (2, 2));

    for (more, count) in [
        (format!("customerId={}", id(&checkout.customer)), 1),
        (
            "customerId=cus_0190b8f5c6f77c3ab0a1c2d3e4f50617".to_owned(),
            0,
        ),
        ("createdFrom=2020-01-01T00:00:00Z".to_owned(), 1),
        ("createdBefore=2020-01-01T00:00:00Z".to_owned(), 0),
    ] {
        for list in ["orders", "subscriptions"] {
            let rows = target
                .all(&format!("/v1/{list}?externalSystemId=shop-1&{more}"))
                .await;
            assert_eq!(rows.is_empty(), count == 0, "{list} {more}");
        }
    }
    assert_eq!(
        target.all("/v1/orders?externalSystemId=shop-2").await,
        Vec::<Value>::new()
    );
}

#[tokio::test]
async fn an_id_of_an_earlier_order_is_refused_with_its_order() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let checkout = pair.checkout().await;
    let named = json!({"externalSystemId": "shop-1"});
    let order = buy(&checkout, "k1", named.clone()).await.created();
    let import = imported(&stage, &pair.target, "shop-2").await;
    for (external, taken_by) in [("shop-1", id(&order)), ("shop-2", import.as_str())] {
        let before = stage.table.dump();
        let refused = buy(&checkout, external, json!({"externalSystemId": external})).await;
        assert_eq!(refused.body["errors"][0]["field"], taken_by);
        let _ = refused.problem(409, "order_external_id_taken");
        assert_eq!(stage.table.dump(), before);
    }
    // The same request gets its own order again, and another seller may use the id.
    let repeated = buy(&checkout, "k1", named.clone()).await;
    assert_eq!(
        (repeated.is_repeated(), id(&repeated.body)),
        (true, id(&order))
    );
    let other = stage
        .setup()
        .pair_within_one_company()
        .await
        .checkout()
        .await;
    let _ = buy(&other, "k1", named).await.created();
    // An import of the id of a purchase is an order of its own; both are found.
    stage.advance(1);
    let later = imported(&stage, &pair.target, "shop-1").await;
    let both = pair
        .target
        .api
        .all("/v1/orders?externalSystemId=shop-1")
        .await;
    assert_eq!(ids(&both), [later.as_str(), id(&order)]);
    let rows = pair
        .target
        .api
        .all("/v1/subscriptions?externalSystemId=shop-1")
        .await;
    assert_eq!(rows.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_purchases_with_one_external_id_make_one_order() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let checkout = pair.checkout().await;
    let keys: Vec<String> = (0..50).map(|number| format!("k{number}")).collect();
    let buy = |key| buy(&checkout, key, json!({"externalSystemId": "shop-1"}));
    let answers = join_all(keys.iter().map(|key| buy(key))).await;
    let (sold, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!((sold.len(), stage.rows_of("order").len()), (1, 1));
    for answer in refused {
        assert_eq!(answer.code(), "order_external_id_taken");
        assert_eq!(answer.body["errors"][0]["field"], sold[0].body["id"]);
    }
}

#[tokio::test]
async fn an_external_id_costs_two_write_units_and_no_round_trip() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let checkout = pair.checkout().await;
    stage.table.reset_calls();
    let _ = checkout.purchase("k0").await.created();
    let (plain, calls) = (stage.table.capacity(), stage.table.calls());
    stage.table.reset_calls();
    let named = json!({"externalSystemId": "shop-1"});
    let _ = buy(&checkout, "k1", named).await.created();
    assert_eq!(stage.table.calls(), calls);
    let named = stage.table.capacity();
    assert!(
        (named.write - plain.write - 2.0).abs() < 0.01,
        "{} {}",
        named.write,
        plain.write
    );
}

#[tokio::test]
async fn periods_count_from_the_given_start() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let checkout = pair.checkout().await;
    let now = stage.setup().now();
    let day = |days: i64| now + jiff::SignedDuration::from_hours(24 * days);
    let start = day(40);
    let order = buy(&checkout, "k1", json!({"startDate": start}))
        .await
        .created();
    let path = |index: usize| {
        let id = order["positions"][index]["subscriptionId"].as_str();
        format!("/v1/subscriptions/{}", id.expect("an id"))
    };
    for (api, index) in [
        (&pair.target.api, 0),
        (&pair.target.api, 1),
        (&pair.source.api, 1),
    ] {
        let row = api.get(&path(index)).await.ok();
        let started: jiff::Timestamp = row["startedAt"]
            .as_str()
            .expect("a time")
            .parse()
            .expect("a time");
        assert_eq!(started.as_millisecond(), start.as_millisecond());
        assert_eq!(
            (&row["hasAccess"], &row["periodsPaid"]),
            (&json!(false), &json!(1))
        );
        let until: jiff::Timestamp = row["paidUntil"]
            .as_str()
            .expect("a time")
            .parse()
            .expect("a time");
        assert!((28..=31).contains(&(until.duration_since(start).as_hours() / 24)));
    }
    stage.advance(41 * 86_400);
    assert_eq!(pair.source.api.get(&path(1)).await.ok()["hasAccess"], true);
    for (days, status) in [(-365, 201), (365, 201), (-367, 422), (367, 422)] {
        let start = json!({"startDate": day(41 + days)});
        let answer = buy(&checkout, &days.to_string(), start).await;
        assert_eq!(answer.status, status, "{days}");
        if status == 422 {
            assert_eq!(answer.body["errors"][0]["field"], "startDate");
            assert_eq!(answer.body["errors"][0]["code"], "out_of_range");
        }
    }
}

#[tokio::test]
async fn lists_of_a_time_have_the_rows_created_then() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let checkout = pair.checkout().await;
    let mut times = Vec::new();
    for number in 0..6 {
        times.push(stage.setup().now());
        let _ = checkout.purchase(&number.to_string()).await.created();
        stage.advance(3_600);
    }
    let import = imported(&stage, &pair.target, "shop-1").await;
    let (from, before) = (times[1], times[4]);
    for list in ["orders", "subscriptions"] {
        let path = format!("/v1/{list}?createdFrom={from}&createdBefore={before}&limit=2");
        let rows = pair.target.api.all(&path).await;
        let each = if list == "orders" { 1 } else { 2 };
        assert_eq!(rows.len(), 3 * each, "{list}");
        let late = format!("/v1/{list}?createdFrom={before}&limit=2");
        assert_eq!(
            pair.target.api.all(&late).await.len(),
            2 * each + 1,
            "{list}"
        );
        let of_customer = format!("{late}&customerId={}", id(&checkout.customer));
        assert_eq!(
            pair.target.api.all(&of_customer).await.len(),
            2 * each,
            "{list}"
        );
        // A cursor belongs to its filter.
        let page = pair.target.api.get(&path).await.ok();
        let cursor = page["nextCursor"].as_str().expect("a cursor");
        let other = format!("/v1/{list}?createdFrom={from}&limit=2&cursor={cursor}");
        let _ = pair
            .target
            .api
            .get(&other)
            .await
            .problem(400, "invalid_cursor");
    }
    let newest = pair
        .target
        .api
        .all(&format!("/v1/orders?createdFrom={before}"))
        .await;
    assert_eq!(id(&newest[0]), import);
}
