//! Endpoints that accept a callback and do not answer. They answer on the test's command, so no test depends on time.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{join, join_all, join3};
use serde_json::{Value, json};
use tandem_domain::mail::MailKind;
use tandem_queue::Message;
use tandem_tests::handlers::{House, Pair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::failing_endpoints::{callbacks, endpoint, sell};

/// While a receiver hangs.
const IMPATIENT: Duration = Duration::from_millis(1);
/// While it answers, even on a slow machine.
const PATIENT: Duration = Duration::from_secs(600);

/// A receiver that answers only on command.
struct Hanging {
    url: String,
    calls: watch::Receiver<usize>,
    answers: watch::Sender<Option<&'static str>>,
}

impl Hanging {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a loopback port is free");
        let url = format!("http://{}/", listener.local_addr().expect("bound"));
        let (called, calls) = watch::channel(0);
        let (answers, answered) = watch::channel(None);
        let called = Arc::new(called);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&called), answered.clone()));
            }
        });
        Self {
            url,
            calls,
            answers,
        }
    }

    fn calls(&self) -> usize {
        *self.calls.borrow()
    }

    /// Waits for a number of callbacks.
    async fn called(&self, times: usize) {
        let _ = self
            .calls
            .clone()
            .wait_for(|calls| *calls >= times)
            .await
            .expect("it runs");
    }

    /// Answers all waiting and future callbacks with 200.
    fn answer(&self) {
        self.answer_by("200 OK");
    }

    /// Answers all waiting and future callbacks with a status line.
    fn answer_by(&self, status: &'static str) {
        self.answers.send_replace(Some(status));
    }
}

async fn serve(
    mut stream: TcpStream,
    called: Arc<watch::Sender<usize>>,
    mut answered: watch::Receiver<Option<&'static str>>,
) {
    let mut request = vec![0; 64 * 1024];
    let mut length = 0;
    // A callback's body is an object, so it ends with the brace.
    while !request[..length].ends_with(b"}") {
        match stream.read(&mut request[length..]).await {
            Ok(0) | Err(_) => return,
            Ok(read) => length += read,
        }
    }
    called.send_modify(|calls| *calls += 1);
    let Ok(status) = answered
        .wait_for(Option::is_some)
        .await
        .map(|status| status.unwrap_or_default())
    else {
        return;
    };
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// A pair whose source hangs, and the unhandled messages of some sales.
async fn sold(house: &House, receiver: &Hanging, sales: usize) -> (Pair, Vec<Message>) {
    let pair = house.pair(Some(&receiver.url)).await;
    house.work().await;
    let messages = handed_over(house, &pair, sales).await;
    (pair, messages)
}

/// Makes more sales; returns their messages.
async fn handed_over(house: &House, pair: &Pair, sales: usize) -> Vec<Message> {
    sell(house, pair, sales).await;
    house.sweep.sweep().await.expect("swept");
    house
        .callback_messages()
        .into_iter()
        .map(|sent| sent.message)
        .collect()
}

async fn delivered(house: &House, pair: &Pair) -> usize {
    callbacks(house, &pair.source, "delivered").await.len()
}

async fn impatient() -> House {
    let mut house = House::new().await;
    house.deliverer.patience = IMPATIENT;
    house
}

/// Polls a condition, and fails after a time limit.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let looks = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), looks)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}

/// The recorded number of slow attempts.
fn waits(house: &House) -> u64 {
    let rows = house.table.dump();
    rows.iter()
        .find(|row| row["sk"] == "endpoint")
        .and_then(|row| row["waits"].as_u64())
        .unwrap_or(0)
}

async fn paused(house: &House, pair: &Pair) {
    until("the endpoint is paused", async || {
        endpoint(house, pair).await["status"] == "paused"
    })
    .await;
}

/// Hands each message to a worker of its own.
async fn deliver(house: &House, messages: &[Message]) {
    let _ = join_all(
        messages
            .iter()
            .map(|message| house.deliver(std::slice::from_ref(message))),
    )
    .await;
}

#[tokio::test]
async fn a_hanging_endpoint_is_paused_while_its_first_attempts_wait() {
    let (mut house, receiver) = (impatient().await, Hanging::start().await);
    let (pair, messages) = sold(&house, &receiver, 3).await;
    let third = async {
        until("two wait", async || waits(&house) == 2).await;
        house.advance(1);
        deliver(&house, &messages[2..]).await;
    };
    let meanwhile = async {
        paused(&house, &pair).await;
        receiver.called(3).await;
        let seen = endpoint(&house, &pair).await;
        assert_eq!(
            (&seen["failingSince"], seen["pausedUntil"].is_string()),
            (&Value::Null, true),
            "it has not failed"
        );
        house.deliver(&handed_over(&house, &pair, 20).await).await;
        assert_eq!(receiver.calls(), 3, "put off without a call");
        let delays: Vec<_> = house
            .callback_messages()
            .into_iter()
            .map(|sent| sent.delay.as_secs())
            .collect();
        assert!(
            delays.len() == 20 && delays.iter().all(|delay| (5..=10).contains(delay)),
            "{delays:?}: they come by the queue"
        );
        receiver.answer();
    };
    let _ = join3(deliver(&house, &messages[..2]), third, meanwhile).await;
    assert_eq!(
        (
            endpoint(&house, &pair).await["status"].as_str(),
            delivered(&house, &pair).await
        ),
        (Some("ok"), 3)
    );
    assert!(
        !house.table.dump().iter().any(|row| row["sk"] == "endpoint"),
        "the health row is gone"
    );
    house.deliverer.patience = PATIENT;
    house.advance(10);
    house.work().await;
    assert_eq!((receiver.calls(), delivered(&house, &pair).await), (23, 23));
}

#[tokio::test]
async fn a_single_slow_attempt_is_forgotten_after_its_success() {
    let (house, receiver) = (impatient().await, Hanging::start().await);
    let (pair, messages) = sold(&house, &receiver, 1).await;
    let meanwhile = async {
        until("it waits", async || waits(&house) == 1).await;
        assert_eq!(endpoint(&house, &pair).await["status"], "ok");
        receiver.answer();
    };
    let _ = join(house.deliver(&messages), meanwhile).await;
    assert_eq!(
        (
            waits(&house),
            receiver.calls(),
            delivered(&house, &pair).await
        ),
        (0, 1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_slow_attempts_cause_one_pause_and_are_recorded() {
    let (mut house, receiver) = (impatient().await, Hanging::start().await);
    let (pair, messages) = sold(&house, &receiver, 31).await;
    let last = async {
        until("two wait", async || waits(&house) == 2).await;
        receiver.called(30).await;
        house.advance(1);
        deliver(&house, &messages[30..]).await;
    };
    let meanwhile = async {
        paused(&house, &pair).await;
        receiver.answer();
    };
    let _ = join3(deliver(&house, &messages[..30]), last, meanwhile).await;
    // The last attempt may find the endpoint already paused.
    let taken = receiver.calls();
    assert!(taken >= 30, "{taken}");
    assert_eq!(
        delivered(&house, &pair).await,
        taken,
        "each attempt under way is recorded"
    );
    assert_eq!(endpoint(&house, &pair).await["status"], "ok");
    house.deliverer.patience = PATIENT;
    house.advance(60);
    house.work().await;
    assert_eq!(
        (receiver.calls(), delivered(&house, &pair).await),
        (31, 31),
        "each once"
    );
}

/// An attempt whose answer arrives after the source changed the URL.
async fn moved_meanwhile(answer: &'static str) -> (House, Pair) {
    let (house, old, new) = (
        impatient().await,
        Hanging::start().await,
        Hanging::start().await,
    );
    let (pair, messages) = sold(&house, &old, 1).await;
    let meanwhile = async {
        until("it waits", async || waits(&house) == 1).await;
        let body = json!({"callback": {"url": new.url}});
        let path = format!("PATCH /v1/connections/{}", pair.connection);
        let _ = house
            .call(&pair.source.who, &path, Some(body))
            .await
            .expect(200);
        old.answer_by(answer);
    };
    let _ = join(house.deliver(&messages), meanwhile).await;
    (house, pair)
}

#[tokio::test]
async fn an_answer_of_an_old_url_does_not_affect_the_new_url() {
    for answer in ["410 Gone", "503 Service Unavailable"] {
        let (house, pair) = moved_meanwhile(answer).await;
        let seen = endpoint(&house, &pair).await;
        assert_eq!(
            (seen["status"].as_str(), &seen["disabledAt"]),
            (Some("ok"), &Value::Null),
            "{answer}"
        );
        assert!(
            !house.table.dump().iter().any(|row| row["sk"] == "endpoint"),
            "{answer}"
        );
        assert!(
            !house
                .mails()
                .iter()
                .any(|mail| matches!(mail.mail.kind, MailKind::EndpointDisabled { .. })),
            "{answer}"
        );
        let attempts = house.table.dump();
        let attempts = attempts.iter().filter(|row| {
            row["sk"]
                .as_str()
                .is_some_and(|sk| sk.starts_with("attempt#"))
        });
        assert_eq!(attempts.count(), 1, "{answer}: it is recorded all the same");
    }
}
