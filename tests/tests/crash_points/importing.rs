//! Imports: accept, retry, process.

use serde_json::{Value, json};
use tandem_queue::Kind;
use tandem_tests::Importing;

use crate::environment::Environment;
use crate::scenario::{Act, Scenario, scenarios};
use crate::working::corrupted;

pub(crate) fn scenarios() -> Vec<Scenario> {
    [accepting(), running()].concat()
}

/// A client with an event endpoint, and items: the first is valid, the last names an unknown offer.
async fn importing(env: &Environment) -> (Importing, Vec<Value>) {
    let importing = Importing::new(&env.setup()).await;
    let endpoint = json!({"url": env.receiver.url()});
    let set = importing.client.api.put("/v1/event-endpoint", endpoint);
    let _ = set.await.expect(201);
    let unknown_offer = json!({"offerId": "off_0190b8f5c6f77c3ab0a1c2d3e4f50617"});
    let items = vec![
        importing.item("A", json!({})),
        importing.item("B", json!({})),
        importing.item("C", unknown_offer),
    ];
    (importing, items)
}

/// Accepts an import later than the previous one; returns the promise's id.
async fn accepted(env: &Environment, importing: &Importing, items: &[Value]) -> String {
    env.stage.advance(1);
    importing.start(items).await
}

fn accepting() -> Vec<Scenario> {
    scenarios! {
        "import-orders", Some("POST /v1/imports/orders"), "three items" => |env| {
            let (importing, items) = importing(env).await;
            Act::call(&importing.client.api, "POST /v1/imports/orders", json!({"items": items}))
        }
        "import-orders", Some("POST /v1/imports/{promiseId}/retry"), "of a failed item" => |env| {
            let (importing, items) = importing(env).await;
            let promise = accepted(env, &importing, &items).await;
            env.work_off().await;
            env.stage.advance(1);
            Act::bare(&importing.client.api, format!("POST /v1/imports/{promise}/retry"))
        }
    }
}

fn running() -> Vec<Scenario> {
    scenarios! {
        "process-imports", None, "new items and a failing one" => |env| {
            let (importing, items) = importing(env).await;
            let _ = accepted(env, &importing, &items).await;
            Act::Message(env.message(Kind::Import))
        }
        "process-imports", None, "a corrupt chunk" => |env| {
            let (importing, items) = importing(env).await;
            let _ = accepted(env, &importing, &items).await;
            corrupted(env, Kind::Import, "tries").await
        }
        "process-imports", None, "changed items and an unchanged one" => |env| {
            let (importing, mut items) = importing(env).await;
            let _ = accepted(env, &importing, &items).await;
            env.work_off().await;
            items[0]["quantity"] = json!(2);
            let _ = accepted(env, &importing, &items[..2]).await;
            Act::Message(env.message(Kind::Import))
        }
    }
}
