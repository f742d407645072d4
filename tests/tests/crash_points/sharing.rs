//! Connections: each change with its history entry, its mail and the row of the pair.

use serde_json::json;
use tandem_tests::handlers::Merchant;

use crate::scenario::{Act, Scenario, scenarios};
use crate::stage::Stage;

pub(crate) fn scenarios() -> Vec<Scenario> {
    [answering(), living()].concat()
}

/// An open invitation: both clients and its path.
async fn invited(stage: &Stage) -> (Merchant, Merchant, String) {
    let house = &stage.house;
    let (source, target) = (
        house.merchant(&house.company(true).await, "Quelle").await,
        house.merchant(&house.company(true).await, "Ziel").await,
    );
    let body = json!({"targetClientId": target.id, "offersAccess": true, "callback": {"url": stage.receiver.uri()}});
    let invited = house
        .call(&source.who, "POST /v1/connections", Some(body))
        .await
        .expect(201);
    stage.work_off().await;
    (
        source,
        target,
        format!("/v1/connections/{}", invited["id"].as_str().expect("an id")),
    )
}

fn answering() -> Vec<Scenario> {
    scenarios! {
        "connections", Some("POST /v1/connections"), "an invitation, with its secret and its mail" => |stage| {
            let house = &stage.house;
            let source = house.merchant(&house.company(true).await, "Quelle").await;
            let target = house.merchant(&house.company(true).await, "Ziel").await;
            let callback = json!({"url": stage.receiver.uri()});
            let body = json!({"targetClientId": target.id, "offersAccess": true, "callback": callback});
            Act::call(&source.who, "POST /v1/connections", body)
        }
        "connections", Some("POST /v1/connections/{connectionId}/accept"), "by the target" => |stage| {
            let (_, target, path) = invited(stage).await;
            Act::bare(&target.who, format!("POST {path}/accept"))
        }
        "connections", Some("POST /v1/connections/{connectionId}/decline"), "by the target" => |stage| {
            let (_, target, path) = invited(stage).await;
            Act::bare(&target.who, format!("POST {path}/decline"))
        }
        "connections", Some("POST /v1/connections/{connectionId}/withdraw"), "by the source" => |stage| {
            let (source, _, path) = invited(stage).await;
            Act::bare(&source.who, format!("POST {path}/withdraw"))
        }
    }
}

fn living() -> Vec<Scenario> {
    scenarios! {
        "connections", Some("POST /v1/connections/{connectionId}/block"), "by the target" => |stage| {
            let pair = stage.pair().await;
            Act::bare(&pair.target.who, format!("POST /v1/connections/{}/block", pair.connection))
        }
        "connections", Some("POST /v1/connections/{connectionId}/unblock"), "by the blocking side" => |stage| {
            let pair = stage.pair().await;
            let path = format!("POST /v1/connections/{}", pair.connection);
            let _ = stage.house.call(&pair.target.who, &format!("{path}/block"), None).await.expect(200);
            stage.work_off().await;
            Act::bare(&pair.target.who, format!("{path}/unblock"))
        }
        "connections", Some("PATCH /v1/connections/{connectionId}"), "a new address for a disabled endpoint" => |stage| {
            let (pair, _) = stage.sold().await;
            stage.receiver_answers(410).await;
            stage.work_off().await;
            stage.receiver_answers(200).await;
            let callback = json!({"callback": {"url": format!("{}/new", stage.receiver.uri())}});
            Act::call(&pair.source.who, format!("PATCH /v1/connections/{}", pair.connection), callback)
        }
        "connections", Some("POST /v1/connections/{connectionId}/callback/rotate-secret"), "a secret, shown once" => |stage| {
            let pair = stage.pair().await;
            Act::bare(&pair.source.who, format!("POST /v1/connections/{}/callback/rotate-secret", pair.connection))
        }
        "connections", Some("POST /v1/connections/{connectionId}/callback/test"), "a test callback" => |stage| {
            let pair = stage.pair().await;
            Act::bare(&pair.source.who, format!("POST /v1/connections/{}/callback/test", pair.connection))
        }
    }
}
