//! The workers of callbacks and mails.

use serde_json::json;
use tandem_queue::Kind;

use crate::scenario::{Act, Scenario, scenarios};
use crate::stage::Stage;

/// Attempts before a callback is exhausted.
const ATTEMPTS: u64 = 10;

pub(crate) fn scenarios() -> Vec<Scenario> {
    [callbacks(), mails()].concat()
}

/// A callback that a receiver refused as often as it is tried but for the last time.
async fn nearly_exhausted(stage: &Stage) -> Act {
    let _ = stage.sold().await;
    stage.receiver_answers(500).await;
    for _ in 1..ATTEMPTS {
        let (at, _) = stage.due().remove(0);
        stage.house.clock.advance(at.duration_since(stage.house.clock.now()));
        assert!(!stage.hand_over(&stage.message(Kind::Callback), 1).await);
    }
    let (at, _) = stage.due().remove(0);
    stage.house.clock.advance(at.duration_since(stage.house.clock.now()));
    Act::Message(stage.message(Kind::Callback))
}

fn callbacks() -> Vec<Scenario> {
    scenarios! {
        "deliver-callbacks", None, "a receiver that takes it" => |stage| {
            let _ = stage.sold().await;
            Act::Message(stage.message(Kind::Callback))
        }
        "deliver-callbacks", None, "a receiver that fails: ten attempts" => |stage| {
            let _ = stage.sold().await;
            stage.receiver_answers(500).await;
            Act::Message(stage.message(Kind::Callback))
        }
        "deliver-callbacks", None, "the last attempt" => |stage| {
            nearly_exhausted(stage).await
        }
        "deliver-callbacks", None, "a receiver that wants no more" => |stage| {
            let _ = stage.sold().await;
            stage.receiver_answers(410).await;
            Act::Message(stage.message(Kind::Callback))
        }
        "deliver-callbacks", None, "an endpoint that is disabled" => |stage| {
            let (pair, _) = stage.sold().await;
            stage.receiver_answers(410).await;
            stage.work_off().await;
            let _ = stage.house.purchase(&pair, "another").await.expect(201);
            Act::Message(stage.message(Kind::Callback))
        }
    }
}

fn mails() -> Vec<Scenario> {
    scenarios! {
        "send-mails", None, "an invitation" => |stage| {
            let house = &stage.house;
            let company = house.company(true).await;
            let (source, target) = (house.merchant(&company, "Quelle").await, house.merchant(&company, "Ziel").await);
            let body = json!({"targetClientId": target.id, "offersAccess": true});
            let _ = house.call(&source.who, "POST /v1/connections", Some(body)).await.expect(201);
            Act::Message(stage.message(Kind::Mail))
        }
    }
}
