//! All functions, with SQS and SES faked beneath the real SDK, a callback receiver, and a loop that works through the outbox.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sesv2::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_sesv2::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use deliver_callbacks::Worker;
use jiff::Timestamp;
use serde_json::Value;
use tandem_mail::{Mailer, SesTransport};
use tandem_queue::{DeadLetterQueue, Kind, Message, Queue, Queues};
use tandem_runtime::DeadLetterHandler;
use tandem_testing::{FakeService, Snapshot, TestTable};
use tandem_tests::handlers::{House, Pair, event_of};
use tandem_webhooks::Sender;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// More rounds than the longest retry schedule needs.
const MOST_ROUNDS: usize = 100;

/// The environment of a scenario.
pub(crate) struct Stage {
    pub(crate) house: House,
    pub(crate) relay: relay_outbox::Relay,
    pub(crate) sqs: FakeService,
    pub(crate) ses: FakeService,
    pub(crate) receiver: Arc<MockServer>,
}

/// A saved stage, to start from repeatedly.
pub(crate) struct Scene {
    rows: Snapshot,
    now: Timestamp,
    sender: Arc<Sender>,
    receiver: Arc<MockServer>,
}

impl Stage {
    /// An empty stage with a receiver that answers 200.
    pub(crate) async fn new() -> Self {
        let receiver = MockServer::start().await;
        let stage = Self::on(TestTable::new().await, House::sender(), Arc::new(receiver));
        stage.receiver_answers(200).await;
        stage
    }

    fn on(table: TestTable, sender: Arc<Sender>, receiver: Arc<MockServer>) -> Self {
        let mut house = House::on(table, sender);
        let (sqs, ses) = (FakeService::sqs(), FakeService::ses());
        let queue = |name: &str| queue(&house.table, &sqs, name);
        let (callbacks, mails, imports) = (queue("callbacks"), queue("mails"), queue("imports"));
        let queues = Queues::new(callbacks.clone(), mails, imports);
        let mailer = mailer(&house.table, &ses);
        house.deliverer.queue = callbacks;
        let letters = DeadLetterQueue::new(
            client(&house.table, &sqs),
            "https://sqs.example.com/1/dead-letters",
        );
        let dead_letter_handler = DeadLetterHandler::new(house.app.store.clone(), letters);
        house.deliverer.dead_letter_handler = dead_letter_handler.clone();
        house.importer.dead_letter_handler = dead_letter_handler.clone();
        house.mail_worker = send_mails::Worker::new(
            house.app.store.clone(),
            mailer,
            dead_letter_handler,
            house.clock.clone(),
        );
        house.sweep =
            sweep_outbox::Sweep::new(house.app.store.clone(), queues.clone(), house.clock.clone());
        Self {
            house,
            relay: relay_outbox::Relay::new(queues),
            sqs,
            ses,
            receiver,
        }
    }

    /// Saves the current state.
    pub(crate) fn scene(&self) -> Scene {
        Scene {
            rows: self.house.table.snapshot(),
            now: self.house.clock.now(),
            sender: Arc::clone(&self.house.deliverer.sender),
            receiver: Arc::clone(&self.receiver),
        }
    }

    /// Sets the receiver's status from now on.
    pub(crate) async fn receiver_answers(&self, status: u16) {
        self.receiver.reset().await;
        Mock::given(method("POST"))
            .respond_with(ResponseTemplate::new(status))
            .mount(&self.receiver)
            .await;
    }

    /// The `webhook-id`s of the received callbacks, in order.
    pub(crate) async fn received(&self) -> Vec<String> {
        let requests = self.receiver.received_requests().await.expect("recorded");
        requests
            .iter()
            .map(|request| {
                request.headers["webhook-id"]
                    .to_str()
                    .expect("text")
                    .to_owned()
            })
            .collect()
    }

    /// Two connected clients of two contracting companies, with their mails sent.
    pub(crate) async fn pair(&self) -> Pair {
        let pair = self.house.pair(Some(&self.receiver.uri())).await;
        self.work_off().await;
        pair
    }

    /// A pair after a sale, before its callback is delivered; also returns the order.
    pub(crate) async fn sold(&self) -> (Pair, Value) {
        let pair = self.pair().await;
        let order = self.house.purchase(&pair, "sold").await.expect(201);
        (pair, order)
    }

    /// A pair with held callbacks of several sales: the endpoint answered 410, and answers 200 again.
    pub(crate) async fn held(&self, sales: usize) -> Pair {
        let pair = self.pair().await;
        self.receiver_answers(410).await;
        for sale in 0..sales {
            let _ = self
                .house
                .purchase(&pair, &format!("sale {sale}"))
                .await
                .expect(201);
        }
        self.work_off().await;
        self.receiver_answers(200).await;
        pair
    }

    /// The only due row of a kind.
    pub(crate) fn message(&self, kind: Kind) -> Message {
        let messages = self
            .house
            .due()
            .into_iter()
            .map(|(_, due)| Message::try_from(due).expect("a kind"));
        let mut messages = messages.filter(|message| message.kind == kind);
        let message = messages.next().expect("a row is due");
        assert!(messages.next().is_none(), "one row is due");
        message
    }

    /// The first due row of a kind.
    pub(crate) fn first_message(&self, kind: Kind) -> Message {
        let messages = self
            .house
            .due()
            .into_iter()
            .map(|(_, due)| Message::try_from(due).expect("a kind"));
        messages
            .into_iter()
            .find(|message| message.kind == kind)
            .expect("a row is due")
    }

    /// Runs the workers on due rows until none is left, advancing the clock as needed.
    pub(crate) async fn work_off(&self) {
        for _ in 0..MOST_ROUNDS {
            let due = self.house.advance_to_next_due();
            if due.is_empty() {
                return;
            }
            for due in due {
                let failed = self
                    .hand_over(&Message::try_from(due).expect("a kind"), 1)
                    .await;
                assert!(!failed, "a worker fails without a fault");
            }
        }
        panic!("rows stay due: {:?}", self.house.due());
    }

    /// Hands a message to its worker with a receive count; returns whether SQS delivers it again.
    pub(crate) async fn hand_over(&self, message: &Message, received: u32) -> bool {
        self.house.process(message, received).await
    }

    /// Hands a callback's message to a worker that considers each receiver slow.
    pub(crate) async fn hand_over_impatiently(&self, message: &Message, received: u32) -> bool {
        let worker = Worker {
            patience: Duration::ZERO,
            ..self.house.deliverer.clone()
        };
        let answer = worker
            .work(event_of(std::slice::from_ref(message), received))
            .await
            .expect("workers answer");
        !answer.batch_item_failures.is_empty()
    }
}

impl Scene {
    /// A new stage in this state.
    pub(crate) async fn open(&self) -> Stage {
        let stage = Stage::on(
            TestTable::with(&self.rows).await,
            Arc::clone(&self.sender),
            Arc::clone(&self.receiver),
        );
        stage
            .house
            .clock
            .advance(self.now.duration_since(stage.house.clock.now()));
        stage
    }
}

fn queue(table: &TestTable, sqs: &FakeService, name: &str) -> Queue {
    Queue::new(
        client(table, sqs),
        format!("https://sqs.example.com/1/{name}"),
    )
}

fn client(table: &TestTable, sqs: &FakeService) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .retry_config(tandem_testing::retries())
        .retry_partition(RetryPartition::new(format!("{}-sqs", table.table_name)))
        .http_client(beneath(table, sqs))
        .build();
    aws_sdk_sqs::Client::from_conf(config)
}

fn mailer(table: &TestTable, ses: &FakeService) -> Mailer {
    let config = aws_sdk_sesv2::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .retry_config(RetryConfig::disabled())
        .retry_partition(RetryPartition::new(format!("{}-ses", table.table_name)))
        .http_client(beneath(table, ses))
        .build();
    Mailer::with_transport(SesTransport {
        client: aws_sdk_sesv2::Client::from_conf(config),
        sender: "Tandem <tandem@example.com>".to_owned(),
        configuration_set: "mails".to_owned(),
    })
}

/// The fake service behind the table's faults, so that a function's calls are counted together.
fn beneath(table: &TestTable, service: &FakeService) -> SharedHttpClient {
    table.faults.around(service.http_client())
}
