//! Mail events, from SES to the connection that shows them. The local emulator delivers no such events; these have the form
//! that AWS documents.

use std::sync::Arc;

use serde_json::{Value, json};
use tandem_tests::{Client, InProcess, Module, id};

const AT: &str = "2026-11-21T12:00:07.412Z";

/// An SES event in EventBridge's form; `details` is its specific part, e.g. `bounce`.
fn event(kind: &str, tags: Value, details: Value) -> Value {
    let mut detail = json!({
        "eventType": kind,
        "mail": {
            "timestamp": "2026-11-21T12:00:02.012Z",
            "source": "Tandem <tandem@example.com>",
            "sourceArn": "arn:aws:ses:eu-central-1:123456789012:identity/tandem@example.com",
            "sendingAccountId": "123456789012",
            "messageId": "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000",
            "destination": ["recipient@example.com"],
            "headersTruncated": false,
            "headers": [{"name": "To", "value": "recipient@example.com"}],
            "commonHeaders": {"from": ["Tandem <tandem@example.com>"], "to": ["recipient@example.com"], "subject": "Einladung"},
            "tags": tags,
        },
    });
    detail
        .as_object_mut()
        .expect("an object")
        .extend(details.as_object().expect("an object").clone());
    let name = match kind {
        "Bounce" => "Email Bounced",
        "Complaint" => "Email Complaint Received",
        _ => "Email Sent",
    };
    json!({
        "version": "0",
        "id": "12345678-1234-1234-1234-123456789012",
        "detail-type": name,
        "source": "aws.ses",
        "account": "123456789012",
        "time": "2026-11-21T12:00:08Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:ses:eu-central-1:123456789012:configuration-set/mails"],
        "detail": detail,
    })
}

fn bounce() -> Value {
    let recipient = json!({"emailAddress": "recipient@example.com", "action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550"});
    json!({"bounce": {
        "bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [recipient], "timestamp": AT,
        "feedbackId": "01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000", "reportingMTA": "dsn; mta.example.com",
    }})
}

fn complaint() -> Value {
    json!({"complaint": {
        "complainedRecipients": [{"emailAddress": "recipient@example.com"}], "timestamp": AT,
        "feedbackId": "01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000", "complaintFeedbackType": "abuse",
    }})
}

async fn invited(stage: &Arc<InProcess>) -> (Client, Client, String) {
    let setup = stage.setup();
    let company = setup.company("Medienhaus", Module::On).await;
    let source = setup.client(&company, "Garden Weekly", "de").await;
    let target = setup.client(&company, "Morgenblatt", "de").await;
    let made = source.invite(&target, None).await.created();
    assert_eq!(made["invitationMail"], Value::Null);
    let connection_id = id(&made).to_owned();
    (source, target, connection_id)
}

#[tokio::test]
async fn only_the_source_sees_the_fate_of_its_invitation_mail() {
    let stage = InProcess::start().await;
    let (source, target, connection_id) = invited(&stage).await;
    stage.work().await;
    let [sent] = stage.mails().try_into().expect("one mail");
    let tags: serde_json::Map<String, Value> = sent
        .mail
        .tags()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!([value])))
        .collect();
    for (kind, details, status, at) in [
        (
            "Send",
            json!({"send": {}}),
            "sent",
            "2026-11-21T12:00:02.012Z",
        ),
        ("Bounce", bounce(), "bounced", AT),
        ("Complaint", complaint(), "complained", AT),
    ] {
        stage
            .notes
            .note(event(kind, json!(tags), details))
            .await
            .expect("noted");
        assert_eq!(
            source.connection(&connection_id).await["invitationMail"],
            json!({"status": status, "at": at})
        );
    }
    assert_eq!(
        target
            .connection(&connection_id)
            .await
            .get("invitationMail"),
        None
    );
    assert!(
        !json!(stage.table.dump())
            .to_string()
            .contains("recipient@example.com")
    );
}

#[tokio::test]
async fn late_and_repeated_events_change_nothing() {
    let stage = InProcess::start().await;
    let (source, _, connection_id) = invited(&stage).await;
    let tags = json!({"about": ["invitation"], "connection": [connection_id]});
    stage
        .notes
        .note(event("Bounce", tags.clone(), bounce()))
        .await
        .expect("noted");
    let before = stage.table.dump();
    for (kind, details) in [("Bounce", bounce()), ("Send", json!({"send": {}}))] {
        stage
            .notes
            .note(event(kind, tags.clone(), details))
            .await
            .expect("noted");
    }
    assert_eq!(stage.table.dump(), before);
    assert_eq!(
        source.connection(&connection_id).await["invitationMail"]["status"],
        "bounced"
    );
}

#[tokio::test]
async fn events_of_other_mails_are_ignored() {
    let stage = InProcess::start().await;
    let (_, _, connection_id) = invited(&stage).await;
    let before = stage.table.dump();
    let unknown = "con_0190b8f5c6f77c3ab0a1c2d3e4f50617";
    for strange in [
        event(
            "Bounce",
            json!({"about": ["invitation"], "connection": [unknown]}),
            bounce(),
        ),
        event(
            "Bounce",
            json!({"about": ["invitation"], "connection": ["x"]}),
            bounce(),
        ),
        event("Bounce", json!({"about": ["invitation"]}), bounce()),
        event("Bounce", json!({"connection": [connection_id]}), bounce()),
        event(
            "Bounce",
            json!({"about": ["invitation"], "connection": [connection_id]}),
            json!({}),
        ),
        event(
            "Open",
            json!({"about": ["invitation"], "connection": [connection_id]}),
            json!({"open": {}}),
        ),
        json!({"detail": 5}),
        Value::Null,
    ] {
        stage
            .notes
            .note(strange.clone())
            .await
            .unwrap_or_else(|error| panic!("{strange}: {error}"));
    }
    assert_eq!(stage.table.dump(), before);
}

#[tokio::test]
async fn concurrent_events_end_with_the_most_severe_one() {
    let stage = InProcess::start().await;
    let (source, _, connection_id) = invited(&stage).await;
    let tags = json!({"about": ["invitation"], "connection": [connection_id]});
    let note = |kind, details| stage.notes.note(event(kind, tags.clone(), details));
    let all = [
        note("Send", json!({})),
        note("Complaint", complaint()),
        note("Bounce", bounce()),
        note("Send", json!({})),
    ];
    for noted in futures::future::join_all(all).await {
        noted.expect("noted");
    }
    assert_eq!(
        source.connection(&connection_id).await["invitationMail"]["status"],
        "complained"
    );
}
