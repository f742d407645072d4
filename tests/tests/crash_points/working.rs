//! The workers of callbacks and mails, and what becomes of mails.

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

/// A callback that a receiver refused as often as it is tried but for the last time.
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

/// A sale whose endpoint is paused, since it answered 503 to the callback.
async fn paused(stage: &Stage) -> Pair {
    let (pair, _) = stage.sold().await;
    stage.receiver_answers(503).await;
    assert!(!stage.hand_over(&stage.message(Kind::Callback), 1).await);
    pair
}

/// The callback that is due, whose worker has died after the lease, and the lease is over.
async fn cut_off(stage: &Stage) -> Act {
    let message = stage.message(Kind::Callback);
    let faults = &stage.house.table.faults;
    // The callback, its endpoint, the lease, and what would record the attempt.
    faults.plan(3, Fault::Death(Lost::Request));
    tokio::select! {
        biased;
        () = faults.died() => {}
        _ = stage.hand_over(&message, 1) => panic!("the worker does not die"),
    }
    faults.mend();
    stage.house.advance(61);
    Act::Message(message)
}

/// A replay of all that waits for one.
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

/// The message of the one row of a kind, a member of which nobody can read.
pub(crate) async fn spoilt(stage: &Stage, kind: Kind, member: &str) -> Act {
    let message = stage.message(kind);
    let spoilt = AttributeValue::S("spoilt".to_owned());
    let _ = stage
        .house
        .scribble(&message.pk, &message.sk, member, spoilt)
        .await;
    Act::Message(message)
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
        "deliver-callbacks", None, "a receiver that is overloaded" => |stage| {
            let _ = stage.sold().await;
            stage.receiver_answers(503).await;
            Act::Message(stage.message(Kind::Callback))
        }
        "deliver-callbacks", None, "an endpoint that is paused" => |stage| {
            let pair = paused(stage).await;
            let _ = stage.house.purchase(&pair, "another").await.expect(201);
            stage.receiver_answers(200).await;
            Act::Message(stage.first_message(Kind::Callback))
        }
        "deliver-callbacks", None, "a probe that is taken" => |stage| {
            let _ = paused(stage).await;
            stage.receiver_answers(200).await;
            stage.house.advance(60);
            Act::Message(stage.message(Kind::Callback))
        }
        "deliver-callbacks", None, "a probe that fails" => |stage| {
            let _ = paused(stage).await;
            stage.house.advance(60);
            Act::Message(stage.message(Kind::Callback))
        }
        "deliver-callbacks", None, "a receiver that lets wait and takes it" => |stage| {
            let _ = stage.sold().await;
            Act::Impatient(stage.message(Kind::Callback))
        }
        "deliver-callbacks", None, "a receiver that lets wait and fails" => |stage| {
            let _ = stage.sold().await;
            stage.receiver_answers(500).await;
            Act::Impatient(stage.message(Kind::Callback))
        }
        "deliver-callbacks", None, "the third attempt in a row that waits" => |stage| {
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
        "deliver-callbacks", None, "an attempt that was cut off" => |stage| {
            let _ = stage.sold().await;
            cut_off(stage).await
        }
        "deliver-callbacks", None, "the last attempt, cut off" => |stage| {
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
        "deliver-callbacks", None, "a row that cannot be read" => |stage| {
            let _ = stage.sold().await;
            spoilt(stage, Kind::Callback, "event").await
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

/// Invites; the connection's id.
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
        "send-mails", None, "a row that cannot be read" => |stage| {
            let _ = invite(stage).await;
            spoilt(stage, Kind::Mail, "kind").await
        }
    }
}

/// What is read of an event of SES.
fn mail_event(kind: &str, connection: &str) -> Value {
    let tags = json!({"about": ["invitation"], "connection": [connection]});
    let mail = json!({"timestamp": "2026-11-21T12:00:02.012Z", "tags": tags});
    json!({"source": "aws.ses", "detail": {
        "eventType": kind, "mail": mail, "send": {}, "bounce": {"bounceType": "Permanent", "timestamp": "2026-11-21T12:00:07.412Z"},
    }})
}

fn mail_events() -> Vec<Scenario> {
    scenarios! {
        "note-mail-events", None, "the first news of a mail" => |stage| {
            Act::MailEvent(mail_event("Bounce", &invite(stage).await))
        }
        "note-mail-events", None, "news of a mail that was sent" => |stage| {
            let connection = invite(stage).await;
            stage.house.notes.note(mail_event("Send", &connection)).await.expect("noted");
            Act::MailEvent(mail_event("Bounce", &connection))
        }
    }
}
