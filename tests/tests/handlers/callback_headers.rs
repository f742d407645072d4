//! Static headers of callbacks: sent with each, never shown, replaced and removed.

use serde_json::{Value, json};
use tandem_tests::{InProcess, Receiver, Reply, id};

/// Answers 401 unless the request has these credentials.
fn require(receiver: &Receiver, credentials: &'static str) {
    receiver.answer_by(move |request| {
        let given = request.headers.get("authorization");
        let is_known = given.is_some_and(|given| given == credentials);
        Reply::status(if is_known { 204 } else { 401 })
    });
}

fn header_names(answer: &Value) -> &Value {
    &answer["callback"]["headerNames"]
}

#[tokio::test]
async fn each_callback_carries_the_credentials_of_its_receiver() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let receiver = setup.receiver().await;
    require(&receiver, "Basic YTpi");
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let path = format!("/v1/connections/{}", pair.connection_id);
    let basic = json!({"name": "Authorization", "value": "Basic YTpi"});
    let tenant = json!({"name": "X-Tenant", "value": "7"});
    let headers = json!({"callback": {"headers": [basic, tenant]}});
    let edited = pair.source.api.patch(&path, headers).await.ok();
    assert_eq!(header_names(&edited), &json!(["authorization", "x-tenant"]));
    let _ = pair.sell().await;
    stage.work().await;
    assert_eq!(receiver.received()[0].header("x-tenant"), "7");
    assert_eq!(pair.source.callbacks_with("delivered").await.len(), 1);

    let removed = json!({"callback": {"headers": []}});
    let edited = pair.source.api.patch(&path, removed).await.ok();
    assert_eq!(header_names(&edited), &json!([]));
    let _ = pair.sell().await;
    stage.work().await;
    assert_eq!(receiver.received()[1].headers.get("x-tenant"), None);
    assert_eq!(pair.source.callbacks_with("pending").await.len(), 1);
}

#[tokio::test]
async fn new_headers_clear_the_failures_of_the_endpoint() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let receiver = setup.receiver().await;
    receiver.answer_always(Reply::status(410));
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let _ = pair.sell().await;
    stage.work().await;
    let path = format!("/v1/connections/{}", pair.connection_id);
    let status = || async { pair.source.api.get(&path).await.ok()["callback"]["status"].clone() };
    assert_eq!(status().await, "disabled");
    let headers = json!({"callback": {"headers": [{"name": "X-Api-Key", "value": "k"}]}});
    let _ = pair.source.api.patch(&path, headers).await.ok();
    assert_eq!(status().await, "ok");
}

#[tokio::test]
async fn no_answer_row_or_history_shows_the_value_of_a_header() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let company = setup.company("Alpen", tandem_tests::Module::On).await;
    let other = setup.company("Kueste", tandem_tests::Module::On).await;
    let source = setup.client(&company, "Bergwelt", "de").await;
    let target = setup.client(&other, "Stadtblick", "de").await;
    let secret = "Bearer canary-4711-of-the-receiver";
    let header = json!({"name": "Authorization", "value": secret});
    let callback = json!({"url": "https://example.com/", "headers": [header]});
    let draft = json!({"targetClientId": target.id, "offersAccess": true, "callback": callback});
    let invited = source.api.post("/v1/connections", draft).await.created();
    let path = format!("/v1/connections/{}", id(&invited));
    let _ = source
        .api
        .patch(&path, json!({"callback": callback}))
        .await
        .ok();
    let endpoint = source
        .api
        .put("/v1/event-endpoint", callback)
        .await
        .created();
    assert_eq!(endpoint["headerNames"], json!(["authorization"]));
    let kept = json!({"url": "https://example.com/moved"});
    let moved = source.api.put("/v1/event-endpoint", kept).await.ok();
    assert_eq!(moved["headerNames"], json!(["authorization"]));
    let shown = source.api.get(&path).await.ok();
    let seen_by_target = target.api.get(&path).await.ok();
    assert_eq!(seen_by_target["callback"], Value::Null);
    for text in [invited, endpoint, moved, shown].map(|answer| answer.to_string()) {
        assert!(!text.contains("canary-4711"), "{text}");
    }
    let rows = format!("{:?}", stage.table.dump());
    assert!(!rows.contains("canary-4711"));
}
