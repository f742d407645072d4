//! Delivers callbacks: lease, send, record.
//!
//! The lease is a conditional write, so at most one attempt of a callback is in flight. A worker that dies between the
//! receiver's answer and the record leaves a lease that runs out; the callback is then sent again with the same
//! `webhook-id`, and the log says that the outcome of the attempt in between is unknown. Of a customer who was erased meanwhile
//! the receiver is told the id alone. What is recorded of an attempt, and what follows of it, is one transaction.
//!
//! An endpoint that fails is paused: its callbacks are put off by one read and one write, without a call, so that it does not
//! eat the time of the others. One of them probes it when the pause is over; a conditional write says which. So that one that
//! hangs is paused before the first of its attempts is over, those that wait for an answer say so meanwhile.

mod attempt;
mod known;
mod lease;
mod replay;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::Error;
use tandem_domain::Timestamp;
use tandem_domain::callback::{Callback, RetrySchedule};
use tandem_domain::endpoint_health::PATIENCE;
use tandem_queue::{Kind, Message, Queue};
use tandem_runtime::{Clock, DeadLetterHandler, aws, batch, settings};
use tandem_sealing::{Sealer, random};
use tandem_store::{Store, keys};
use tandem_webhooks::{Sender, SenderSettings};

use crate::lease::Lease;

/// The longest delay of a queue message; later attempts are the sweep's.
const LONGEST_DELAY_SECONDS: i64 = 900;
/// What is put off for less comes back by the queue; for more, the sweep is as good and cheaper.
const SWEEP_SECONDS: i64 = 60;
/// How often a decision that rests on the endpoint's row is made anew when others were faster. Some five failures open the
/// circuit, and then nobody writes the row but the one that probes.
const MOST_TRIES: usize = 12;

/// What the worker works with.
#[derive(Clone)]
pub struct Worker {
    /// The table.
    pub store: Store,
    /// Opens bodies and signing secrets.
    pub sealer: Sealer,
    /// Calls receivers.
    pub sender: Arc<Sender>,
    /// When to try again.
    pub schedule: RetrySchedule,
    /// How long an attempt waits for its answer before the endpoint's row says so.
    pub patience: Duration,
    /// For attempts that are due within minutes.
    pub queue: Queue,
    /// Takes what can never be delivered.
    pub dead_letter_handler: DeadLetterHandler,
    /// The time.
    pub clock: Clock,
}

impl Worker {
    /// Builds it from the environment and connects.
    ///
    /// # Errors
    /// A setting is absent or wrong, or a service does not answer.
    pub async fn start() -> anyhow::Result<Self> {
        let config = aws::config().await;
        let schedule = settings::optional("CALLBACK_RETRY_SCHEDULE")
            .map(|text| text.parse())
            .transpose()?;
        let store = aws::store(&config).await?;
        Ok(Self {
            dead_letter_handler: aws::dead_letter_handler(&config, &store)?,
            store,
            sealer: aws::sealer(&config).await?,
            sender: Arc::new(Sender::new(SenderSettings {
                local_targets: aws::local_targets(),
                ..SenderSettings::default()
            })?),
            schedule: schedule.unwrap_or_default(),
            patience: PATIENCE.unsigned_abs(),
            queue: aws::queue(&config, "CALLBACK_QUEUE_URL").await?,
            clock: Clock::default(),
        })
    }

    /// Works through a batch, all messages at once; the answer names the messages that are to come again.
    ///
    /// # Errors
    /// Never; the type is the runtime's.
    pub async fn work(&self, event: SqsEvent) -> Result<SqsBatchResponse, Error> {
        Ok(batch::process(
            event,
            &[Kind::Callback, Kind::Replay],
            &self.dead_letter_handler,
            |message| self.handle(message),
        )
        .await)
    }

    async fn handle(&self, message: Message) -> anyhow::Result<()> {
        // Boxed: what holds all of this is too deep a type otherwise.
        match message.kind {
            Kind::Replay => Box::pin(self.replay(&message)).await,
            _ => Box::pin(self.deliver(message)).await,
        }
    }

    async fn deliver(&self, message: Message) -> anyhow::Result<()> {
        let (client, id) = message.ids()?;
        let Some(callback) = self.store.get(&keys::callback(client, id)).await? else {
            return Ok(());
        };
        match self.lease(callback).await? {
            Lease::Ours(leased) => {
                let done = self.attempt(*leased).await?;
                self.come_back(&message, &done, LONGEST_DELAY_SECONDS).await;
            }
            Lease::PutOff(callback) => self.come_back(&message, &callback, SWEEP_SECONDS).await,
            Lease::Nothing => {}
        }
        Ok(())
    }

    /// An attempt that is due within some seconds comes by the queue; if that fails, or it is due later, the sweep brings it.
    async fn come_back(&self, message: &Message, callback: &Callback, within: i64) {
        let Some(due_at) = callback.next_attempt_at() else {
            return;
        };
        let wait = seconds_until(due_at, self.clock.now());
        if wait <= within {
            let delay = Duration::from_secs(u64::try_from(wait).unwrap_or(0));
            if let Err(error) = self.queue.send(std::slice::from_ref(message), delay).await {
                tracing::warn!(callback = %callback.id, %error, "the next attempt is left to the sweep");
            }
        }
    }
}

/// Whole seconds, rounded up so that the message does not come too early.
fn seconds_until(due: Timestamp, now: Timestamp) -> i64 {
    let millis = due.as_millisecond() - now.as_millisecond();
    (millis.max(0) + 999) / 1_000
}

/// A chance in thousandths, 0 to 1,000.
fn chance() -> u16 {
    u16::from_le_bytes(random::bytes::<2>()) % 1_001
}
