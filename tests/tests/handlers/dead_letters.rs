//! Unprocessable messages go to the dead-letter queue immediately, each with its reason, without affecting others.

use std::sync::Arc;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_dynamodb::types::AttributeValue;
use tandem_queue::{DeadLetterReason, MAX_MESSAGE_BYTES, Message};
use tandem_store::outbox::Due;
use tandem_testing::{Fault, Lost};
use tandem_tests::{InProcess, Module, Pair, Receiver};

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

/// A sale with a waiting callback.
struct Sold {
    stage: Arc<InProcess>,
    receiver: Receiver,
    pair: Pair,
    /// The callback's message.
    message: Message,
}

impl Sold {
    async fn new() -> Self {
        let stage = InProcess::start().await;
        let setup = stage.setup();
        let receiver = setup.receiver().await;
        let pair = setup.pair_between_two_companies(&receiver.url()).await;
        let checkout = pair.checkout().await;
        stage.work().await;
        let _ = checkout.purchase("k1").await.created();
        let message = message_of(&stage, "callback");
        Self {
            stage,
            receiver,
            pair,
            message,
        }
    }

    fn is_due(&self) -> bool {
        let due = self.stage.due().into_iter();
        let mut due = due.map(|(_, row)| (row.pk, row.sk));
        due.any(|key| key == (self.message.pk.clone(), self.message.sk.clone()))
    }

    /// Gives the callback's message to its worker, as a redrive does.
    async fn redrive(&self) {
        let message = std::slice::from_ref(&self.message);
        self.stage.deliver(message).await;
    }

    fn delivered(&self) -> usize {
        self.receiver.received().len()
    }
}

/// The message of the only row with this sort key.
fn message_of(stage: &InProcess, sk: &str) -> Message {
    let rows = stage.rows_of(sk);
    assert_eq!(rows.len(), 1, "{rows:?}");
    let pk = rows[0]["pk"].as_str().expect("a key").to_owned();
    let sk = sk.to_owned();
    Message::try_from(Due { pk, sk }).expect("a kind")
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
    let sold = Sold::new().await;
    let invalid = invalid_variants(&sold.message);
    let mut bodies: Vec<String> = invalid.iter().map(|(body, _)| body.clone()).collect();
    bodies.push(sold.message.encode());
    let answer = sold.stage.deliverer.work(event(&bodies)).await;
    assert_eq!(failed(&answer.expect("worked")), Vec::<&str>::new());
    let dead_letters = sold.stage.dead_letters();
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
    assert_eq!(sold.delivered(), 1, "the good one was delivered");
}

#[tokio::test]
async fn a_message_of_another_workers_kind_becomes_a_dead_letter() {
    let sold = Sold::new().await;
    let of = |sk: &str| {
        let (pk, sk) = (sold.message.pk.clone(), sk.to_owned());
        Message::try_from(Due { pk, sk }).expect("a kind").encode()
    };
    let (callback, mail, chunk) = (sold.message.encode(), of("mail"), of("chunk#000"));
    let stage = &sold.stage;
    let to_deliverer = event(&[mail.clone(), chunk.clone()]);
    let to_mail_worker = event(&[callback.clone(), chunk]);
    let answers = [
        stage.deliverer.work(to_deliverer).await,
        stage.mail_worker.work(to_mail_worker).await,
        stage.importer.work(event(&[callback, mail])).await,
    ];
    for answer in answers {
        assert_eq!(failed(&answer.expect("worked")), Vec::<&str>::new());
    }
    let dead_letters = stage.dead_letters().into_iter();
    let reasons: Vec<_> = dead_letters.map(|dead_letter| dead_letter.reason).collect();
    assert_eq!(reasons, vec![DeadLetterReason::UnknownKind; 6]);
    assert!(sold.is_due(), "the callback is untouched");
}

/// Members of a callback's row with values that no release writes: garbage, a newer state, another tenant's id.
fn corrupt_members() -> [(&'static str, AttributeValue); 3] {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    [
        ("event", text("sometime")),
        ("status", text("onItsWay")),
        ("clientId", text("cli_0190b8f5c6f77c3ab0a1c2d3e4f50617")),
    ]
}

#[tokio::test]
async fn a_corrupt_callback_is_not_due_and_continues_after_a_redrive() {
    for (member, value) in corrupt_members() {
        let sold = Sold::new().await;
        let (stage, pk, sk) = (&sold.stage, &sold.message.pk, &sold.message.sk);
        let good = stage.overwrite(pk, sk, member, value).await;
        stage.work().await;
        let dead_letters = stage.dead_letters();
        let put: Vec<_> = dead_letters
            .iter()
            .map(|dead_letter| (dead_letter.body.as_str(), &dead_letter.reason))
            .collect();
        assert_eq!(
            put,
            [(
                sold.message.encode().as_str(),
                &DeadLetterReason::CorruptRow
            )],
            "{member}"
        );
        stage.advance(DAY);
        stage.work().await;
        assert_eq!(
            (stage.dead_letters().len(), sold.delivered()),
            (0, 0),
            "{member}: not in a loop"
        );
        stage.overwrite(pk, sk, member, good).await;
        sold.redrive().await;
        assert_eq!(
            (stage.dead_letters().len(), sold.delivered()),
            (0, 1),
            "{member}: redriven"
        );
    }
}

#[tokio::test]
async fn a_callback_of_a_corrupt_connection_becomes_a_dead_letter() {
    let sold = Sold::new().await;
    let (stage, connection) = (&sold.stage, &sold.pair.connection_id);
    let corrupt = AttributeValue::Bool(true);
    let overwritten = stage.overwrite(connection, "connection", "source", corrupt);
    let good = overwritten.await;
    stage.work().await;
    assert_eq!(stage.dead_letters().len(), 1);
    assert!(!sold.is_due());
    stage
        .overwrite(connection, "connection", "source", good)
        .await;
    sold.redrive().await;
    assert_eq!(sold.delivered(), 1);
}

#[tokio::test]
async fn a_corrupt_mail_is_not_due_and_continues_after_a_redrive() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let company = setup.company("Medienhaus", Module::On).await;
    let source = setup.client(&company, "Quelle", "de").await;
    let target = setup.client(&company, "Ziel", "de").await;
    let _ = source.invite(&target, None).await.created();
    let message = message_of(&stage, "mail");
    let corrupt = AttributeValue::Bool(true);
    let good = stage.overwrite(&message.pk, "mail", "kind", corrupt).await;
    stage.work().await;
    assert_eq!(stage.dead_letters().len(), 1);
    stage.advance(DAY);
    stage.work().await;
    assert_eq!((stage.dead_letters().len(), stage.mails().len()), (0, 0));
    stage.overwrite(&message.pk, "mail", "kind", good).await;
    assert!(!stage.process(&message, 1).await);
    assert_eq!(stage.mails().len(), 1);
}

#[tokio::test]
async fn a_message_is_retried_while_the_table_is_unavailable() {
    let sold = Sold::new().await;
    let (stage, faults) = (&sold.stage, &sold.stage.table.faults);
    faults.plan(0, Fault::Outage(Lost::Request));
    let answer = stage.deliverer.work(event(&[sold.message.encode()])).await;
    assert_eq!(failed(&answer.expect("worked")), ["message-0"]);
    faults.clear();
    stage.work().await;
    assert_eq!((stage.dead_letters().len(), sold.delivered()), (0, 1));
}
