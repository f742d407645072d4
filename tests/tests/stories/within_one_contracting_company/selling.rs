//! The shared offer, the cart and its purchases.

use serde_json::{Value, json};
use tandem_tests::{Client, Pair, Setup, id, mandatory, optional, preselected};

#[tokio::test]
async fn only_the_target_sees_the_shared_offer_and_cannot_edit_it() {
    let setup = Setup::new().await;
    let Pair {
        source,
        target,
        connection_id,
        ..
    } = setup.pair_within_one_company().await;
    let stranger = setup.client(&source.company, "Abendblatt", "de").await;
    let _not_shared = source
        .subscription_offer("Garden Weekly print", 1_499)
        .await;
    let offer = source.shared_offer("Garden Weekly", 999, &[&target]).await;
    let path = format!("/v1/offers/{}", id(&offer));

    let seen = target.offers_shared_with_it().await;
    assert_eq!(
        seen.iter().map(id).collect::<Vec<_>>(),
        [id(&offer)],
        "only shared offers"
    );
    assert_eq!(
        target
            .api
            .get(&format!("/v1/offers/shared/{}", id(&offer)))
            .await
            .ok(),
        seen[0]
    );
    assert_eq!(seen[0]["readOnly"], true);
    assert_eq!(seen[0]["connectionId"], connection_id.as_str());
    assert_eq!(
        seen[0]["source"],
        json!({"clientId": source.id, "name": source.name})
    );
    assert_eq!(seen[0]["price"], json!({"amount": 999, "currency": "EUR"}));
    assert_eq!(seen[0]["period"], json!({"unit": "month", "count": 1}));
    assert_eq!(seen[0]["sellerShareBasisPoints"], 2_000);
    assert_eq!(
        seen[0].get("crossClient"),
        None,
        "who else may sell it is not the target's business"
    );

    for client in [&target, &stranger] {
        client.api.get(&path).await.problem(404, "offer_not_found");
        client
            .api
            .patch(&path, json!({"name": "Mine"}))
            .await
            .problem(404, "offer_not_found");
        client
            .api
            .act(&format!("{path}/archive"))
            .await
            .problem(404, "offer_not_found");
        assert_eq!(client.api.all("/v1/offers").await, Vec::<Value>::new());
    }
    assert_eq!(stranger.offers_shared_with_it().await, Vec::<Value>::new());
    stranger
        .api
        .get(&format!("/v1/offers/shared/{}", id(&offer)))
        .await
        .problem(404, "offer_not_found");
    assert_eq!(
        source.api.get(&path).await.ok()["name"],
        "Garden Weekly",
        "unchanged"
    );

    let _ = source
        .api
        .patch(
            &path,
            json!({"price": {"amount": 1_099, "currency": "EUR"}}),
        )
        .await
        .ok();
    assert_eq!(
        target.offers_shared_with_it().await[0]["price"]["amount"],
        1_099,
        "the target sees the source's edits"
    );
}

#[tokio::test]
async fn the_target_sells_both_offers_and_the_source_cannot() {
    let setup = Setup::new().await;
    let pair = setup.pair_within_one_company().await;
    let own = pair
        .target
        .subscription_offer("Morgenblatt digital", 1_990)
        .await;
    let shared = pair
        .source
        .shared_offer("Garden Weekly", 999, &[&pair.target])
        .await;

    let cart = pair
        .target
        .cart(&[mandatory(&own), mandatory(&shared)])
        .await;
    assert_eq!(cart["status"], "active");
    assert_eq!(cart["positions"][0]["sourceClientId"], Value::Null);
    assert_eq!(
        cart["positions"][1]["sourceClientId"],
        pair.source.id.as_str()
    );

    let refused = pair.target.try_cart(&[mandatory(&shared)]).await;
    assert_eq!(
        refused.fields(),
        [("positions".to_owned(), "nothing_own".to_owned())]
    );
    let refused = pair.source.try_cart(&[mandatory(&shared)]).await;
    assert_eq!(
        refused.fields(),
        [(
            "positions[0].offerId".to_owned(),
            "offer_is_cross_client".to_owned()
        )]
    );
}

#[tokio::test]
async fn a_purchase_within_one_company_writes_no_callback() {
    let setup = Setup::new().await;
    let pair = setup.pair_within_one_company().await;
    let (source, target) = (&pair.source, &pair.target);
    let sale = pair.sell().await;
    let order = &sale.order;

    assert_eq!(order["customerId"], sale.customer["id"]);
    assert_eq!(order["cartId"], sale.cart["id"]);
    assert_eq!(order["paymentMethod"], "CREDIT_CARD");
    assert_eq!(order["total"], json!({"amount": 2_989, "currency": "EUR"}));
    let positions = order["positions"].as_array().expect("positions");
    let sources: Vec<_> = positions
        .iter()
        .map(|position| (&position["position"], &position["sourceClientId"]))
        .collect();
    assert_eq!(
        sources,
        [(&json!(1), &Value::Null), (&json!(2), &json!(source.id))]
    );
    assert!(
        positions
            .iter()
            .all(|position| position["status"] == "paid" && position["quantity"] == 1),
        "{order}"
    );
    assert_eq!(
        &target.api.all("/v1/orders").await,
        std::slice::from_ref(order)
    );
    source
        .api
        .get(&format!("/v1/orders/{}", sale.order_id()))
        .await
        .problem(404, "order_not_found");

    // The target's two rows, and the source's row of its own offer, linked to the same customer.
    let theirs = target.api.all("/v1/subscriptions").await;
    let mut roles: Vec<_> = theirs.iter().map(|row| (id(row), &row["role"])).collect();
    roles.sort_by_key(|(_, role)| role.to_string());
    let own = (sale.own_subscription_id(), &json!("own"));
    assert_eq!(
        roles,
        [own, (sale.shared_subscription_id(), &json!("seller"))]
    );
    let ours = source.api.all("/v1/subscriptions").await;
    assert_eq!(ours.len(), 1, "{ours:?}");
    assert_eq!(
        (id(&ours[0]), &ours[0]["role"]),
        (sale.shared_subscription_id(), &json!("source"))
    );
    for row in theirs.iter().chain(&ours) {
        assert_eq!(row["status"], "active", "{row}");
        assert_eq!(row["customerId"], sale.customer["id"], "{row}");
        assert_eq!(row["orderId"], order["id"], "{row}");
        assert_eq!(row["periodsPaid"], 1, "{row}");
    }
    // Customers belong to the contracting company: the source finds this one, with its own subscriptions.
    let path = format!("/v1/customers/{}", id(&sale.customer));
    assert_eq!(source.api.get(&path).await.ok(), sale.customer);
    assert_eq!(source.api.all(&format!("{path}/subscriptions")).await, ours);
    assert_eq!(
        target.api.all(&format!("{path}/orders")).await,
        std::slice::from_ref(order)
    );

    let seen_by_source = only_payout(source).await;
    let seen_by_target = only_payout(target).await;
    assert_eq!(
        seen_by_source["id"], seen_by_target["id"],
        "one row, seen by both"
    );
    assert_eq!(
        (&seen_by_source["role"], &seen_by_target["role"]),
        (&json!("source"), &json!("target"))
    );
    for row in [&seen_by_source, &seen_by_target] {
        assert_eq!(row["type"], "PAYMENT");
        assert_eq!(row["paidStatus"], "OPEN");
        assert_eq!(
            row["source"],
            json!({"clientId": source.id, "name": source.name})
        );
        assert_eq!(
            row["target"],
            json!({"clientId": target.id, "name": target.name})
        );
        assert_eq!(row["orderId"], order["id"]);
        assert_eq!(row["subscriptionId"], sale.shared_subscription_id());
        assert_eq!(row["offerId"], positions[1]["offerId"]);
        assert_eq!(row["customerId"], sale.customer["id"]);
        assert_eq!(row["paymentMethod"], "CREDIT_CARD");
        assert_eq!(row["gross"], json!({"amount": 999, "currency": "EUR"}));
        assert_eq!(row["sellerShareBasisPoints"], 2_000);
        // The seller keeps a fifth of 9.99, rounded down to a cent.
        assert_eq!(row["due"], json!({"amount": 799, "currency": "EUR"}));
    }

    for client in [source, target] {
        assert_eq!(client.callbacks().await, Vec::<Value>::new());
    }
}

async fn only_payout(client: &Client) -> Value {
    let mut rows = client.api.all("/v1/payouts").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

#[tokio::test]
async fn the_customer_chooses_optional_positions_and_quantities() {
    let setup = Setup::new().await;
    let Pair { source, target, .. } = &setup.pair_within_one_company().await;
    let own = target
        .subscription_offer("Morgenblatt digital", 1_990)
        .await;
    let extra = target
        .subscription_offer("Morgenblatt am Sonntag", 490)
        .await;
    let shared = source.shared_offer("Garden Weekly", 999, &[target]).await;
    let cart = target
        .cart(&[mandatory(&own), optional(&extra), preselected(&shared)])
        .await;
    let customer = target.customer().await;
    let body = |positions: Value| json!({"customerId": id(&customer), "paymentMethod": "PAYPAL", "positions": positions});

    let order = target.purchase(&cart, body(json!([]))).await.created();
    assert_eq!(
        order["total"]["amount"], 1_990,
        "preselected is the checkout's business: nothing is bought that was not chosen"
    );
    assert_eq!(source.api.all("/v1/payouts").await, Vec::<Value>::new());

    let chosen = json!([{"position": 1, "quantity": 2}, {"position": 3, "quantity": 3}]);
    let order = target.purchase(&cart, body(chosen)).await.created();
    let amounts: Vec<_> = order["positions"]
        .as_array()
        .expect("positions")
        .iter()
        .map(|p| (&p["position"], &p["amount"]["amount"]))
        .collect();
    assert_eq!(
        amounts,
        [(&json!(1), &json!(3_980)), (&json!(3), &json!(2_997))]
    );
    assert_eq!(order["total"]["amount"], 6_977);
    let row = only_payout(source).await;
    assert_eq!(
        (&row["gross"]["amount"], &row["due"]["amount"]),
        (&json!(2_997), &json!(2_398))
    );

    let refused = target.purchase(&cart, body(json!([{"position": 4}]))).await;
    assert_eq!(
        refused.fields(),
        [("positions".to_owned(), "no_such_position".to_owned())]
    );
    refused.problem(422, "invalid_fields");
}

#[tokio::test]
async fn a_repeated_purchase_gets_the_stored_answer() {
    let setup = Setup::new().await;
    let Pair { source, target, .. } = &setup.pair_within_one_company().await;
    let own = target
        .subscription_offer("Morgenblatt digital", 1_990)
        .await;
    let shared = source.shared_offer("Garden Weekly", 999, &[target]).await;
    let cart = target.cart(&[mandatory(&own), mandatory(&shared)]).await;
    let customer = target.customer().await;
    let path = format!("/v1/carts/{}/purchase", id(&cart));
    let body = json!({"customerId": id(&customer), "paymentMethod": "PAYPAL"});
    let call = || target.api.call(reqwest::Method::POST, &path).json(&body);

    let first = call()
        .idempotency_key("the customer's first click")
        .send()
        .await;
    assert_eq!(first.header("idempotency-replayed"), None);
    let again = call()
        .idempotency_key("the customer's first click")
        .send()
        .await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(first.created(), again.created());
    call()
        .without_idempotency_key()
        .send()
        .await
        .problem(400, "idempotency_key_required");
    // A repeating caller with a new connection for each call, like a restarted process.
    for _ in 0..10 {
        let call = target
            .api
            .on_new_connections()
            .call(reqwest::Method::POST, &path)
            .json(&body);
        let again = call
            .idempotency_key("the customer's first click")
            .send()
            .await;
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
    }

    assert_eq!(target.api.all("/v1/orders").await.len(), 1);
    assert_eq!(target.api.all("/v1/subscriptions").await.len(), 2);
    assert_eq!(source.api.all("/v1/subscriptions").await.len(), 1);
    let _ = only_payout(source).await;
}
