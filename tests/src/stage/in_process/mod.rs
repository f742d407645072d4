//! All functions in this process, on an in-process DynamoDB, with a clock that only tests move. Queues and mailer are
//! recorders. The table's stream reaches the relay only when a test says so; else the stage sends the messages of due rows.

mod gateway;
mod rows;
mod stream;
mod work;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authorize::Authorizer;
use deliver_callbacks::EndpointCache;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tandem_api::App;
use tandem_domain::callback::RetrySchedule;
use tandem_domain::callback_url::LocalTargets;
use tandem_domain::endpoint_health::SLOW_AFTER;
use tandem_queue::Queues;
use tandem_runtime::{Clock, DeadLetterHandler};
use tandem_sealing::{DataKey, Sealer};
use tandem_store::Store;
use tandem_testing::{DeadLetterRecorder, FakeSecret, MailRecorder, QueueRecorder, TestTable};
use tandem_webhooks::{Sender, SenderSettings};
use tokio::time::Instant;

use super::{Row, Stage};
use crate::answer::Answer;
use crate::mail::Mail;
use crate::request::Request;
use crate::setup::Setup;

pub use work::event_of;

/// Longer than any story works.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(60);
/// The schedule with which `make test` deploys the stack: four attempts.
const STORIES_RETRY_SCHEDULE: &str = "0,1,2,2";
/// In a story each call takes some time, so that a later row has a later time.
const STORIES_CALL_DURATION: SignedDuration = SignedDuration::from_millis(10);

/// The version and the mark of each row, by its key.
type Streamed = BTreeMap<(String, String), [Option<u64>; 2]>;

pub struct InProcess {
    /// Counts the calls of the functions, and injects faults into them; the authorizer's calls are left out.
    pub table: TestTable,
    pub app: App,
    /// The clock of all functions.
    pub clock: Clock,
    /// The clock advances by this with each call to the API.
    pub call_duration: SignedDuration,
    pub authorizer: Authorizer,
    pub deliverer: deliver_callbacks::Worker,
    pub mail_worker: send_mails::Worker,
    pub importer: process_imports::Worker,
    pub notes: note_mail_events::Notes,
    pub sweep: sweep_outbox::Sweep,
    pub relay: relay_outbox::Relay,
    /// The rows that [`InProcess::relay`] has seen.
    streamed: Mutex<Streamed>,
    queues: Queues,
    callback_queue: QueueRecorder,
    mail_queue: QueueRecorder,
    import_queue: QueueRecorder,
    dead_letters: DeadLetterRecorder,
    mails: MailRecorder,
    seen_mails: AtomicUsize,
}

impl InProcess {
    pub const DATA_KEY: &str = "a data key for tests, long enough for anyone";
    pub const OPERATOR_KEY: &str = "the-operators-key-of-this-test";

    /// An empty stage, at noon of a fixed day.
    pub async fn start() -> Arc<Self> {
        Arc::new(Self::new().await)
    }

    /// [`InProcess::start`], for a test that changes a worker first.
    pub async fn new() -> Self {
        Self::on(TestTable::new().await, Self::sender())
    }

    /// An empty stage for a story: with a retry schedule of seconds, and a clock that advances with each call.
    pub fn for_story() -> Arc<Self> {
        let mut stage = Self::on(TestTable::in_process(), Self::sender());
        stage.deliverer.schedule = STORIES_RETRY_SCHEDULE.parse().expect("a schedule");
        stage.call_duration = STORIES_CALL_DURATION;
        Arc::new(stage)
    }

    /// Sends callbacks to receivers on this machine. Stages of one runtime may share a sender.
    pub fn sender() -> Arc<Sender> {
        let settings = SenderSettings {
            local_targets: LocalTargets::parse("127.0.0.1"),
            ..SenderSettings::default()
        };
        Arc::new(Sender::new(settings))
    }

    /// A stage on a table, at noon of the same day as [`InProcess::start`].
    pub fn on(table: TestTable, sender: Arc<Sender>) -> Self {
        let noon: Timestamp = "2026-11-21T12:00:00Z".parse().expect("valid");
        let clock = Clock::fixed_at(noon);
        let store = Store::new(table.client.clone(), table.table_name.clone());
        let uncounted_store = Store::new(table.uncounted_client(), table.table_name.clone());
        let (operator_key, _) = FakeSecret::cached(Self::OPERATOR_KEY);
        let sealer = Sealer::new(DataKey::from_secret(Self::DATA_KEY).expect("long enough"));
        let (queue, callback_queue) = QueueRecorder::queue();
        let (mails_queue, mail_queue) = QueueRecorder::queue();
        let (imports_queue, import_queue) = QueueRecorder::queue();
        let (mailer, mails) = MailRecorder::mailer();
        let (dead_letter_queue, dead_letters) = DeadLetterRecorder::queue();
        let dead_letter_handler = DeadLetterHandler::new(store.clone(), dead_letter_queue);
        let queues = Queues::new(queue, mails_queue, imports_queue);
        Self {
            app: App {
                store: store.clone(),
                sealer: sealer.clone(),
                clock: clock.clone(),
                local_targets: LocalTargets::parse("127.0.0.1"),
            },
            authorizer: Authorizer::new(uncounted_store, operator_key, clock.clone()),
            deliverer: deliver_callbacks::Worker {
                store: store.clone(),
                sealer: sealer.clone(),
                sender,
                schedule: RetrySchedule::default(),
                slow_after: SLOW_AFTER.unsigned_abs(),
                // The clock of a test may not move between a change and the next attempt.
                endpoints: EndpointCache::new(Duration::ZERO),
                dead_letter_handler: dead_letter_handler.clone(),
                clock: clock.clone(),
            },
            mail_worker: send_mails::Worker::new(
                store.clone(),
                mailer,
                dead_letter_handler.clone(),
                clock.clone(),
            ),
            importer: process_imports::Worker {
                store: store.clone(),
                sealer,
                dead_letter_handler,
                clock: clock.clone(),
                pace: process_imports::Pace::default(),
            },
            notes: note_mail_events::Notes::new(store.clone()),
            sweep: sweep_outbox::Sweep::new(store, queues.clone(), clock.clone()),
            relay: relay_outbox::Relay::new(queues.clone(), clock.clone()),
            table,
            clock,
            call_duration: SignedDuration::ZERO,
            streamed: Mutex::default(),
            queues,
            callback_queue,
            mail_queue,
            import_queue,
            dead_letters,
            mails,
            seen_mails: AtomicUsize::new(0),
        }
    }

    /// Starts the functions again with these data keys, one a line, the newest first.
    pub fn with_data_keys(mut self, keys: &str) -> Self {
        let sealer = Sealer::from_secret(keys).expect("long enough");
        self.app.sealer = sealer.clone();
        self.deliverer.sealer = sealer.clone();
        self.importer.sealer = sealer;
        self
    }

    /// Makes companies, clients and their customers here.
    pub fn setup(self: &Arc<Self>) -> Setup {
        Setup::on(Arc::<Self>::clone(self))
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

impl Stage for InProcess {
    fn send(&self, request: Request) -> BoxFuture<'_, Answer> {
        async move {
            self.clock.advance(self.call_duration);
            let answer = self.answer(&request).await;
            answer.assert_described(&request);
            answer
        }
        .boxed()
    }

    fn mails_to<'a>(&'a self, email: &'a str) -> BoxFuture<'a, Vec<Mail>> {
        let sent = self.mails.mails().into_iter();
        let mails = sent.filter(|sent| sent.mail.email.as_str() == email);
        let mails = mails.map(|sent| Mail {
            subject: sent.rendered.subject,
            text: sent.rendered.text,
            html: sent.rendered.html,
        });
        std::future::ready(mails.collect()).boxed()
    }

    fn rows_about<'a>(&'a self, texts: &'a [&'a str]) -> BoxFuture<'a, Vec<Row>> {
        std::future::ready(self.rows_with(texts)).boxed()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn operator_key(&self) -> &str {
        Self::OPERATOR_KEY
    }

    /// Runs the workers once, or else moves the clock to the next due row.
    fn proceed(&self, began: Instant) -> BoxFuture<'_, Result<(), String>> {
        async move {
            if began.elapsed() > SETTLE_TIMEOUT {
                return Err(format!("not within {} s", SETTLE_TIMEOUT.as_secs()));
            }
            if self.work_once().await {
                return Ok(());
            }
            let before = self.clock.now();
            match self.advance_to_next_due().first() {
                None => Err("nothing is due any more".to_owned()),
                Some(due) if self.clock.now() == before => {
                    Err(format!("the workers leave {due:?} due"))
                }
                Some(_) => Ok(()),
            }
        }
        .boxed()
    }
}
