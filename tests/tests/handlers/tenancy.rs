//! Routes for certain callers only. `absence.rs` covers foreign data.

use tandem_tests::handlers::{House, Who};

#[tokio::test]
async fn operators_and_clients_have_their_own_routes() {
    let house = House::new().await;
    let company = house.company(true).await;
    let client = house.merchant(&company, "Eine").await;
    assert_eq!(
        house
            .call(&client.who, "GET /v1/clients", None)
            .await
            .problem(403),
        "forbidden"
    );
    assert_eq!(
        house
            .call(&Who::Operator, "GET /v1/offers", None)
            .await
            .problem(403),
        "forbidden"
    );
}

#[tokio::test]
async fn the_source_reads_its_sold_subscription_but_cannot_change_it() {
    let house = House::new().await;
    let pair = house.pair(None).await;
    let order = house.purchase(&pair, "k1").await.expect(201);
    let id = order["positions"][1]["subscriptionId"]
        .as_str()
        .expect("an id");
    let seen = house
        .call(
            &pair.source.who,
            &format!("GET /v1/subscriptions/{id}"),
            None,
        )
        .await
        .expect(200);
    assert_eq!(
        (seen["role"].as_str(), seen["status"].as_str()),
        (Some("source"), Some("active"))
    );
    for verb in ["payments", "cancel"] {
        let refused = house
            .call(
                &pair.source.who,
                &format!("POST /v1/subscriptions/{id}/{verb}"),
                None,
            )
            .await;
        assert_eq!(refused.problem(403), "subscription_read_only");
    }
}
