//! What belongs to another client is not there.

use serde_json::json;
use tandem_handlers::{House, Who};

#[tokio::test]
async fn what_belongs_to_another_client_answers_as_if_it_were_not_there() {
    let house = House::new().await;
    let pair = house.pair(Some("http://127.0.0.1:9/")).await;
    let order = house.purchase(&pair, "k1").await.expect(201);
    let company = house.company(true).await;
    let stranger = house.merchant(&company, "Fremde").await;
    let payouts = house.call(&pair.source.who, "GET /v1/payouts", None).await.expect(200);
    let callbacks = house.call(&pair.source.who, "GET /v1/callbacks", None).await.expect(200);
    let text = |value: &serde_json::Value| value.as_str().expect("an id").to_owned();
    let paths = [
        format!("/v1/connections/{}", pair.connection),
        format!("/v1/offers/{}", pair.own_offer),
        format!("/v1/offers/shared/{}", pair.shared_offer),
        format!("/v1/carts/{}", pair.cart),
        format!("/v1/customers/{}", pair.customer),
        format!("/v1/orders/{}", text(&order["id"])),
        format!("/v1/subscriptions/{}", text(&order["positions"][0]["subscriptionId"])),
        format!("/v1/callbacks/{}", text(&callbacks["items"][0]["id"])),
        format!("/v1/payouts/{}", text(&payouts["items"][0]["id"])),
    ];
    for path in paths {
        // Another id of the same kind, which does not exist at all.
        let absent = format!("{}{}", &path[..path.len() - 4], if path.ends_with("0000") { "1111" } else { "0000" });
        let foreign = house.call(&stranger.who, &format!("GET {path}"), None).await;
        let missing = house.call(&stranger.who, &format!("GET {absent}"), None).await;
        assert_eq!(foreign.status, 404, "{path}: {}", foreign.text);
        let without_request = |mut body: serde_json::Value| {
            body["requestId"] = json!(null);
            body
        };
        assert_eq!(without_request(foreign.body), without_request(missing.body), "{path}");
    }
}

#[tokio::test]
async fn operators_and_clients_have_their_own_routes() {
    let house = House::new().await;
    let company = house.company(true).await;
    let client = house.merchant(&company, "Eine").await;
    assert_eq!(house.call(&client.who, "GET /v1/clients", None).await.problem(403), "forbidden");
    assert_eq!(house.call(&Who::Operator, "GET /v1/offers", None).await.problem(403), "forbidden");
}

#[tokio::test]
async fn the_source_reads_its_row_of_a_sold_subscription_but_does_not_change_it() {
    let house = House::new().await;
    let pair = house.pair(None).await;
    let order = house.purchase(&pair, "k1").await.expect(201);
    let id = order["positions"][1]["subscriptionId"].as_str().expect("an id");
    let seen = house.call(&pair.source.who, &format!("GET /v1/subscriptions/{id}"), None).await.expect(200);
    assert_eq!((seen["role"].as_str(), seen["status"].as_str()), (Some("source"), Some("active")));
    for verb in ["payments", "cancel"] {
        let refused = house.call(&pair.source.who, &format!("POST /v1/subscriptions/{id}/{verb}"), None).await;
        assert_eq!(refused.problem(403), "subscription_read_only");
    }
}
