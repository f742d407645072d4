//! Endpoints that take a callback and do not answer. They answer when the test says so, so that nothing is timed.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{join, join_all};
use serde_json::{Value, json};
use tandem_domain::endpoint_health::WAITS_IN_A_ROW;
use tandem_handlers::{House, Pair};
use tandem_queue::Message;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// While a receiver hangs.
const IMPATIENT: Duration = Duration::from_millis(1);
/// While it answers, however slow this machine is.
const PATIENT: Duration = Duration::from_secs(600);

/// A receiver that lets everything wait until it is told to answer.
struct Hanging {
    url: String,
    calls: watch::Receiver<usize>,
    answers: watch::Sender<bool>,
}

impl Hanging {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a loopback port is free");
        let url = format!("http://{}/", listener.local_addr().expect("bound"));
        let (called, calls) = watch::channel(0);
        let (answers, answered) = watch::channel(false);
        let called = Arc::new(called);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&called), answered.clone()));
            }
        });
        Self { url, calls, answers }
    }

    fn calls(&self) -> usize {
        *self.calls.borrow()
    }

    /// Waits until so many callbacks have come.
    async fn called(&self, times: usize) {
        let _ = self.calls.clone().wait_for(|calls| *calls >= times).await.expect("it runs");
    }

    /// From now on everything is answered with 200, also what waits.
    fn answer(&self) {
        self.answers.send_replace(true);
    }
}

async fn serve(mut stream: TcpStream, called: Arc<watch::Sender<usize>>, mut answered: watch::Receiver<bool>) {
    let mut request = vec![0; 64 * 1024];
    let mut length = 0;
    // A callback is an object, so that it ends with the brace; nothing comes after it before the answer.
    while !request[..length].ends_with(b"}") {
        match stream.read(&mut request[length..]).await {
            Ok(0) | Err(_) => return,
            Ok(read) => length += read,
        }
    }
    called.send_modify(|calls| *calls += 1);
    if answered.wait_for(|answered| *answered).await.is_ok() {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    }
}

/// A pair whose source hangs, and so many messages about sales, which no worker has seen.
async fn sold(house: &House, receiver: &Hanging, sales: usize) -> (Pair, Vec<Message>) {
    let pair = house.pair(Some(&receiver.url)).await;
    house.work().await;
    let messages = sell(house, &pair, sales).await;
    (pair, messages)
}

async fn sell(house: &House, pair: &Pair, sales: usize) -> Vec<Message> {
    for _ in 0..sales {
        let body = json!({"customerId": pair.customer, "paymentMethod": "PAYPAL"});
        let key = uuid::Uuid::new_v4().to_string();
        let _ = house.post(&pair.target.who, &format!("/v1/carts/{}/purchase", pair.cart), &key, body).await.expect(201);
    }
    house.sweep.sweep().await.expect("swept");
    house.callback_messages().into_iter().map(|sent| sent.message).collect()
}

async fn endpoint(house: &House, pair: &Pair) -> Value {
    house.call(&pair.source.who, &format!("GET /v1/connections/{}", pair.connection), None).await.expect(200)["callback"]
        .clone()
}

async fn delivered(house: &House, pair: &Pair) -> usize {
    let path = "GET /v1/callbacks?limit=100&status=delivered";
    house.call(&pair.source.who, path, None).await.expect(200)["items"].as_array().expect("items").len()
}

async fn impatient() -> House {
    let mut house = House::new().await;
    house.deliverer.patience = IMPATIENT;
    house
}

async fn paused(house: &House, pair: &Pair) -> Value {
    loop {
        let endpoint = endpoint(house, pair).await;
        if endpoint["status"] == "paused" {
            return endpoint;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_endpoint_that_hangs_is_paused_while_its_first_attempts_wait_and_gets_all_when_it_answers() {
    let (mut house, receiver) = (impatient().await, Hanging::start().await);
    let (pair, first) = sold(&house, &receiver, 3).await;
    assert_eq!(u32::try_from(first.len()), Ok(WAITS_IN_A_ROW));
    let attempts = join_all(first.iter().map(|message| house.deliver(std::slice::from_ref(message))));
    let meanwhile = async {
        receiver.called(3).await;
        let seen = paused(&house, &pair).await;
        assert_eq!((&seen["failingSince"], seen["pausedUntil"].is_string()), (&Value::Null, true), "it has not failed");
        house.deliver(&sell(&house, &pair, 20).await).await;
        assert_eq!(receiver.calls(), 3, "put off without a call");
        let delays: Vec<_> = house.callback_messages().into_iter().map(|sent| sent.delay.as_secs()).collect();
        assert!(
            delays.len() == 20 && delays.iter().all(|delay| (5..=10).contains(delay)),
            "{delays:?}: they come by the queue"
        );
        receiver.answer();
    };
    let _ = join(attempts, meanwhile).await;
    assert_eq!((endpoint(&house, &pair).await["status"].as_str(), delivered(&house, &pair).await), (Some("ok"), 3));
    assert!(!house.table.dump().iter().any(|row| row["sk"] == "endpoint"), "nothing is left of it");
    house.deliverer.patience = PATIENT;
    house.advance(10);
    house.work().await;
    assert_eq!((receiver.calls(), delivered(&house, &pair).await), (23, 23));
}

#[tokio::test]
async fn one_that_lets_a_single_attempt_wait_is_well_and_what_it_takes_is_forgotten() {
    let (house, receiver) = (impatient().await, Hanging::start().await);
    let (pair, messages) = sold(&house, &receiver, 1).await;
    let meanwhile = async {
        while !house.table.dump().iter().any(|row| row["sk"] == "endpoint" && row["waits"] == 1) {
            tokio::task::yield_now().await;
        }
        assert_eq!(endpoint(&house, &pair).await["status"], "ok");
        receiver.answer();
    };
    let _ = join(house.deliver(&messages), meanwhile).await;
    assert!(!house.table.dump().iter().any(|row| row["sk"] == "endpoint"));
    assert_eq!((receiver.calls(), delivered(&house, &pair).await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_wait_at_once_agree_on_one_pause_and_are_all_recorded() {
    let (mut house, receiver) = (impatient().await, Hanging::start().await);
    let (pair, messages) = sold(&house, &receiver, 30).await;
    let attempts = join_all(messages.iter().map(|message| house.deliver(std::slice::from_ref(message))));
    let meanwhile = async {
        let _ = paused(&house, &pair).await;
        receiver.answer();
    };
    let _ = join(attempts, meanwhile).await;
    let taken = receiver.calls();
    assert!(taken >= 3, "{taken}");
    assert_eq!(delivered(&house, &pair).await, taken, "each attempt under way is recorded");
    assert_eq!(endpoint(&house, &pair).await["status"], "ok");
    house.deliverer.patience = PATIENT;
    house.advance(60);
    house.work().await;
    assert_eq!((receiver.calls(), delivered(&house, &pair).await), (30, 30), "each once");
}
