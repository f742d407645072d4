//! Relay and sweep: each kind of row goes to its queue.

use serde_json::json;
use tandem_domain::sweep::GRACE;
use tandem_tests::{id, managed_offer};

use crate::environment::Environment;
use crate::scenario::{Act, Scenario, scenarios};

/// A due callback, replay, mail and chunk.
async fn due_of_each_kind(env: &Environment) {
    let sold = env.sold().await;
    let (source, target) = (&sold.pair.source, &sold.pair.target);
    let blocked = target.act_on_connection("block", &sold.pair.connection_id);
    let _ = blocked.await.ok();
    let item = json!({
        "externalSystemId": "A",
        "offerId": id(&managed_offer(target).await),
        "invoiceCustomerId": id(&sold.checkout.customer),
        "quantity": 1,
        "startDate": "2026-11-01T00:00:00Z",
        "paymentMethod": "BILLING",
    });
    let items = json!({"items": [item]});
    let imported = target.api.post("/v1/imports/orders", items).await;
    let _ = imported.accepted();
    let replayed = source.api.post("/v1/callbacks/replays", json!({})).await;
    let _ = replayed.accepted();
    assert_eq!(env.stage.due().len(), 4);
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    scenarios! {
        "relay-outbox", None, "a row of each kind" => |env| {
            due_of_each_kind(env).await;
            Act::Stream(env.stage.due().into_iter().map(|(_, due)| due).collect())
        }
        "sweep-outbox", None, "a row of each kind" => |env| {
            due_of_each_kind(env).await;
            env.stage.clock.advance(GRACE);
            Act::Sweep
        }
    }
}
