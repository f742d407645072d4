//! One key on several routes in quick succession: the gateway caches the authorizer's answers, and an answer for one route must
//! not apply to another.

use serde_json::json;
use tandem_tests::{Api, Module, Setup};

#[tokio::test]
async fn a_key_opens_only_the_routes_of_its_scope_in_any_order() {
    let setup = Setup::new().await;
    let company = setup.company("Medienhaus", Module::On).await;
    let client = setup.client(&company, "Garden Weekly", "en").await;
    for refused_first in [false, true] {
        let path = format!("/v1/clients/{}/api-keys", client.id);
        let key = setup
            .operator
            .post(&path, json!({"scopes": ["catalog:read"]}))
            .await
            .created();
        let api = setup.caller(
            key["apiKey"]
                .as_str()
                .expect("a key is shown when it is made"),
        );
        if refused_first {
            is_refused_elsewhere(&api).await;
        }
        for _ in 0..2 {
            let _ = api.get("/v1/offers").await.ok();
            is_refused_elsewhere(&api).await;
        }
    }
}

/// On another path, and on the same path with another method.
async fn is_refused_elsewhere(api: &Api) {
    api.get("/v1/customers").await.problem(403, "scope_missing");
    api.post("/v1/offers", json!({}))
        .await
        .problem(403, "scope_missing");
}
