//! Compares docs/callbacks.md with the code.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderMap, HeaderName};
use jiff::SignedDuration;
use standardwebhooks::Webhook;
use tandem_domain::Timestamp;
use tandem_domain::callback::{EventType, RetrySchedule};
use tandem_testing::{Openapi, template};

use crate::document::Document;
use crate::receiver::event_of;
use crate::story::{SECRET, example};

fn document() -> Document {
    Document::read("docs/callbacks.md")
}

#[test]
fn the_request_shown_is_a_signed_sale() {
    let document = document();
    let request = document.blocks("http")[0];
    let (head, body) = request.split_once("\n\n").expect("head and body");
    let headers: BTreeMap<&str, &str> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .collect();
    let body = body.trim_end();
    let sent: i64 = headers["webhook-timestamp"].parse().expect("seconds");
    let signature =
        Webhook::new(SECRET)
            .expect("a secret")
            .sign(headers["webhook-id"], sent, body.as_bytes());
    assert_eq!(signature.expect("signed"), headers["webhook-signature"]);
    assert_eq!(
        &serde_json::from_str::<serde_json::Value>(body).expect("JSON"),
        example("OrderCreatedEvent")
    );
    assert_eq!(document.json(1), *example("OrderCreatedEvent"));
    assert_eq!(document.json(0), *example("ConnectionBlockedEvent"));
    assert_eq!(example("Callback")["id"], headers["webhook-id"]);
    assert!(document.0.contains(SECRET), "the page shows the secret");
}

#[test]
fn the_receiver_shown_accepts_signed_requests_only() {
    assert_eq!(document().blocks("rust"), [include_str!("receiver.rs")]);
    let (body, now) = (
        example("OrderCreatedEvent").to_string(),
        Timestamp::now().as_second(),
    );
    let signature = Webhook::new(SECRET)
        .expect("a secret")
        .sign("cbk_1", now, body.as_bytes())
        .expect("signed");
    let headers = [
        ("webhook-id", "cbk_1"),
        ("webhook-timestamp", &now.to_string()),
        ("webhook-signature", &signature),
    ];
    let header = |(name, value): &(&'static str, &str)| {
        (
            HeaderName::from_static(name),
            value.parse().expect("a header"),
        )
    };
    let headers: HeaderMap = headers.iter().map(header).collect();
    assert_eq!(
        event_of(SECRET, &headers, body.as_bytes()).expect("verified"),
        *example("OrderCreatedEvent")
    );
    assert!(event_of(SECRET, &headers, format!("{body} ").as_bytes()).is_err());
}

#[test]
fn the_page_lists_every_event_type() {
    let known: Vec<String> = EventType::ALL
        .iter()
        .map(|event| format!("`{event}`"))
        .collect();
    let listed: Vec<String> = document()
        .table("## Events")
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    assert_eq!(listed, known);
    let hooks = Openapi::get().document()["webhooks"]
        .as_object()
        .expect("webhooks");
    let hooks: BTreeSet<String> = hooks.keys().map(|word| format!("`{word}`")).collect();
    assert_eq!(hooks, known.into_iter().collect());
}

#[test]
fn page_code_and_template_have_one_schedule() {
    let schedule = RetrySchedule::default();
    let listed: Vec<SignedDuration> = document()
        .table("## Schedule")
        .iter()
        .map(|row| duration(&row[1]))
        .collect();
    let planned: Vec<SignedDuration> = (0..)
        .map_while(|attempts| schedule.wait_after(attempts, 0))
        .collect();
    assert_eq!(listed, planned);
    let deployed = template()["Parameters"]["CallbackRetrySchedule"]["Default"].clone();
    assert_eq!(deployed.as_str().expect("a text").parse(), Ok(schedule));
}

fn duration(text: &str) -> SignedDuration {
    let (number, unit) = text.split_once(' ').expect("a number and a unit");
    let seconds = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        _ => panic!("{text}"),
    };
    SignedDuration::from_secs(number.parse::<i64>().expect("a number") * seconds)
}
