//! The house: handlers, workers, and a clock that stands until it is moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tandem_api::serve::respond;
use tandem_api::{App, Event};
use tandem_domain::callback::RetrySchedule;
use tandem_domain::callback_url::LocalTargets;
use tandem_domain::endpoint_health::PATIENCE;
use tandem_queue::{DeadLetter, Kind, Message, Queues};
use tandem_runtime::{Clock, DeadLetterHandler};
use tandem_sealing::{DataKey, Sealer};
use tandem_store::Store;
use tandem_store::outbox::Due;
use tandem_testing::{
    DeadLetterRecorder, HttpCall, MailRecorder, Openapi, QueueRecorder, RecordedMail, SentMessage,
    TestTable,
};
use tandem_webhooks::{Sender, SenderSettings};

use super::caller::{Answer, Who, pattern_of};

/// All functions on one table.
pub struct House {
    /// The table, which counts its calls.
    pub table: TestTable,
    /// What the HTTP functions work with.
    pub app: App,
    /// The clock of all functions.
    pub clock: Clock,
    /// The callback worker.
    pub deliverer: deliver_callbacks::Worker,
    /// The mail worker.
    pub mail_worker: send_mails::Worker,
    /// The import worker.
    pub importer: process_imports::Worker,
    /// Notes what becomes of invitations' mails.
    pub notes: note_mail_events::Notes,
    /// The sweep.
    pub sweep: sweep_outbox::Sweep,
    /// Where the sweep hands rows over; for a relay.
    pub queues: Queues,
    callback_queue: QueueRecorder,
    mail_queue: QueueRecorder,
    import_queue: QueueRecorder,
    letters: DeadLetterRecorder,
    mails: MailRecorder,
    seen_mails: AtomicUsize,
}

impl House {
    /// The secret that data is sealed with.
    pub const DATA_KEY: &str = "a data key for tests, long enough for anyone";

    /// An empty house at noon of a day.
    pub async fn new() -> Self {
        Self::on(TestTable::new().await, Self::sender())
    }

    /// What calls receivers on this machine. One may serve many houses of one runtime.
    pub fn sender() -> Arc<Sender> {
        let settings = SenderSettings {
            local_targets: LocalTargets::parse("127.0.0.1"),
            ..SenderSettings::default()
        };
        Arc::new(Sender::new(settings).expect("a sender"))
    }

    /// A house on a table, at noon of the same day.
    pub fn on(table: TestTable, sender: Arc<Sender>) -> Self {
        let start: Timestamp = "2026-11-21T12:00:00Z".parse().expect("valid");
        let clock = Clock::fixed_at(start);
        let store = Store::new(table.client.clone(), table.table_name.clone());
        let key = DataKey::from_secret(Self::DATA_KEY).expect("long enough");
        let sealer = Sealer::new(key);
        let local_targets = LocalTargets::parse("127.0.0.1");
        let (queue, callback_queue) = QueueRecorder::queue();
        let (mails_queue, mail_queue) = QueueRecorder::queue();
        let (imports_queue, import_queue) = QueueRecorder::queue();
        let (mailer, mails) = MailRecorder::mailer();
        let (dead_letters, letters) = DeadLetterRecorder::queue();
        let dead_letter_handler = DeadLetterHandler::new(store.clone(), dead_letters);
        let queues = Queues::new(queue.clone(), mails_queue, imports_queue);
        Self {
            app: App {
                store: store.clone(),
                sealer: sealer.clone(),
                clock: clock.clone(),
                local_targets,
            },
            deliverer: deliver_callbacks::Worker {
                store: store.clone(),
                sealer: sealer.clone(),
                sender,
                schedule: RetrySchedule::default(),
                patience: PATIENCE.unsigned_abs(),
                queue,
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
            },
            notes: note_mail_events::Notes::new(store.clone()),
            sweep: sweep_outbox::Sweep::new(store, queues.clone(), clock.clone()),
            queues,
            table,
            clock,
            callback_queue,
            mail_queue,
            import_queue,
            letters,
            mails,
            seen_mails: AtomicUsize::new(0),
        }
    }

    /// Calls a route, e.g. `POST /v1/offers/off_…/archive?limit=1`; the pattern of the route is found from the path.
    pub async fn call(&self, who: &Who, target: &str, body: Option<Value>) -> Answer {
        self.call_with(who, target, body, &[]).await
    }

    /// A POST with an `Idempotency-Key`.
    pub async fn post(&self, who: &Who, path: &str, key: &str, body: Value) -> Answer {
        self.call_with(
            who,
            &format!("POST {path}"),
            Some(body),
            &[("idempotency-key", key)],
        )
        .await
    }

    /// Calls a route with headers.
    pub async fn call_with(
        &self,
        who: &Who,
        target: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.send(who, target, body.map(|body| body.to_string()), headers)
            .await
    }

    /// Calls a route with any text as body.
    pub async fn send(
        &self,
        who: &Who,
        target: &str,
        body: Option<String>,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.send_bytes(who, target, body.map(String::into_bytes), headers)
            .await
    }

    /// Calls a route with any bytes as body.
    pub async fn send_bytes(
        &self,
        who: &Who,
        target: &str,
        body: Option<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let (method, url) = target.split_once(' ').expect("METHOD /path");
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let (pattern, parameters) = pattern_of(path);
        let mut call = HttpCall::new(format!("{method} {pattern}"));
        for (name, value) in &parameters {
            call = call.path(name, value);
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            call = call.query(name, value);
        }
        let sent = body.clone();
        if let Some(body) = body {
            call = call.header("content-type", "application/json").bytes(body);
        }
        for (name, value) in headers {
            call = call.header(name, value);
        }
        let call = match who {
            Who::Operator => call.operator(),
            Who::Client(client, company) => call.client(client, company),
        };
        let answer = self.dispatch(path, call.request()).await;
        described(&format!("{method} {pattern}"), sent.as_deref(), &answer);
        answer
    }

    async fn dispatch(&self, path: &str, event: Event) -> Answer {
        let app = self.app.clone();
        let segments: Vec<&str> = path.split('/').skip(2).collect();
        let response = match segments.as_slice() {
            ["contracting-companies" | "clients", ..] => respond(app, event, tenants::handle).await,
            ["connections", ..] => respond(app, event, connections::handle).await,
            ["offers", ..] => respond(app, event, offers::handle).await,
            ["carts", _, "purchase"] => respond(app, event, purchase_cart::handle).await,
            ["carts", ..] => respond(app, event, carts::handle).await,
            ["customers", ..] => respond(app, event, customers::handle).await,
            ["orders", ..] => respond(app, event, orders::handle).await,
            ["subscriptions", "useCrossClientVoucher"] => {
                respond(app, event, redeem_voucher::handle).await
            }
            ["subscriptions", ..] => respond(app, event, subscriptions::handle).await,
            ["imports", ..] => respond(app, event, import_orders::handle).await,
            ["callbacks" | "event-endpoint", ..] => respond(app, event, callbacks::handle).await,
            ["payouts", ..] => respond(app, event, payouts::handle).await,
            other => panic!("no function for {other:?}"),
        };
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let text = String::from_utf8(response.body().to_vec()).expect("UTF-8");
        let shown = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        Answer {
            headers: response
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), shown(value.as_bytes())))
                .collect(),
            status: response.status().as_u16(),
            replayed: header("idempotency-replayed").is_some(),
            content_type: header("content-type").unwrap_or_default(),
            link: header("link"),
            retry_after: header("retry-after"),
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    /// The rows that wait for a worker, and when they are due, the first one first.
    pub fn due(&self) -> Vec<(Timestamp, Due)> {
        let text = |row: &Value, name: &str| row[name].as_str().map(str::to_owned);
        let due = |row: Value| {
            let at = text(&row, "dueAt")?.parse().expect("a time");
            Some((
                at,
                Due {
                    pk: text(&row, "pk")?,
                    sk: text(&row, "sk")?,
                },
            ))
        };
        let mut rows: Vec<_> = self.table.waiting().into_iter().filter_map(due).collect();
        rows.sort_by_key(|(at, _)| *at);
        rows
    }

    /// Lets time pass until something is due, and answers all that is due then; nothing if nothing waits.
    pub fn pass_until_due(&self) -> Vec<Due> {
        let due = self.due();
        let Some((first, _)) = due.first() else {
            return Vec::new();
        };
        let now = self.clock.now().max(*first);
        self.clock.advance(now.duration_since(self.clock.now()));
        due.into_iter()
            .filter(|(at, _)| *at <= now)
            .map(|(_, due)| due)
            .collect()
    }

    /// Moves the clock.
    pub fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Sweeps and lets the workers work until nothing is due. Messages that are held back count as arrived only when
    /// their time has come; the sweep finds their rows.
    pub async fn work(&self) {
        loop {
            self.sweep.sweep().await.expect("swept");
            let callbacks = ready(self.callback_queue.take());
            let mails = ready(self.mail_queue.take());
            let imports = ready(self.import_queue.take());
            if callbacks.is_empty() && mails.is_empty() && imports.is_empty() {
                return;
            }
            self.deliver(&callbacks).await;
            for batch in imports.chunks(4) {
                assert_eq!(self.import(batch, 1).await, Vec::<String>::new());
            }
            let answer = self
                .mail_worker
                .work(event_of(&mails, 1))
                .await
                .expect("worked");
            assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
        }
    }

    /// Everything that was sent to the three queues since the last look: to nobody, if the caller drops it.
    pub fn messages(&self) -> Vec<SentMessage> {
        [
            self.callback_queue.take(),
            self.mail_queue.take(),
            self.import_queue.take(),
        ]
        .concat()
    }

    /// From now on the queues take nothing, or take everything again.
    pub fn break_queues(&self, broken: bool) {
        for queue in [&self.callback_queue, &self.mail_queue, &self.import_queue] {
            queue.set_failing(broken);
        }
    }

    /// The mail service does not take the next mails.
    pub fn refuse_mails(&self, times: u32) {
        self.mails.fail_next(times);
    }

    /// Hands one message to its worker as received for the n-th time; whether it is to come again.
    pub async fn hand_over(&self, message: &Message, received: u32) -> bool {
        let event = event_of(std::slice::from_ref(message), received);
        let answer = match message.kind {
            Kind::Callback | Kind::Replay => self.deliverer.work(event).await,
            Kind::Mail => self.mail_worker.work(event).await,
            Kind::Import => self.importer.work(event).await,
        };
        !answer
            .expect("workers answer")
            .batch_item_failures
            .is_empty()
    }

    /// Hands messages to the callback worker.
    pub async fn deliver(&self, messages: &[Message]) {
        let answer = self
            .deliverer
            .work(event_of(messages, 1))
            .await
            .expect("worked");
        assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    }

    /// Hands messages that were just sent to the import worker as received for the n-th time; answers which failed.
    pub async fn import(&self, messages: &[Message], received: u32) -> Vec<String> {
        self.import_sent(messages, received, self.clock.now()).await
    }

    /// Hands messages that were sent at a time to the import worker; answers which failed.
    pub async fn import_sent(
        &self,
        messages: &[Message],
        received: u32,
        sent_at: Timestamp,
    ) -> Vec<String> {
        let mut event = event_of(messages, received);
        for record in &mut event.records {
            record.attributes.insert(
                "SentTimestamp".to_owned(),
                sent_at.as_millisecond().to_string(),
            );
        }
        let answer = self.importer.work(event).await.expect("worked");
        answer
            .batch_item_failures
            .into_iter()
            .map(|failure| failure.item_identifier)
            .collect()
    }

    /// Sweeps, and answers the messages for the import worker.
    pub async fn import_messages(&self) -> Vec<Message> {
        self.sweep.sweep().await.expect("swept");
        ready(self.import_queue.take())
    }

    /// The callback messages that were sent since the last look, with their delays.
    pub fn callback_messages(&self) -> Vec<SentMessage> {
        self.callback_queue.take()
    }

    /// What workers put into their dead-letter queues since the last look.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.letters.take()
    }

    /// How many mails were sent.
    pub fn sent_mails(&self) -> usize {
        self.mails.mails().len()
    }

    /// The mails that were sent since the last look.
    pub fn mails(&self) -> Vec<RecordedMail> {
        let all = self.mails.mails();
        let seen = self.seen_mails.swap(all.len(), Ordering::Relaxed);
        all.into_iter().skip(seen).collect()
    }
}

/// Every answer of every test is one that docs/openapi.yaml describes; so is every body that was taken.
fn described(route: &str, body: Option<&[u8]>, answer: &Answer) {
    let mut errors =
        Openapi::get().errors_of_answer(route, answer.status, &answer.content_type, &answer.body);
    if let (200..300, Some(body)) = (answer.status, body) {
        errors.extend(Openapi::get().errors_of_request(
            route,
            &serde_json::from_slice(body).expect("JSON was taken"),
        ));
    }
    assert!(
        errors.is_empty(),
        "docs/openapi.yaml, {route} -> {}: {errors:#?}\n{}",
        answer.status,
        answer.text
    );
}

fn ready(sent: Vec<SentMessage>) -> Vec<Message> {
    sent.into_iter()
        .filter(|sent| sent.delay.is_zero())
        .map(|sent| sent.message)
        .collect()
}

/// Messages as SQS hands them to a function, as received for the n-th time.
pub fn event_of(messages: &[Message], received: u32) -> SqsEvent {
    let record = |(index, message): (usize, &Message)| {
        let mut record = SqsMessage::default();
        record.message_id = Some(format!("message-{index}"));
        record.body = Some(message.encode());
        record
            .attributes
            .insert("ApproximateReceiveCount".to_owned(), received.to_string());
        record
    };
    let mut event = SqsEvent::default();
    event.records = messages.iter().enumerate().map(record).collect();
    event
}
