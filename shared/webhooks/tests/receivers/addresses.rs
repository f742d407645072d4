//! Which addresses are called, and how often a name is resolved.

use std::future::pending;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tandem_domain::callback::Outcome;
use tandem_webhooks::{Lookup, Resolver, Sender, SenderSettings};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::{Receiver, hasty, local, send_to, url};

/// Returns one answer after another, and counts the lookups.
#[derive(Clone)]
struct Scripted {
    answers: Arc<Vec<Vec<&'static str>>>,
    lookups: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    fn new(answers: Vec<Vec<&'static str>>) -> Self {
        Self {
            answers: Arc::new(answers),
            lookups: Arc::default(),
        }
    }

    fn lookups(&self) -> usize {
        self.lookups.lock().expect("unlocked").len()
    }
}

impl Resolver for Scripted {
    fn lookup<'a>(&'a self, name: &'a str) -> Lookup<'a> {
        let mut lookups = self.lookups.lock().expect("unlocked");
        let answer = self.answers.get(lookups.len()).cloned().unwrap_or_default();
        lookups.push(name.to_owned());
        Box::pin(async move {
            Ok(answer
                .iter()
                .map(|text| text.parse().expect("address"))
                .collect())
        })
    }
}

/// Never answers.
struct Silent;

impl Resolver for Silent {
    fn lookup<'a>(&'a self, _: &'a str) -> Lookup<'a> {
        Box::pin(pending())
    }
}

async fn answer(mut stream: TcpStream) {
    stream
        .write_all(b"HTTP/1.1 200 OK\r\n\r\n")
        .await
        .expect("written");
}

const NOT_PUBLIC: &str = "the receiver's address is not public";

#[tokio::test]
async fn a_stored_url_is_judged_again() {
    let sender = Sender::with_resolver(SenderSettings::default(), Scripted::new(vec![]));
    for to in [
        "https://100.64.0.1/",
        "https://[2002:7f00:1::1]/",
        "https://localhost/",
    ] {
        let stored = serde_json::from_value(to.into()).expect("a URL");
        let reply = send_to(&sender, &stored, "{}").await;
        assert_eq!(
            reply.error.as_deref(),
            Some("the callback URL is not allowed: must name a public host"),
            "{to}"
        );
        assert_eq!(reply.outcome, Outcome::Failed { retry_after: None });
    }
}

#[tokio::test]
async fn an_internal_name_is_resolved_once_and_not_called() {
    for answers in [
        vec!["127.0.0.1"],
        vec!["8.8.8.8", "10.0.0.1"],
        vec!["::1"],
        vec!["fd00:ec2::254"],
    ] {
        let resolver = Scripted::new(vec![answers, vec!["8.8.8.8"]]);
        let sender = Sender::with_resolver(hasty(), resolver.clone());
        let reply = send_to(&sender, &url("https://receiver.example/", &local()), "{}").await;
        assert_eq!(reply.error.as_deref(), Some(NOT_PUBLIC));
        assert_eq!(resolver.lookups(), 1);
    }
}

#[tokio::test]
async fn the_connection_goes_to_the_address_of_the_one_lookup() {
    let first = Receiver::start(answer).await;
    let second =
        Receiver::start_at(Ipv4Addr::new(127, 0, 0, 2), first.address.port(), answer).await;
    let resolver = Scripted::new(vec![vec!["127.0.0.1"], vec!["127.0.0.2"]]);
    let sender = Sender::with_resolver(hasty(), resolver.clone());
    let to = url(
        &format!("http://receiver.test:{}/", first.address.port()),
        &local(),
    );
    assert_eq!(send_to(&sender, &to, "{}").await.outcome, Outcome::Accepted);
    assert_eq!(
        (
            resolver.lookups(),
            first.requests().len(),
            second.requests().len()
        ),
        (1, 1, 0)
    );
    assert_eq!(send_to(&sender, &to, "{}").await.outcome, Outcome::Accepted);
    assert_eq!(
        (
            resolver.lookups(),
            first.requests().len(),
            second.requests().len()
        ),
        (2, 1, 1)
    );
}

#[tokio::test]
async fn a_former_local_target_is_not_called() {
    let receiver = Receiver::start(answer).await;
    let sender = Sender::new(SenderSettings::default());
    let reply = send_to(&sender, &url(&receiver.url(), &local()), "{}").await;
    assert_eq!(
        reply.error.as_deref(),
        Some("the callback URL is not allowed: must start with https://")
    );
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_reported() {
    let to = url("https://receiver.example/", &local());
    let sender = Sender::with_resolver(hasty(), Scripted::new(vec![]));
    assert_eq!(
        send_to(&sender, &to, "{}").await.error.as_deref(),
        Some("the name does not resolve")
    );
    let sender = Sender::with_resolver(hasty(), Silent);
    assert_eq!(
        send_to(&sender, &to, "{}").await.error.as_deref(),
        Some("no connection within 800 ms")
    );
}

#[tokio::test]
async fn sending_can_be_moved_to_another_thread() {
    let sender = Sender::new(SenderSettings::default());
    let to = serde_json::from_value("https://[2001:db8::1]/".into()).expect("a URL");
    let reply = tokio::spawn(async move { send_to(&sender, &to, "{}").await })
        .await
        .expect("no panic");
    assert!(reply.error.is_some());
}
