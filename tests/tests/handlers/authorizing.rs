//! The authorizer on real rows: accepted keys, and their scopes.

use std::sync::Arc;

use authorize::Authorizer;
use serde_json::{Value, json};
use tandem_testing::FakeSecret;
use tandem_tests::{Client, InProcess, Module, Setup};

/// An authorizer whose calls are counted.
fn authorizer(stage: &InProcess) -> Authorizer {
    Authorizer::new(
        stage.app.store.clone(),
        FakeSecret::cached(InProcess::OPERATOR_KEY).0,
        stage.clock.clone(),
    )
}

async fn asked(authorizer: &Authorizer, header: &str, route: &str) -> Value {
    let event = json!({"headers": {"authorization": header}, "routeKey": route});
    let request = serde_json::from_value(event).expect("an authorizer's event");
    authorizer.authorize(request).await.expect("an answer")
}

async fn client(stage: &Arc<InProcess>) -> Client {
    let setup = stage.setup();
    let company = setup.company("Verlagshaus", Module::On).await;
    setup.client(&company, "Eine", "de").await
}

fn bearer(client: &Client) -> String {
    format!("Bearer {}", client.api.key().expect("a key"))
}

/// The id and the secret of another key of a client.
async fn key(setup: &Setup, client: &Client, body: Value) -> (String, String) {
    let path = format!("/v1/clients/{}/api-keys", client.id);
    let made = setup.operator.post(&path, body).await.created();
    let text = |name: &str| made[name].as_str().expect("a text").to_owned();
    (text("keyId"), text("apiKey"))
}

#[tokio::test]
async fn a_valid_key_identifies_its_client_or_the_operator() {
    let stage = InProcess::start().await;
    let client = client(&stage).await;
    let authorizer = authorizer(&stage);
    let answer = asked(&authorizer, &bearer(&client), "GET /v1/offers").await;
    let expected = json!({
        "role": "client",
        "clientId": client.id,
        "companyId": client.company.id,
        "keyId": client.key_id,
    });
    assert_eq!(answer, json!({"isAuthorized": true, "context": expected}));
    let header = format!("bearer {}", InProcess::OPERATOR_KEY);
    let answer = asked(&authorizer, &header, "GET /v1/clients").await;
    assert_eq!(
        answer,
        json!({"isAuthorized": true, "context": {"role": "operator"}})
    );
}

#[tokio::test]
async fn everything_else_is_refused() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let client = client(&stage).await;
    let good = client.api.key().expect("a key");
    let (_, other) = key(&setup, &client, json!({})).await;
    let (revoked_id, revoked) = key(&setup, &client, json!({})).await;
    let revoke = format!("/v1/clients/{}/api-keys/{revoked_id}", client.id);
    let answer = setup.operator.delete(&revoke).await.ok();
    assert_eq!(answer["status"], "revoked");
    let soon = json!({"expiresAt": "2026-11-21T13:00:00Z"});
    let (_, expired) = key(&setup, &client, soon).await;
    stage.advance(3_600);
    let mixed = format!("{}{}", &good[..21], &other[21..]);
    let headers = [
        String::new(),
        " ".to_owned(),
        format!("Bearer {}", &good[..good.len() - 1]),
        format!("Bearer {}", good.to_uppercase()),
        format!("Bearer {mixed}"),
        format!("Bearer {revoked}"),
        format!("Bearer {expired}"),
        format!("Bearer {}x", InProcess::OPERATOR_KEY),
    ];
    let authorizer = authorizer(&stage);
    for header in headers {
        let answer = asked(&authorizer, &header, "GET /v1/offers").await;
        assert_eq!(
            answer,
            json!({"isAuthorized": false, "context": {}}),
            "{header}"
        );
    }
    // The functions reject these, with a problem that names the remedy.
    for header in [
        "Bearer",
        "Bearer ",
        good,
        &format!("Basic {good}"),
        "Bearer:x",
    ] {
        let answer = asked(&authorizer, header, "GET /v1/offers").await;
        assert_eq!(
            answer,
            json!({"isAuthorized": true, "context": {"missingBearer": true}}),
            "{header}"
        );
    }
    let answer = asked(&authorizer, &bearer(&client), "GET /v1/offers").await;
    assert_eq!(answer["isAuthorized"], true);
}

#[tokio::test]
async fn a_key_without_the_routes_scope_is_refused_by_scope_name() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let client = client(&stage).await;
    let (_, key) = key(&setup, &client, json!({"scopes": ["catalog:read"]})).await;
    let reader = setup.caller(&key);
    let _ = reader.get("/v1/offers").await.ok();
    let refused = reader.post("/v1/offers", json!({})).await;
    let problem = refused.problem(403, "scope_missing");
    assert_eq!(
        problem["detail"],
        "the API key lacks the scope catalog:write"
    );
}

#[tokio::test]
async fn the_day_of_a_keys_last_use_is_written_once_a_day() {
    let stage = InProcess::start().await;
    let client = client(&stage).await;
    let (authorizer, header) = (authorizer(&stage), bearer(&client));
    stage.table.reset_calls();
    for _ in 0..2 {
        let answer = asked(&authorizer, &header, "GET /v1/offers").await;
        assert_eq!(answer["isAuthorized"], true);
    }
    // Each time the key and its client; once the day.
    let calls = ["GetItem", "GetItem", "PutItem", "GetItem", "GetItem"];
    assert_eq!(stage.table.calls(), calls);
    let path = format!("/v1/clients/{}/api-keys", client.id);
    let listed = stage.setup().operator.all(&path).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["lastUsedOn"], "2026-11-21");
}

#[tokio::test]
async fn a_changed_operator_key_takes_effect_within_a_minute() {
    let stage = InProcess::start().await;
    let (held, secret) = FakeSecret::cached(InProcess::OPERATOR_KEY);
    let authorizer = Authorizer::new(stage.app.store.clone(), held, stage.clock.clone());
    let is_accepted = async |key: &str| {
        let header = format!("Bearer {key}");
        asked(&authorizer, &header, "GET /v1/clients").await["isAuthorized"] == true
    };
    assert!(is_accepted(InProcess::OPERATOR_KEY).await);
    secret.set("another-key-of-the-operator");
    stage.advance(60);
    assert!(!is_accepted(InProcess::OPERATOR_KEY).await);
    assert!(is_accepted("another-key-of-the-operator").await);
}

#[tokio::test]
async fn a_client_key_opens_no_unknown_route() {
    let stage = InProcess::start().await;
    let client = client(&stage).await;
    let answer = asked(&authorizer(&stage), &bearer(&client), "GET /v1/vouchers").await;
    assert_eq!(answer, json!({"isAuthorized": false, "context": {}}));
}
