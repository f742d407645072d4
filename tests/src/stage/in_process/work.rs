//! The queues and the workers.

use std::sync::atomic::Ordering;

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use jiff::Timestamp;
use tandem_queue::{DeadLetter, Delayed, Kind, Message};
use tandem_store::{Transaction, keys};
use tandem_testing::RecordedMail;

use super::InProcess;

/// How many import messages a worker gets at once.
const IMPORT_BATCH: usize = 4;

impl InProcess {
    /// Runs the workers until nothing is due.
    pub async fn work(&self) {
        while self.work_once().await {}
    }

    /// Sends a message for each row that is due, and runs the workers on them. Returns false if no row is due.
    pub async fn work_once(&self) -> bool {
        self.send_due().await;
        let callbacks = ready(self.callback_queue.take());
        let mails = ready(self.mail_queue.take());
        let imports = ready(self.import_queue.take());
        if callbacks.is_empty() && mails.is_empty() && imports.is_empty() {
            return false;
        }
        self.deliver(&callbacks).await;
        for batch in imports.chunks(IMPORT_BATCH) {
            assert_eq!(self.import(batch, 1).await, Vec::<String>::new());
        }
        let answer = self.mail_worker.work(event_of(&mails, 1)).await;
        let answer = answer.expect("worked");
        assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
        true
    }

    /// Takes all messages from the three queues; dropped messages are lost.
    pub fn messages(&self) -> Vec<Delayed> {
        [
            self.callback_queue.take(),
            self.mail_queue.take(),
            self.import_queue.take(),
        ]
        .concat()
    }

    /// Makes all queues reject messages, or accept them again.
    pub fn break_queues(&self, broken: bool) {
        for queue in [&self.callback_queue, &self.mail_queue, &self.import_queue] {
            queue.set_failing(broken);
        }
    }

    /// Makes the mail service reject the next mails.
    pub fn reject_mails(&self, times: u32) {
        self.mails.fail_next(times);
    }

    /// Gives a message to its worker as received for the n-th time. Returns whether the worker failed.
    pub async fn process(&self, message: &Message, received: u32) -> bool {
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

    /// Gives messages to the callback worker.
    pub async fn deliver(&self, messages: &[Message]) {
        let answer = self
            .deliverer
            .work(event_of(messages, 1))
            .await
            .expect("worked");
        assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    }

    /// Gives new messages to the import worker as received for the n-th time. Returns the ids of those that failed.
    pub async fn import(&self, messages: &[Message], received: u32) -> Vec<String> {
        self.import_sent(messages, received, self.clock.now()).await
    }

    /// Like [`InProcess::import`], for messages that were sent earlier.
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

    /// Sends a message for each row that is due, like the relay at that moment.
    async fn send_due(&self) {
        self.queues.send(self.due_now()).await.expect("sent");
    }

    /// Takes the messages of the due rows for the import worker.
    pub async fn import_messages(&self) -> Vec<Message> {
        self.send_due().await;
        ready(self.import_queue.take())
    }

    /// Takes the messages of the due rows for the callback worker.
    pub async fn due_callbacks(&self) -> Vec<Message> {
        self.send_due().await;
        ready(self.callback_queue.take())
    }

    /// Leases a callback, like a worker that dies before its attempt ends.
    pub async fn lease_callback(&self, client_id: &str, callback_id: &str) {
        let client_id = client_id.parse().expect("an id");
        let callback_id = callback_id.parse().expect("an id");
        let key = keys::callback(client_id, callback_id);
        let callback = self.app.store.get(&key).await.expect("read");
        let leased = callback.expect("there").begin(self.app.now());
        let mut lease = Transaction::default();
        lease.replace(&leased.expect("due")).expect("a row");
        self.app.store.commit(lease).await.expect("leased");
    }

    /// Takes the callback messages, with their delays.
    pub fn callback_messages(&self) -> Vec<Delayed> {
        self.callback_queue.take()
    }

    /// Takes the dead letters.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.dead_letters.take()
    }

    pub fn sent_mails(&self) -> usize {
        self.mails.mails().len()
    }

    /// The mails that were sent since the last call.
    pub fn mails(&self) -> Vec<RecordedMail> {
        let all = self.mails.mails();
        let seen = self.seen_mails.swap(all.len(), Ordering::Relaxed);
        all.into_iter().skip(seen).collect()
    }
}

/// The rows of delayed messages are sent again when they are due.
fn ready(sent: Vec<Delayed>) -> Vec<Message> {
    sent.into_iter()
        .filter(|sent| sent.delay.is_zero())
        .map(|sent| sent.message)
        .collect()
}

/// The SQS event of messages that were received for the n-th time.
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
