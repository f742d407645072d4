//! Metadata: from the bodies into answers, rows, CSV and callbacks.

use serde_json::{Value, json};
use tandem_tests::{InProcess, Receiver, id, mandatory};

const UNUSED_URL: &str = "http://127.0.0.1:9/";

#[tokio::test]
async fn an_edit_replaces_metadata_and_null_removes_them() {
    let stage = InProcess::start().await;
    let client = stage.setup().pair_within_one_company().await.target;
    let pairs = json!({"shelf": "A-1", "campaign": "spring"});
    let offer = client.subscription_offer("Morgenblatt", 1_990).await;
    let cart = json!({
        "name": "Bundle", "positions": [{"position": 1, "offerId": id(&offer), "mandatory": true}], "metadata": pairs,
    });
    let customer = json!({"email": "anna@example.com", "language": "de", "metadata": pairs});
    for (list, body) in [("carts", cart), ("customers", customer)] {
        let made = client
            .api
            .post(&format!("/v1/{list}"), body)
            .await
            .created();
        assert_eq!(made["metadata"], pairs);
        let path = format!("/v1/{list}/{}", id(&made));
        let edit = async |edit: Value| client.api.patch(&path, edit).await.ok()["metadata"].clone();
        assert_eq!(edit(json!({})).await, pairs);
        assert_eq!(
            edit(json!({"metadata": {"shelf": "B-2"}})).await,
            json!({"shelf": "B-2"})
        );
        assert_eq!(
            client.api.get(&path).await.ok()["metadata"],
            json!({"shelf": "B-2"})
        );
        assert_eq!(edit(json!({"metadata": null})).await, json!({}));
        let wrong = json!({"metadata": {"shelf": 1}});
        let refused = client.api.patch(&path, wrong).await;
        assert_eq!(
            refused.fields(),
            [("metadata.shelf".to_owned(), "not_a_string".to_owned())]
        );
    }
    for row in ["cart", "customer"] {
        assert!(
            stage
                .rows_of(row)
                .iter()
                .all(|row| row.get("metadata").is_none()),
            "{row}"
        );
    }
}

#[tokio::test]
async fn an_orders_metadata_reach_payout_rows_csv_and_callbacks() {
    let stage = InProcess::start().await;
    let receiver = Receiver::start().await;
    let pair = stage
        .setup()
        .pair_between_two_companies(&receiver.url())
        .await;
    let checkout = pair.checkout().await;
    let pairs = json!({"campaign": "spring, \"2027\""});
    let mut body = checkout.purchase_body();
    body["metadata"] = pairs.clone();
    let path = checkout.purchase_path();
    let order = pair
        .target
        .api
        .post_with_key(&path, "k1", body)
        .await
        .created();
    assert_eq!(order["metadata"], pairs);
    let subscription = order["positions"][1]["subscriptionId"]
        .as_str()
        .expect("an id");
    let subscription = format!("/v1/subscriptions/{subscription}");
    let of = async |client: &tandem_tests::Client| {
        client.api.get(&subscription).await.ok()["metadata"].clone()
    };
    assert_eq!(of(&pair.target).await, pairs);
    assert_eq!(of(&pair.source).await, json!({}));
    let payments = format!("{subscription}/payments");
    let _ = pair
        .target
        .api
        .post(&payments, json!({"periodNumber": 2}))
        .await
        .ok();
    stage.work().await;
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    for callback in &received {
        assert_eq!(callback.json()["data"]["order"]["metadata"], pairs);
    }
    for client in [&pair.source, &pair.target] {
        let rows = client.api.all("/v1/payouts").await;
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| row["metadata"] == pairs), "{rows:?}");
        let csv = client.api.get("/v1/payouts/export").await.text;
        let cell = "\"{\"\"campaign\"\":\"\"spring, \\\"\"2027\\\"\"\"\"}\"";
        assert_eq!(csv.matches(cell).count(), 2, "{csv}");
    }
}

#[tokio::test]
async fn a_purchase_without_metadata_stores_none() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let own = pair.target.subscription_offer("Morgenblatt", 1_990).await;
    let cart = pair.target.cart(&[mandatory(&own)]).await;
    let customer = pair.target.customer().await;
    let _ = pair.target.sell(&cart, &customer).await.created();
    let _ = pair.sell().await;
    let with_metadata = |row: &&Value| row.get("metadata").is_some();
    assert_eq!(stage.table.dump().iter().filter(with_metadata).count(), 0);
}

#[tokio::test]
async fn a_connections_metadata_are_the_sources_alone() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let path = format!("/v1/connections/{}", pair.connection_id);
    let pairs = json!({"contract": "2027/14"});
    let edit = json!({"metadata": pairs});
    let edited = pair.source.api.patch(&path, edit.clone()).await.ok();
    assert_eq!(edited["metadata"], pairs);
    let theirs = pair.target.api.get(&path).await.ok();
    assert_eq!(theirs.get("metadata"), None);
    assert!(!theirs.to_string().contains("2027/14"));
    assert_eq!(theirs["history"][0]["changes"], json!(["metadata"]));
    let refused = pair.target.api.patch(&path, edit).await;
    let _ = refused.problem(403, "connection_read_only");
    let removed = json!({"metadata": null});
    assert_eq!(
        pair.source.api.patch(&path, removed).await.ok()["metadata"],
        json!({})
    );
}

#[tokio::test]
async fn an_offers_metadata_and_cost_center_are_those_of_the_sale() {
    let stage = InProcess::start().await;
    let receiver = Receiver::start().await;
    let pair = stage
        .setup()
        .pair_between_two_companies(&receiver.url())
        .await;
    let checkout = pair.checkout().await;
    let offer = format!("/v1/offers/{}", id(&checkout.shared_offer));
    let (pairs, center) = (json!({"product": "P-1"}), "4711");
    let edit = json!({
        "metadata": pairs,
        "costCenters": [
            {"targetClientId": pair.target.id, "costCenter": center},
            {"targetClientId": "cli_0190b8f5c6f77c3ab0a1c2d3e4f50617", "costCenter": "of-another"},
        ],
    });
    let edited = pair.source.api.patch(&offer, edit.clone()).await.ok();
    assert_eq!(edited["costCenters"], edit["costCenters"]);
    let shared = pair.target.offers_shared_with_it().await.remove(0);
    assert_eq!(
        (&shared["metadata"], &shared["costCenter"]),
        (&pairs, &json!(center))
    );
    assert!(
        !shared.to_string().contains("of-another"),
        "the other target's"
    );
    let order = checkout.purchase("k1").await.created();
    // Later sales follow the offer; this one keeps its own.
    let none = json!({"metadata": null, "costCenters": null});
    let cleared = pair.source.api.patch(&offer, none).await.ok();
    assert_eq!(
        (&cleared["metadata"], &cleared["costCenters"]),
        (&json!({}), &json!([]))
    );
    let subscription = order["positions"][1]["subscriptionId"]
        .as_str()
        .expect("an id");
    let path = format!("/v1/subscriptions/{subscription}");
    let payments = format!("{path}/payments");
    let _ = pair
        .target
        .api
        .post(&payments, json!({"periodNumber": 2}))
        .await
        .ok();
    stage.work().await;
    for callback in receiver.received() {
        let offer = callback.json()["data"]["offer"].clone();
        assert_eq!(
            (&offer["metadata"], &offer["costCenter"]),
            (&pairs, &json!(center))
        );
    }
    for client in [&pair.source, &pair.target] {
        let link = client.api.get(&path).await.ok()["crossClient"].clone();
        assert_eq!(
            (&link["offerMetadata"], &link["costCenter"]),
            (&pairs, &json!(center))
        );
        let rows = client.api.all("/v1/payouts").await;
        assert_eq!(rows.len(), 2);
        for row in rows {
            assert_eq!(
                (&row["offerMetadata"], &row["costCenter"]),
                (&pairs, &json!(center))
            );
        }
        let csv = client.api.get("/v1/payouts/export").await.text;
        let cells = "\"{\"\"product\"\":\"\"P-1\"\"}\",\"4711\"";
        assert_eq!(csv.matches(cells).count(), 2, "{csv}");
    }
}
