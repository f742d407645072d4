//! The authorizer on real rows: accepted keys, and their scopes.

use authorize::Authorizer;
use serde_json::{Value, json};
use tandem_api::serve::respond;
use tandem_testing::FakeSecret;
use tandem_testing::HttpCall;
use tandem_tests::handlers::{House, Who};

const OPERATOR_KEY: &str = "the-operators-key-of-this-test";

fn authorizer(house: &House) -> Authorizer {
    Authorizer::new(
        house.app.store.clone(),
        FakeSecret::cached(OPERATOR_KEY).0,
        house.clock.clone(),
    )
}

async fn asked(house: &House, header: &str, route: &str) -> Value {
    asked_of(&authorizer(house), header, route).await
}

async fn asked_of(authorizer: &Authorizer, header: &str, route: &str) -> Value {
    let event = json!({"headers": {"authorization": header}, "routeKey": route});
    let request = serde_json::from_value(event).expect("an authorizer's event");
    authorizer.authorize(request).await.expect("an answer")
}

async fn key(house: &House, client: &str, body: Value) -> (String, String) {
    let path = format!("POST /v1/clients/{client}/api-keys");
    let made = house
        .call(&Who::Operator, &path, Some(body))
        .await
        .expect(201);
    let text = |name: &str| made[name].as_str().expect("a text").to_owned();
    (text("keyId"), text("apiKey"))
}

#[tokio::test]
async fn a_valid_key_identifies_its_client_or_the_operator() {
    let house = House::new().await;
    let company = house.company(true).await;
    let client = house.merchant(&company, "Eine").await;
    let (key_id, key) = key(&house, &client.id, json!({})).await;
    let answer = asked(&house, &format!("Bearer {key}"), "GET /v1/offers").await;
    let expected =
        json!({"role": "client", "clientId": client.id, "companyId": company, "keyId": key_id});
    assert_eq!(answer, json!({"isAuthorized": true, "context": expected}));
    let answer = asked(&house, &format!("bearer {OPERATOR_KEY}"), "GET /v1/clients").await;
    assert_eq!(
        answer,
        json!({"isAuthorized": true, "context": {"role": "operator"}})
    );
}

#[tokio::test]
async fn everything_else_is_refused() {
    let house = House::new().await;
    let company = house.company(true).await;
    let client = house.merchant(&company, "Eine").await;
    let (_, good) = key(&house, &client.id, json!({})).await;
    let (_, other) = key(&house, &client.id, json!({})).await;
    let (revoked_id, revoked) = key(&house, &client.id, json!({})).await;
    let revoke = format!("DELETE /v1/clients/{}/api-keys/{revoked_id}", client.id);
    assert_eq!(
        house.call(&Who::Operator, &revoke, None).await.expect(200)["status"],
        "revoked"
    );
    let (_, expired) = key(
        &house,
        &client.id,
        json!({"expiresAt": "2026-11-21T13:00:00Z"}),
    )
    .await;
    house.advance(3_600);
    let mixed = format!("{}{}", &good[..21], &other[21..]);
    let headers = [
        String::new(),
        "Bearer ".to_owned(),
        format!("Basic {good}"),
        format!("Bearer {}", &good[..good.len() - 1]),
        format!("Bearer {}", good.to_uppercase()),
        format!("Bearer {mixed}"),
        format!("Bearer {revoked}"),
        format!("Bearer {expired}"),
        format!("Bearer {OPERATOR_KEY}x"),
    ];
    for header in headers {
        let answer = asked(&house, &header, "GET /v1/offers").await;
        assert_eq!(
            answer,
            json!({"isAuthorized": false, "context": {}}),
            "{header}"
        );
    }
    assert_eq!(
        asked(&house, &format!("Bearer {good}"), "GET /v1/offers").await["isAuthorized"],
        true
    );
}

#[tokio::test]
async fn a_key_without_the_routes_scope_is_refused_by_scope_name() {
    let house = House::new().await;
    let company = house.company(true).await;
    let client = house.merchant(&company, "Eine").await;
    let (_, key) = key(&house, &client.id, json!({"scopes": ["catalog:read"]})).await;
    let header = format!("Bearer {key}");
    for (route, status) in [("GET /v1/offers", 200), ("POST /v1/offers", 403)] {
        let context = asked(&house, &header, route).await["context"].clone();
        let call = HttpCall::new(route).authorizer(context);
        let response = respond(house.app.clone(), call.request(), offers::handle).await;
        assert_eq!(response.status(), status, "{route}");
        if status == 403 {
            let problem: Value = serde_json::from_slice(response.body()).expect("a problem");
            assert_eq!(
                (problem["code"].as_str(), problem["detail"].as_str()),
                (
                    Some("scope_missing"),
                    Some("the API key lacks the scope catalog:write")
                )
            );
        }
    }
}

#[tokio::test]
async fn the_day_of_a_keys_last_use_is_written_once_a_day() {
    let house = House::new().await;
    let company = house.company(true).await;
    let client = house.merchant(&company, "Eine").await;
    let (_, key) = key(&house, &client.id, json!({})).await;
    let authorizer = authorizer(&house);
    let header = format!("Bearer {key}");
    let ask = || async {
        let event = json!({"headers": {"authorization": header}, "routeKey": "GET /v1/offers"});
        let answer = authorizer
            .authorize(serde_json::from_value(event).expect("an event"))
            .await;
        assert_eq!(answer.expect("an answer")["isAuthorized"], true);
    };
    house.table.reset_calls();
    ask().await;
    ask().await;
    assert_eq!(
        house.table.calls(),
        ["GetItem", "TransactWriteItems", "GetItem"]
    );
    let listed = house
        .call(
            &Who::Operator,
            &format!("GET /v1/clients/{}/api-keys", client.id),
            None,
        )
        .await
        .expect(200);
    assert_eq!(listed["items"][0]["lastUsedOn"], "2026-11-21");
}

#[tokio::test]
async fn a_changed_operator_key_takes_effect_within_a_minute() {
    let house = House::new().await;
    let (held, secret) = FakeSecret::cached(OPERATOR_KEY);
    let authorizer = Authorizer::new(house.app.store.clone(), held, house.clock.clone());
    let is_in = async |key: &str| {
        asked_of(&authorizer, &format!("Bearer {key}"), "GET /v1/clients").await["isAuthorized"]
            == true
    };
    assert!(is_in(OPERATOR_KEY).await);
    secret.set("another-key-of-the-operator");
    house.advance(60);
    assert!(!is_in(OPERATOR_KEY).await);
    assert!(is_in("another-key-of-the-operator").await);
}

#[tokio::test]
async fn a_client_key_opens_no_unknown_route() {
    let house = House::new().await;
    let company = house.company(true).await;
    let client = house.merchant(&company, "Eine").await;
    let (_, key) = key(&house, &client.id, json!({})).await;
    let answer = asked(&house, &format!("Bearer {key}"), "GET /v1/vouchers").await;
    assert_eq!(answer, json!({"isAuthorized": false, "context": {}}));
}
