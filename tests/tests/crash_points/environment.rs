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
use tandem_tests::{Checkout, Client, InProcess, Module, Pair, Receiver, Reply, Setup, event_of};
use tandem_webhooks::Sender;

/// More rounds than the longest retry schedule needs.
const MAX_ROUNDS: usize = 100;

/// The environment of a scenario.
pub(crate) struct Environment {
    pub(crate) stage: Arc<InProcess>,
    pub(crate) relay: relay_outbox::Relay,
    pub(crate) sqs: FakeService,
    pub(crate) ses: FakeService,
    pub(crate) receiver: Receiver,
}

/// A saved environment, to start from repeatedly.
pub(crate) struct Saved {
    rows: Snapshot,
    now: Timestamp,
    sender: Arc<Sender>,
    receiver: Receiver,
}

/// A sale between two contracting companies.
pub(crate) struct Sold {
    pub(crate) pair: Pair,
    pub(crate) checkout: Checkout,
    pub(crate) order: Value,
}

impl Environment {
    /// An empty table, and a receiver that answers 200.
    pub(crate) async fn new() -> Self {
        let receiver = Receiver::start().await;
        receiver.answer_always(Reply::status(200));
        Self::on(TestTable::new().await, InProcess::sender(), receiver)
    }

    fn on(table: TestTable, sender: Arc<Sender>, receiver: Receiver) -> Self {
        let mut stage = InProcess::on(table, sender);
        let (sqs, ses) = (FakeService::sqs(), FakeService::ses());
        let queue = |name: &str| queue(&stage.table, &sqs, name);
        let (callbacks, mails, imports) = (queue("callbacks"), queue("mails"), queue("imports"));
        let queues = Queues::new(callbacks, mails, imports);
        let mailer = mailer(&stage.table, &ses);
        let dead_letter_client = client(&stage.table, &sqs);
        let dead_letters = DeadLetterQueue::new(
            || dead_letter_client,
            "https://sqs.example.com/1/dead-letters",
        );
        let (store, clock) = (stage.app.store.clone(), stage.clock.clone());
        let dead_letter_handler = DeadLetterHandler::new(store.clone(), dead_letters);
        stage.deliverer.dead_letter_handler = dead_letter_handler.clone();
        stage.importer.dead_letter_handler = dead_letter_handler.clone();
        stage.mail_worker =
            send_mails::Worker::new(store.clone(), mailer, dead_letter_handler, clock.clone());
        stage.sweep = sweep_outbox::Sweep::new(store, queues.clone(), clock.clone());
        Self {
            stage: Arc::new(stage),
            relay: relay_outbox::Relay::new(queues, clock),
            sqs,
            ses,
            receiver,
        }
    }

    pub(crate) fn save(&self) -> Saved {
        Saved {
            rows: self.stage.table.snapshot(),
            now: self.stage.clock.now(),
            sender: Arc::clone(&self.stage.deliverer.sender),
            receiver: self.receiver.clone(),
        }
    }

    pub(crate) fn setup(&self) -> Setup {
        self.stage.setup()
    }

    /// Sets the receiver's status from now on.
    pub(crate) fn receiver_answers(&self, status: u16) {
        self.receiver.answer_always(Reply::status(status));
    }

    /// The `webhook-id`s of the received callbacks, in order.
    pub(crate) fn received(&self) -> Vec<String> {
        let received = self.receiver.received();
        received
            .iter()
            .map(|callback| callback.webhook_id().to_owned())
            .collect()
    }

    /// A client of a company without the module.
    pub(crate) async fn client(&self) -> Client {
        let setup = self.setup();
        let company = setup.company("Bergverlag", Module::Off).await;
        setup.client(&company, "Bergwelt", "de").await
    }

    /// Two connected clients of two contracting companies, with a cart to sell and with their mails sent.
    pub(crate) async fn pair(&self) -> (Pair, Checkout) {
        let url = self.receiver.url();
        let pair = self.setup().pair_between_two_companies(&url).await;
        let checkout = pair.checkout().await;
        self.work_off().await;
        (pair, checkout)
    }

    /// A sale before its callback is delivered.
    pub(crate) async fn sold(&self) -> Sold {
        let (pair, checkout) = self.pair().await;
        let order = checkout.purchase("sold").await.created();
        Sold {
            pair,
            checkout,
            order,
        }
    }

    /// A pair with held callbacks of several sales: the endpoint answered 410, and answers 200 again.
    pub(crate) async fn held(&self, sales: usize) -> Pair {
        let (pair, checkout) = self.pair().await;
        self.receiver_answers(410);
        for sale in 0..sales {
            let sold = checkout.purchase(&format!("sale {sale}")).await;
            let _ = sold.created();
        }
        self.work_off().await;
        self.receiver_answers(200);
        pair
    }

    /// The only due row of a kind.
    pub(crate) fn message(&self, kind: Kind) -> Message {
        let messages = self
            .stage
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
            .stage
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
        for _ in 0..MAX_ROUNDS {
            let due = self.stage.advance_to_next_due();
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
        panic!("rows stay due: {:?}", self.stage.due());
    }

    /// Hands a message to its worker with a receive count; returns whether SQS delivers it again.
    pub(crate) async fn hand_over(&self, message: &Message, received: u32) -> bool {
        self.stage.process(message, received).await
    }

    /// Hands a callback's message to a worker that considers each receiver slow.
    pub(crate) async fn hand_over_as_slow(&self, message: &Message, received: u32) -> bool {
        let worker = Worker {
            slow_after: Duration::ZERO,
            ..self.stage.deliverer.clone()
        };
        let answer = worker
            .work(event_of(std::slice::from_ref(message), received))
            .await
            .expect("workers answer");
        !answer.batch_item_failures.is_empty()
    }
}

impl Saved {
    /// A new environment in this state.
    pub(crate) async fn open(&self) -> Environment {
        self.receiver.forget_received();
        let environment = Environment::on(
            TestTable::with(&self.rows).await,
            Arc::clone(&self.sender),
            self.receiver.clone(),
        );
        let clock = &environment.stage.clock;
        clock.advance(self.now.duration_since(clock.now()));
        environment
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
