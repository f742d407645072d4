//! Relay and sweep: each kind of row goes to its queue.

use serde_json::json;

use crate::scenario::{Act, Scenario, scenarios};
use crate::stage::Stage;

/// A due callback, replay, mail and chunk.
async fn due_of_each_kind(stage: &Stage) {
    let house = &stage.house;
    let (pair, _) = stage.sold().await;
    let block = format!("POST /v1/connections/{}/block", pair.connection);
    let _ = house.call(&pair.target.who, &block, None).await.expect(200);
    let item = json!({
        "externalSystemId": "A",
        "offerId": house.offer(&pair.target, json!({"externallyManaged": true})).await,
        "invoiceCustomerId": pair.customer,
        "quantity": 1,
        "startDate": "2026-11-01T00:00:00Z",
        "paymentMethod": "BILLING",
    });
    let body = Some(json!({"items": [item]}));
    let _ = house
        .call(&pair.target.who, "POST /v1/imports/orders", body)
        .await
        .expect(202);
    let _ = house
        .call(
            &pair.source.who,
            "POST /v1/callbacks/replays",
            Some(json!({})),
        )
        .await
        .expect(202);
    assert_eq!(stage.house.due().len(), 4);
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    scenarios! {
        "relay-outbox", None, "a row of each kind" => |stage| {
            due_of_each_kind(stage).await;
            Act::Stream(stage.house.due().into_iter().map(|(_, due)| due).collect())
        }
        "sweep-outbox", None, "a row of each kind" => |stage| {
            due_of_each_kind(stage).await;
            Act::Sweep
        }
    }
}
