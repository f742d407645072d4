//! The workers of callbacks and mails, and mail events.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tandem_domain::endpoint_health::WAITS_IN_A_ROW;
use tandem_domain::replay::STEP;
use tandem_queue::Kind;
use tandem_testing::{Fault, Lost};
use tandem_tests::{Client, Module, Pair, id};

use crate::environment::{Environment, Sold};
use crate::scenario::{Act, Scenario, scenarios};

/// Attempts before a callback is exhausted.
const ATTEMPTS: u64 = 10;

pub(crate) fn scenarios() -> Vec<Scenario> {
    [callbacks(), mails(), mail_events()].concat()
}

/// A callback before its last attempt, after all others failed.
async fn nearly_exhausted(env: &Environment) -> Act {
    let _ = env.sold().await;
    env.receiver_answers(500);
    for _ in 1..ATTEMPTS {
        let _ = env.stage.advance_to_next_due();
        assert!(!env.hand_over(&env.message(Kind::Callback), 1).await);
    }
    let _ = env.stage.advance_to_next_due();
    Act::Message(env.message(Kind::Callback))
}

/// A sale whose endpoint is paused after it answered 503.
async fn paused(env: &Environment) -> Sold {
    let sold = env.sold().await;
    env.receiver_answers(503);
    assert!(!env.hand_over(&env.message(Kind::Callback), 1).await);
    sold
}

/// A due callback whose worker died after the lease, and whose lease has expired.
async fn cut_off(env: &Environment) -> Act {
    let message = env.message(Kind::Callback);
    let faults = &env.stage.table.faults;
    // Calls: the callback, its endpoint, the lease, and the record.
    faults.plan(3, Fault::Death(Lost::Request));
    tokio::select! {
        biased;
        () = faults.died() => {}
        _ = env.hand_over(&message, 1) => panic!("the worker finishes"),
    }
    faults.clear();
    env.stage.advance(61);
    Act::Message(message)
}

/// A replay of all waiting callbacks.
async fn replay(env: &Environment, source: &Client) -> Act {
    let replayed = source.api.post("/v1/callbacks/replays", json!({})).await;
    let _ = replayed.accepted();
    Act::Message(env.message(Kind::Replay))
}

/// The message of the only row of a kind, with a corrupt member.
pub(crate) async fn corrupted(env: &Environment, kind: Kind, member: &str) -> Act {
    let message = env.message(kind);
    let corrupt = AttributeValue::S("corrupt".to_owned());
    let _ = env
        .stage
        .overwrite(&message.pk, &message.sk, member, corrupt)
        .await;
    Act::Message(message)
}

fn callbacks() -> Vec<Scenario> {
    scenarios! {
        "deliver-callbacks", None, "a receiver that accepts" => |env| {
            let _ = env.sold().await;
            Act::Message(env.message(Kind::Callback))
        }
        "deliver-callbacks", None, "a receiver that fails: ten attempts" => |env| {
            let _ = env.sold().await;
            env.receiver_answers(500);
            Act::Message(env.message(Kind::Callback))
        }
        "deliver-callbacks", None, "the last attempt" => |env| {
            nearly_exhausted(env).await
        }
        "deliver-callbacks", None, "a receiver that answers 410" => |env| {
            let _ = env.sold().await;
            env.receiver_answers(410);
            Act::Message(env.message(Kind::Callback))
        }
        "deliver-callbacks", None, "an overloaded receiver" => |env| {
            let _ = env.sold().await;
            env.receiver_answers(503);
            Act::Message(env.message(Kind::Callback))
        }
        "deliver-callbacks", None, "a paused endpoint" => |env| {
            let sold = paused(env).await;
            let _ = sold.checkout.purchase("another").await.created();
            env.receiver_answers(200);
            Act::Message(env.first_message(Kind::Callback))
        }
        "deliver-callbacks", None, "a successful probe" => |env| {
            let _ = paused(env).await;
            env.receiver_answers(200);
            env.stage.advance(60);
            Act::Message(env.message(Kind::Callback))
        }
        "deliver-callbacks", None, "a failed probe" => |env| {
            let _ = paused(env).await;
            env.stage.advance(60);
            Act::Message(env.message(Kind::Callback))
        }
        "deliver-callbacks", None, "a slow receiver that accepts" => |env| {
            let _ = env.sold().await;
            Act::Slow(env.message(Kind::Callback))
        }
        "deliver-callbacks", None, "a slow receiver that fails" => |env| {
            let _ = env.sold().await;
            env.receiver_answers(500);
            Act::Slow(env.message(Kind::Callback))
        }
        "deliver-callbacks", None, "the third slow attempt in a row" => |env| {
            let (_, checkout) = env.pair().await;
            env.receiver_answers(500);
            for key in ["one", "two", "three"] {
                let _ = checkout.purchase(key).await.created();
            }
            for _ in 1..WAITS_IN_A_ROW {
                assert!(!env.hand_over_as_slow(&env.first_message(Kind::Callback), 1).await);
            }
            env.stage.advance(2);
            Act::Slow(env.first_message(Kind::Callback))
        }
        "deliver-callbacks", None, "an interrupted attempt" => |env| {
            let _ = env.sold().await;
            cut_off(env).await
        }
        "deliver-callbacks", None, "the last attempt, interrupted" => |env| {
            let _ = nearly_exhausted(env).await;
            cut_off(env).await
        }
        "deliver-callbacks", None, "a replay of one step" => |env| {
            let pair = env.held(2).await;
            replay(env, &pair.source).await
        }
        "deliver-callbacks", None, "the first step of a replay of two" => |env| {
            let pair = env.held(STEP + 1).await;
            replay(env, &pair.source).await
        }
        "deliver-callbacks", None, "a corrupt row" => |env| {
            let _ = env.sold().await;
            corrupted(env, Kind::Callback, "event").await
        }
        "deliver-callbacks", None, "a disabled endpoint" => |env| {
            let sold = env.sold().await;
            env.receiver_answers(410);
            env.work_off().await;
            let _ = sold.checkout.purchase("another").await.created();
            Act::Message(env.message(Kind::Callback))
        }
    }
}

/// Invites; returns the connection's id.
async fn invite(env: &Environment) -> String {
    let setup = env.setup();
    let company = setup.company("Medienhaus", Module::On).await;
    let source = setup.client(&company, "Garden Weekly", "en").await;
    let target = setup.client(&company, "Morgenblatt", "de").await;
    let invited = source.invite(&target, None).await.created();
    id(&invited).to_owned()
}

/// Proposed terms with a deadline, and their first mail sent.
async fn proposed(env: &Environment) -> (Pair, String) {
    let (pair, checkout) = env.pair().await;
    let until = env.stage.clock.now() + SignedDuration::from_hours(30 * 24);
    let change = json!({"price": {"amount": 1_250, "currency": "EUR"}, "sellOldTermsUntil": until});
    let offer = id(&checkout.shared_offer).to_owned();
    let _ = pair
        .source
        .api
        .patch(&format!("/v1/offers/{offer}"), change)
        .await
        .ok();
    assert!(!env.hand_over(&env.message(Kind::Mail), 1).await);
    (pair, offer)
}

fn mails() -> Vec<Scenario> {
    scenarios! {
        "send-mails", None, "an invitation" => |env| {
            let _ = invite(env).await;
            Act::Message(env.message(Kind::Mail))
        }
        "send-mails", None, "a warning before old terms end" => |env| {
            let _ = proposed(env).await;
            let _ = env.stage.advance_to_next_due();
            Act::Message(env.message(Kind::Mail))
        }
        "send-mails", None, "a warning that the answer made void" => |env| {
            let (pair, offer) = proposed(env).await;
            let path = format!("/v1/offers/shared/{offer}/accept-terms");
            let _ = pair.target.api.post(&path, json!({"version": 2})).await.ok();
            assert!(!env.hand_over(&env.first_message(Kind::Mail), 1).await);
            let _ = env.stage.advance_to_next_due();
            Act::Message(env.message(Kind::Mail))
        }
        "send-mails", None, "a corrupt row" => |env| {
            let _ = invite(env).await;
            corrupted(env, Kind::Mail, "kind").await
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
        "note-mail-events", None, "the first event of a mail" => |env| {
            Act::MailEvent(mail_event("Bounce", &invite(env).await))
        }
        "note-mail-events", None, "an event of a sent mail" => |env| {
            let connection = invite(env).await;
            env.stage.notes.note(mail_event("Send", &connection)).await.expect("noted");
            Act::MailEvent(mail_event("Bounce", &connection))
        }
    }
}
