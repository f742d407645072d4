//! Imports: accept, retry, process.

use serde_json::{Value, json};
use tandem_queue::Kind;
use tandem_tests::handlers::Merchant;

use crate::scenario::{Act, Scenario, scenarios};
use crate::stage::Stage;
use crate::working::corrupted;

pub(crate) fn scenarios() -> Vec<Scenario> {
    [accepting(), running()].concat()
}

/// A client with an event endpoint, and items: the first is valid, the last names an unknown offer.
async fn importing(stage: &Stage) -> (Merchant, Vec<Value>) {
    let house = &stage.house;
    let client = house.merchant(&house.company(false).await, "Abo").await;
    let offer = house
        .offer(&client, json!({"externallyManaged": true}))
        .await;
    let customer = house.customer(&client, "anna@example.com").await;
    let set = Some(json!({"url": stage.receiver.uri()}));
    let _ = house
        .call(&client.who, "PUT /v1/event-endpoint", set)
        .await
        .expect(201);
    let item = |(external, offer): (&str, &str)| {
        json!({
            "externalSystemId": external,
            "offerId": offer,
            "invoiceCustomerId": customer,
            "quantity": 1,
            "startDate": "2026-11-01T00:00:00Z",
            "paymentMethod": "BILLING",
        })
    };
    let nothing = "off_0190b8f5c6f77c3ab0a1c2d3e4f50617";
    let items = [("A", offer.as_str()), ("B", offer.as_str()), ("C", nothing)]
        .into_iter()
        .map(item)
        .collect();
    (client, items)
}

/// Accepts an import later than the previous one; returns its path.
async fn accepted(stage: &Stage, client: &Merchant, items: &[Value]) -> String {
    stage.house.advance(1);
    let body = Some(json!({"items": items}));
    let promise = stage
        .house
        .call(&client.who, "POST /v1/imports/orders", body)
        .await
        .expect(202);
    format!(
        "/v1/imports/{}",
        promise["promiseId"].as_str().expect("an id")
    )
}

fn accepting() -> Vec<Scenario> {
    scenarios! {
        "import-orders", Some("POST /v1/imports/orders"), "three items" => |stage| {
            let (client, items) = importing(stage).await;
            Act::call(&client.who, "POST /v1/imports/orders", json!({"items": items}))
        }
        "import-orders", Some("POST /v1/imports/{promiseId}/retry"), "of a failed item" => |stage| {
            let (client, items) = importing(stage).await;
            let promise = accepted(stage, &client, &items).await;
            stage.work_off().await;
            stage.house.advance(1);
            Act::bare(&client.who, format!("POST {promise}/retry"))
        }
    }
}

fn running() -> Vec<Scenario> {
    scenarios! {
        "process-imports", None, "new items and a failing one" => |stage| {
            let (client, items) = importing(stage).await;
            let _ = accepted(stage, &client, &items).await;
            Act::Message(stage.message(Kind::Import))
        }
        "process-imports", None, "a corrupt chunk" => |stage| {
            let (client, items) = importing(stage).await;
            let _ = accepted(stage, &client, &items).await;
            corrupted(stage, Kind::Import, "tries").await
        }
        "process-imports", None, "changed items and an unchanged one" => |stage| {
            let (client, mut items) = importing(stage).await;
            let _ = accepted(stage, &client, &items).await;
            stage.work_off().await;
            items[0]["quantity"] = json!(2);
            let _ = accepted(stage, &client, &items[..2]).await;
            Act::Message(stage.message(Kind::Import))
        }
    }
}
