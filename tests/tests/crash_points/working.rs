//! The workers of callbacks and mails, and mail events.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tandem_domain::endpoint_health::WAITS_IN_A_ROW;
use tandem_domain::replay::STEP;
use tandem_queue::Kind;
use tandem_testing::{Fault, Lost};
use tandem_tests::handlers::Pair;

use crate::scenario::{Act, Scenario, scenarios};
use crate::stage::Stage;

/// Attempts before a callback is exhausted.
const ATTEMPTS: u64 = 10;

pub(crate) fn scenarios() -> Vec<Scenario> {
    [callbacks(), mails(), mail_events()].concat()
}

/// A callback before its last attempt, after all others failed.
async fn nearly_exhausted(stage: &Stage) -> Act {
    let _ = stage.sold().await;
    stage.receiver_answers(500).await;
    for _ in 1..ATTEMPTS {
        let (at, _) = stage.house.due().remove(0);
        stage
            .house
            .clock
            .advance(at.duration_since(stage.house.clock.now()));
        assert!(!stage.hand_over(&stage.message(Kind::Callback), 1).await);
    }
    let (at, _) = stage.house.due().remove(0);
    stage
        .house
        .clock
        .advance(at.duration_since(stage.house.clock.now()));
    Act::Message(stage.message(Kind::Callback))
}

/// A sale whose endpoint is paused after it answered 503.
async fn paused(stage: &Stage) -> Pair {
    let (pair, _) = stage.sold().await;
    stage.receiver_answers(503).await;
    assert!(!stage.hand_over(&stage.message(Kind::Callback), 1).await);
    pair
}

/// A due callback whose worker died after the lease, and whose lease has expired.
async fn cut_off(stage: &Stage) -> Act {
    let message = stage.message(Kind::Callback);
    let faults = &stage.house.table.faults;
    // Calls: the callback, its endpoint, the lease, and the record.
    faults.plan(3, Fault::Death(Lost::Request));
    tokio::select! {
        biased;
        () = faults.died() => {}
        _ = stage.hand_over(&message, 1) => panic!("the worker finishes"),
    }
    faults.clear();
    stage.house.advance(61);
    Act::Message(message)
}

/// A replay of all waiting callbacks.
async fn replay(stage: &Stage, pair: &Pair) -> Act {
    let _ = stage
        .house
        .call(
            &pair.source.who,
            "POST /v1/callbacks/replays",
            Some(json!({})),
        )
        .await
        .expect(202);
    Act::Message(stage.message(Kind::Replay))
}

/// The message of the only row of a kind, with a corrupt member.
pub(crate) async fn corrupted(stage: &Stage, kind: Kind, member: &str) -> Act {
    let message = stage.message(kind);
    let corrupt = AttributeValue::S("corrupt".to_owned());
    let _ = stage
        .house
        .overwrite(&message.pk, &message.sk, member, corrupt)
        .await;
    Act::Message(message)
}

fn callbacks() -> Vec<Scenario> {
    scenarios! {
        "deliver-callbacks", None, "a receiver that accepts" => |stage| {
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
        "deliver-callbacks", None, "a receiver that answers 410" => |stage| {
            let _ = stage.sold().await;
            stage.receiver_answers(410).await;
            Act::Message(stage.message(Kind::Callback))
        }
        "deliver-callbacks", None, "an overloaded receiver" => |stage| {
            let _ = stage.sold().await;
            stage.receiver_answers(503).await;
            Act::Message(stage.message(Kind::Callback))
        }
        "deliver-callbacks", None, "a paused endpoint" => |stage| {
            let pair = paused(stage).await;
            let _ = stage.house.purchase(&pair, "another").await.expect(201);
            stage.receiver_answers(200).await;
            Act::Message(stage.first_message(Kind::Callback))
        }
        "deliver-callbacks", None, "a successful probe" => |stage| {
            let _ = paused(stage).await;
            stage.receiver_answers(200).await;
            stage.house.advance(60);
            Act::Message(stage.message(Kind::Callback))
        }
        "deliver-callbacks", None, "a failed probe" => |stage| {
            let _ = paused(stage).await;
            stage.house.advance(60);
            Act::Message(stage.message(Kind::Callback))
        }
        "deliver-callbacks", None, "a slow receiver that accepts" => |stage| {
            let _ = stage.sold().await;
            Act::Impatient(stage.message(Kind::Callback))
        }
        "deliver-callbacks", None, "a slow receiver that fails" => |stage| {
            let _ = stage.sold().await;
            stage.receiver_answers(500).await;
            Act::Impatient(stage.message(Kind::Callback))
        }
        "deliver-callbacks", None, "the third slow attempt in a row" => |stage| {
            let pair = stage.pair().await;
            stage.receiver_answers(500).await;
            for key in ["one", "two", "three"] {
                let _ = stage.house.purchase(&pair, key).await.expect(201);
            }
            for _ in 1..WAITS_IN_A_ROW {
                assert!(!stage.hand_over_impatiently(&stage.first_message(Kind::Callback), 1).await);
            }
            stage.house.advance(2);
            Act::Impatient(stage.first_message(Kind::Callback))
        }
        "deliver-callbacks", None, "an interrupted attempt" => |stage| {
            let _ = stage.sold().await;
            cut_off(stage).await
        }
        "deliver-callbacks", None, "the last attempt, interrupted" => |stage| {
            let _ = nearly_exhausted(stage).await;
            cut_off(stage).await
        }
        "deliver-callbacks", None, "a replay of one step" => |stage| {
            let pair = stage.held(2).await;
            replay(stage, &pair).await
        }
        "deliver-callbacks", None, "the first step of a replay of two" => |stage| {
            let pair = stage.held(STEP + 1).await;
            replay(stage, &pair).await
        }
        "deliver-callbacks", None, "a corrupt row" => |stage| {
            let _ = stage.sold().await;
            corrupted(stage, Kind::Callback, "event").await
        }
        "deliver-callbacks", None, "a disabled endpoint" => |stage| {
            let (pair, _) = stage.sold().await;
            stage.receiver_answers(410).await;
            stage.work_off().await;
            let _ = stage.house.purchase(&pair, "another").await.expect(201);
            Act::Message(stage.message(Kind::Callback))
        }
    }
}

/// Invites; returns the connection's id.
async fn invite(stage: &Stage) -> String {
    let house = &stage.house;
    let company = house.company(true).await;
    let (source, target) = (
        house.merchant(&company, "Quelle").await,
        house.merchant(&company, "Ziel").await,
    );
    let body = json!({"targetClientId": target.id, "offersAccess": true});
    let invited = house
        .call(&source.who, "POST /v1/connections", Some(body))
        .await
        .expect(201);
    invited["id"].as_str().expect("an id").to_owned()
}

fn mails() -> Vec<Scenario> {
    scenarios! {
        "send-mails", None, "an invitation" => |stage| {
            let _ = invite(stage).await;
            Act::Message(stage.message(Kind::Mail))
        }
        "send-mails", None, "a corrupt row" => |stage| {
            let _ = invite(stage).await;
            corrupted(stage, Kind::Mail, "kind").await
        }
    }
}

/// The parts of an SES event that the function reads.
fn mail_event(kind: &str, connection: &str) -> Value {
    let tags = json!({"about": ["invitation"], "connection": [connection]});
    let mail = json!({"timestamp": "2026-11-21T12:00:02.012Z", "tags": tags});
    json!({"source": "aws.ses", "detail": {
        "eventType": kind, "mail": mail, "send": {}, "bounce": {"bounceType": "Permanent", "timestamp": "2026-11-21T12:00:07.412Z"},
    }})
}

fn mail_events() -> Vec<Scenario> {
    scenarios! {
        "note-mail-events", None, "the first event of a mail" => |stage| {
            Act::MailEvent(mail_event("Bounce", &invite(stage).await))
        }
        "note-mail-events", None, "an event of a sent mail" => |stage| {
            let connection = invite(stage).await;
            stage.house.notes.note(mail_event("Send", &connection)).await.expect("noted");
            Act::MailEvent(mail_event("Bounce", &connection))
        }
    }
}
