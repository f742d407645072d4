//! Unprocessable messages go to the dead-letter queue immediately, each with its reason, without affecting others.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use tandem_queue::{DeadLetterReason, MAX_MESSAGE_BYTES, Message};
use tandem_store::outbox::Due;
use tandem_testing::{Fault, Lost};
use tandem_tests::handlers::{House, Pair};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// A day, enough for the sweep to find each due row.
const DAY: i64 = 86_400;

/// An SQS event with any text, received for the first time.
fn event(bodies: &[String]) -> SqsEvent {
    let record = |(index, body): (usize, &String)| {
        let mut record = SqsMessage::default();
        record.message_id = Some(format!("message-{index}"));
        record.body = Some(body.clone());
        record
            .attributes
            .insert("MessageGroupId".to_owned(), "a tenant".to_owned());
        record
    };
    let mut event = SqsEvent::default();
    event.records = bodies.iter().enumerate().map(record).collect();
    event
}

fn failed(answer: &SqsBatchResponse) -> Vec<&str> {
    answer
        .batch_item_failures
        .iter()
        .map(|failure| failure.item_identifier.as_str())
        .collect()
}

async fn receiver() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    server
}

/// A sale with a waiting callback, and the callback's message.
async fn sold(house: &House, server: &MockServer) -> (Pair, Message) {
    let pair = house.pair(Some(&server.uri())).await;
    house.work().await;
    let _ = house.purchase(&pair, "k1").await.expect(201);
    let row = house
        .table
        .dump()
        .into_iter()
        .find(|row| row["sk"] == "callback")
        .expect("a callback");
    let pk = row["pk"].as_str().expect("a key").to_owned();
    (
        pair,
        Message::try_from(Due {
            pk,
            sk: "callback".to_owned(),
        })
        .expect("a callback"),
    )
}

fn is_due(house: &House, message: &Message) -> bool {
    house.table.dump().iter().any(|row| {
        row["pk"] == message.pk && row["sk"] == message.sk && row["dueShard"].is_string()
    })
}

async fn delivered(server: &MockServer) -> usize {
    server.received_requests().await.expect("recorded").len()
}

/// Unprocessable variants of a valid message, with their reasons.
fn invalid_variants(message: &Message) -> Vec<(String, DeadLetterReason)> {
    let (good, other) = (message.encode(), "cli_0190b8f5c6f77c3ab0a1c2d3e4f50617");
    let long = good.replace('}', &format!("{}}}", " ".repeat(MAX_MESSAGE_BYTES)));
    vec![
        ("<xml/>".to_owned(), DeadLetterReason::Undecodable),
        (
            good.replace("\"v\":1", "\"v\":2"),
            DeadLetterReason::UnknownVersion(2),
        ),
        (
            good.replace(
                &format!("\"tenant\":\"{}\"", message.tenant),
                &format!("\"tenant\":\"{other}\""),
            ),
            DeadLetterReason::ForeignTenant,
        ),
        (long.clone(), DeadLetterReason::Oversized(long.len())),
        (
            good.replace("\"callback\"", "\"parcel\""),
            DeadLetterReason::UnknownKind,
        ),
        (good.replace("cbk_", "mal_"), DeadLetterReason::Undecodable),
    ]
}

#[tokio::test]
async fn an_invalid_message_becomes_a_dead_letter_with_its_reason() {
    let (house, server) = (House::new().await, receiver().await);
    let (_, message) = sold(&house, &server).await;
    let invalid = invalid_variants(&message);
    let mut bodies: Vec<String> = invalid.iter().map(|(body, _)| body.clone()).collect();
    bodies.push(message.encode());
    let answer = house.deliverer.work(event(&bodies)).await.expect("worked");
    assert_eq!(failed(&answer), Vec::<&str>::new());
    let dead_letters = house.dead_letters();
    let put: Vec<_> = dead_letters
        .iter()
        .map(|dead_letter| (dead_letter.body.clone(), dead_letter.reason.clone()))
        .collect();
    assert_eq!(put, invalid);
    assert!(
        dead_letters
            .iter()
            .all(|dead_letter| dead_letter.group.as_deref() == Some("a tenant"))
    );
    assert_eq!(delivered(&server).await, 1, "the good one was delivered");
}

#[tokio::test]
async fn a_message_of_another_workers_kind_becomes_a_dead_letter() {
    let (house, server) = (House::new().await, receiver().await);
    let (_, callback) = sold(&house, &server).await;
    let of = |sk: &str| {
        Message::try_from(Due {
            pk: callback.pk.clone(),
            sk: sk.to_owned(),
        })
        .expect("a kind")
        .encode()
    };
    let (mail, chunk) = (of("mail"), of("chunk#000"));
    let answers = [
        house
            .deliverer
            .work(event(&[mail.clone(), chunk.clone()]))
            .await
            .expect("worked"),
        house
            .mail_worker
            .work(event(&[callback.encode(), chunk]))
            .await
            .expect("worked"),
        house
            .importer
            .work(event(&[callback.encode(), mail]))
            .await
            .expect("worked"),
    ];
    assert!(answers.iter().all(|answer| failed(answer).is_empty()));
    let reasons: Vec<_> = house
        .dead_letters()
        .into_iter()
        .map(|dead_letter| dead_letter.reason)
        .collect();
    assert_eq!(reasons, vec![DeadLetterReason::UnknownKind; 6]);
    assert!(is_due(&house, &callback), "the callback is untouched");
}

/// Members of a callback's row with values that no release writes: garbage, a newer state, another tenant's id.
fn corrupt_members() -> [(&'static str, AttributeValue); 3] {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    [
        ("attempts", text("many")),
        ("status", text("onItsWay")),
        ("clientId", text("cli_0190b8f5c6f77c3ab0a1c2d3e4f50617")),
    ]
}

#[tokio::test]
async fn a_corrupt_callback_is_not_due_and_continues_after_a_redrive() {
    for (member, value) in corrupt_members() {
        let (house, server) = (House::new().await, receiver().await);
        let (_, message) = sold(&house, &server).await;
        let good = house
            .overwrite(&message.pk, &message.sk, member, value)
            .await;
        house.work().await;
        let dead_letters = house.dead_letters();
        let put: Vec<_> = dead_letters
            .iter()
            .map(|dead_letter| (dead_letter.body.as_str(), &dead_letter.reason))
            .collect();
        assert_eq!(
            put,
            [(message.encode().as_str(), &DeadLetterReason::CorruptRow)],
            "{member}"
        );
        house.advance(DAY);
        house.work().await;
        assert_eq!(
            (house.dead_letters().len(), delivered(&server).await),
            (0, 0),
            "{member}: not in a loop"
        );
        house
            .overwrite(&message.pk, &message.sk, member, good)
            .await;
        house.deliver(std::slice::from_ref(&message)).await;
        assert_eq!(
            (house.dead_letters().len(), delivered(&server).await),
            (0, 1),
            "{member}: redriven"
        );
    }
}

#[tokio::test]
async fn a_callback_of_a_corrupt_connection_becomes_a_dead_letter() {
    let (house, server) = (House::new().await, receiver().await);
    let (pair, message) = sold(&house, &server).await;
    let good = house
        .overwrite(
            &pair.connection,
            "connection",
            "source",
            AttributeValue::Bool(true),
        )
        .await;
    house.work().await;
    assert_eq!(house.dead_letters().len(), 1);
    assert!(!is_due(&house, &message));
    house
        .overwrite(&pair.connection, "connection", "source", good)
        .await;
    house.deliver(std::slice::from_ref(&message)).await;
    assert_eq!(delivered(&server).await, 1);
}

#[tokio::test]
async fn a_corrupt_mail_is_not_due_and_continues_after_a_redrive() {
    let house = House::new().await;
    let company = house.company(true).await;
    let (source, target) = (
        house.merchant(&company, "Quelle").await,
        house.merchant(&company, "Ziel").await,
    );
    let body = json!({"targetClientId": target.id, "offersAccess": true});
    let _ = house
        .call(&source.who, "POST /v1/connections", Some(body))
        .await
        .expect(201);
    let row = house
        .table
        .dump()
        .into_iter()
        .find(|row| row["sk"] == "mail")
        .expect("a mail");
    let pk = row["pk"].as_str().expect("a key").to_owned();
    let good = house
        .overwrite(&pk, "mail", "kind", AttributeValue::Bool(true))
        .await;
    house.work().await;
    assert_eq!(house.dead_letters().len(), 1);
    house.advance(DAY);
    house.work().await;
    assert_eq!((house.dead_letters().len(), house.mails().len()), (0, 0));
    house.overwrite(&pk, "mail", "kind", good).await;
    let message = Message::try_from(Due {
        pk,
        sk: "mail".to_owned(),
    })
    .expect("a mail");
    let answer = house
        .mail_worker
        .work(event(&[message.encode()]))
        .await
        .expect("worked");
    assert_eq!((failed(&answer).len(), house.mails().len()), (0, 1));
}

#[tokio::test]
async fn a_message_is_retried_while_the_table_is_unavailable() {
    let (house, server) = (House::new().await, receiver().await);
    let (_, message) = sold(&house, &server).await;
    house.table.faults.plan(0, Fault::Outage(Lost::Request));
    let answer = house
        .deliverer
        .work(event(&[message.encode()]))
        .await
        .expect("worked");
    assert_eq!(failed(&answer), ["message-0"]);
    house.table.faults.clear();
    house.work().await;
    assert_eq!(
        (house.dead_letters().len(), delivered(&server).await),
        (0, 1)
    );
}
