//! A client's own account, its keys, and clients that the operator disables.

use std::pin::pin;
use std::sync::Arc;

use futures::future::join;
use serde_json::{Value, json};
use tandem_testing::Fault;
use tandem_tests::{Answer, Api, Client, InProcess, Module, Setup};

const KEYS: &str = "/v1/api-keys";

async fn client(setup: &Setup) -> Client {
    let company = setup.company("Verlagshaus", Module::On).await;
    setup.client(&company, "Eine", "de").await
}

/// A key that this client created: its id and its caller.
async fn created(setup: &Setup, by: &Api, body: Value) -> (String, Api) {
    let key = by.post(KEYS, body).await.created();
    let text = |name: &str| key[name].as_str().expect("a text").to_owned();
    (text("keyId"), setup.caller(&text("apiKey")))
}

fn path_of(key: &str) -> String {
    format!("{KEYS}/{key}")
}

async fn revoked(by: &Api, key: &str) -> Answer {
    by.delete(&path_of(key)).await
}

#[tokio::test]
async fn any_key_learns_who_it_is() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let client = client(&setup).await;
    let body =
        json!({"name": "Kasse", "scopes": ["catalog:read"], "expiresAt": "2027-01-01T00:00:00Z"});
    let (key, narrow) = created(&setup, &client.api, body).await;
    let me = narrow.get("/v1/me").await.ok();
    assert_eq!(
        (&me["id"], &me["name"], &me["email"], &me["language"]),
        (
            &json!(client.id),
            &json!("Eine"),
            &json!(client.email),
            &json!("de")
        )
    );
    let company = json!({"id": client.company.id, "name": "Verlagshaus"});
    assert_eq!(me["contractingCompany"], company);
    assert_eq!(me["modules"], json!({"crossClientConnections": true}));
    let expected = json!({"keyId": key, "name": "Kasse", "scopes": ["catalog:read"], "expiresAt": "2027-01-01T00:00:00Z"});
    assert_eq!(me["apiKey"], expected);
    let body = json!({"language": "en"});
    let refused = narrow.patch("/v1/me", body).await;
    let _ = refused.problem(403, "scope_missing");
}

#[tokio::test]
async fn a_client_changes_where_and_how_it_is_written_to() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let source = client(&setup).await;
    let target = setup.client(&source.company, "Zwei", "de").await;
    let body = json!({"email": "neu@example.com", "language": "en"});
    let me = target.api.patch("/v1/me", body).await.ok();
    assert_eq!(
        (&me["email"], &me["language"], &me["name"]),
        (&json!("neu@example.com"), &json!("en"), &json!("Zwei"))
    );
    let _ = source.invite(&target, None).await.created();
    let moved = Client {
        email: "neu@example.com".to_owned(),
        ..target.clone()
    };
    let _ = moved.mail_about("invites you to sell together").await;
    assert!(
        target.mails().await.is_empty(),
        "nothing to the old address"
    );
}

#[tokio::test]
async fn a_client_creates_lists_and_revokes_its_keys() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let client = client(&setup).await;
    stage.advance(1);
    let (first, api) = created(&setup, &client.api, json!({"name": "Kasse"})).await;
    let listed = client.api.all(KEYS).await;
    let by = |key: &Value| [key["keyId"].clone(), key["createdBy"].clone()];
    let listed: Vec<_> = listed.iter().map(by).collect();
    let expected = [
        [json!(first), json!(client.key_id)],
        [json!(client.key_id), Value::Null],
    ];
    assert_eq!(listed, expected);
    let _ = api.get("/v1/offers").await.ok();
    assert_eq!(revoked(&client.api, &first).await.ok()["status"], "revoked");
    assert_eq!(revoked(&client.api, &first).await.ok()["status"], "revoked");
    assert_eq!(api.get("/v1/offers").await.status, 403);

    let other = setup.client(&client.company, "Zwei", "de").await;
    for key in [&other.key_id, "0123456789abcdef", "x"] {
        let refused = revoked(&client.api, key).await;
        let _ = refused.problem(404, "api_key_not_found");
    }
}

#[tokio::test]
async fn a_key_creates_no_key_beyond_its_own_rights() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let client = client(&setup).await;
    let end = "2027-01-01T00:00:00Z";
    let rights =
        json!({"scopes": ["keys:write", "catalog:write", "payouts:read"], "expiresAt": end});
    let (_, api) = created(&setup, &client.api, rights).await;
    let same = api.post(KEYS, json!({})).await.created();
    let scopes = json!(["catalog:write", "payouts:read", "keys:write"]);
    assert_eq!(
        (&same["scopes"], &same["expiresAt"]),
        (&scopes, &json!(end))
    );
    let less = json!({"scopes": ["catalog:read"], "expiresAt": "2026-12-01T00:00:00Z"});
    let _ = api.post(KEYS, less).await.created();
    for (body, field) in [
        (
            json!({"scopes": ["catalog:read", "payouts:write"]}),
            "scopes",
        ),
        (json!({"scopes": ["customers:read"]}), "scopes"),
        (json!({"expiresAt": "2027-01-01T00:00:01Z"}), "expiresAt"),
        (json!({"expiresAt": "9999-12-31"}), "expiresAt"),
    ] {
        let refused = api.post(KEYS, body.clone()).await;
        let code = "beyond_calling_key".to_owned();
        assert_eq!(refused.fields(), [(field.to_owned(), code)], "{body}");
    }
}

#[tokio::test]
async fn the_last_key_that_manages_keys_does_not_revoke_itself() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let client = client(&setup).await;
    let own = client.key_id.as_str();
    let body = json!({"scopes": ["keys:read", "catalog:write"]});
    let _ = created(&setup, &client.api, body).await;
    let soon = json!({"expiresAt": "2026-12-01T00:00:00Z"});
    let (_, short) = created(&setup, &client.api, soon).await;
    let refused = revoked(&client.api, own).await;
    let _ = refused.problem(409, "last_key");
    let (lasting, _) = created(&setup, &client.api, json!({})).await;
    let _ = revoked(&short, &lasting).await.ok();
    let refused = revoked(&client.api, own).await;
    let _ = refused.problem(409, "last_key");
    let (_, successor) = created(&setup, &client.api, json!({})).await;
    assert_eq!(revoked(&client.api, own).await.ok()["status"], "revoked");
    let _ = successor.get(KEYS).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keys_that_revoke_each_other_leave_one() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    for _ in 0..20 {
        let client = client(&setup).await;
        let (other, api) = created(&setup, &client.api, json!({})).await;
        let (first, second) =
            join(revoked(&client.api, &other), revoked(&api, &client.key_id)).await;
        assert_eq!(left(&setup, &client).await, 1, "{first} {second}");
        let done = [&first, &second].map(|answer| usize::from(answer.status == 200));
        assert_eq!(done.iter().sum::<usize>(), 1, "{first} {second}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keys_that_revoke_themselves_leave_one() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    for _ in 0..20 {
        let client = client(&setup).await;
        let (other, api) = created(&setup, &client.api, json!({})).await;
        let (first, second) =
            join(revoked(&client.api, &client.key_id), revoked(&api, &other)).await;
        assert_eq!(left(&setup, &client).await, 1, "{first} {second}");
    }
}

/// The number of active keys of a client.
async fn left(setup: &Setup, client: &Client) -> usize {
    let path = format!("/v1/clients/{}/api-keys", client.id);
    let keys = setup.operator.all(&path).await;
    keys.iter().filter(|key| key["status"] == "active").count()
}

#[tokio::test]
async fn a_revoked_key_creates_no_other_one() {
    for call in 0..3 {
        let stage = InProcess::start().await;
        let setup = stage.setup();
        let client = client(&setup).await;
        let (key, api) = created(&setup, &client.api, json!({})).await;
        let create = api.post(KEYS, json!({}));
        let answer = overtaken(&stage, call, create, revoked(&client.api, &key)).await;
        let _ = answer.problem(401, "unauthenticated");
        assert_eq!(left(&setup, &client).await, 1, "call {call}");
    }
}

/// The answer to a call that is held up at one of its table requests until another call is answered.
async fn overtaken(
    stage: &Arc<InProcess>,
    at: usize,
    call: impl Future<Output = Answer>,
    meanwhile: impl Future<Output = Answer>,
) -> Answer {
    let (faults, mut call) = (&stage.table.faults, pin!(call));
    faults.plan(at, Fault::HeldUp);
    tokio::select! {
        answer = &mut call => panic!("the call was not held up at {at}: {answer}"),
        () = faults.died() => {}
    }
    let _ = meanwhile.await.ok();
    faults.resume();
    call.await
}

#[tokio::test]
async fn a_disabled_client_is_refused_and_its_offers_are_not_sold() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let pair = setup.pair_within_one_company().await;
    let (cart, customer) = (pair.cart_of_both().await, pair.target.customer().await);
    let path = format!("/v1/clients/{}", pair.source.id);
    let switch = async |disabled: bool| {
        let body = json!({"disabled": disabled});
        setup.operator.patch(&path, body).await.ok()
    };
    let disabled = switch(true).await;
    assert!(disabled["disabledAt"].is_string());
    stage.advance(1);
    assert_eq!(switch(true).await, disabled, "the first time counts");

    assert_eq!(pair.source.api.get("/v1/offers").await.status, 403);
    assert!(pair.target.offers_shared_with_it().await.is_empty());
    let refused = pair.target.sell(&cart, &customer).await;
    refused.not_sellable(2, "the source client is disabled");
    assert!(stage.rows_of("order").is_empty());
    let refused = pair.target.invite(&pair.source, None).await;
    let fields = [("targetClientId".to_owned(), "client_disabled".to_owned())];
    assert_eq!(refused.fields(), fields);

    let enabled = switch(false).await;
    assert_eq!(enabled["disabledAt"], Value::Null);
    let _ = pair.source.api.get("/v1/offers").await.ok();
    let _ = pair.target.sell(&cart, &customer).await.created();
}

#[tokio::test]
async fn an_edit_by_the_operator_changes_its_members_only() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let client = client(&setup).await;
    let path = format!("/v1/clients/{}", client.id);
    let before = setup.operator.get(&path).await.ok();
    let edited = setup
        .operator
        .patch(&path, json!({"name": "Neu"}))
        .await
        .ok();
    let mut expected = before.clone();
    expected["name"] = json!("Neu");
    assert_eq!(edited, expected);
    assert_eq!(setup.operator.get(&path).await.ok(), expected);
    let _ = client.api.get("/v1/offers").await.ok();
}
