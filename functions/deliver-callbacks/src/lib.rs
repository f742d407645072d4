//! Delivers callbacks and runs replay jobs. [`Worker`] reads SQS batches; its `deliver` names the steps of one callback.
//!
//! - `invocation` reads the rows of a batch at once. `endpoint_cache` spares first attempts the read of their endpoint.
//! - `lease` writes the lease, or postpones the callback if `admission` says so.
//! - `exchange` signs the callback, sends it and reads the reply. `slow` pauses an endpoint that hangs meanwhile.
//! - `record` writes the attempt, the callback, the endpoint's health and the mails in one transaction.
//!
//! The lease is a conditional write, so at most one attempt of a callback is in flight. If a worker dies between the
//! receiver's answer and the record, its lease expires, the log shows the outcome as unknown, and the callback is sent
//! again with the same `webhook-id`. Not guaranteed: that a receiver gets each callback only once.
//!
//! The worker never sends to its own queue. It writes when a callback or a job is due next; the relay enqueues it from the table's
//! stream, or the sweep does.

mod admission;
mod attempt;
mod circuit;
mod cut_off;
mod endpoint;
mod endpoint_cache;
mod exchange;
mod invocation;
mod lease;
mod mails;
mod random;
mod record;
mod replay;
mod slow;

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::Error;
use tandem_domain::callback::{Callback, RetrySchedule};
use tandem_domain::endpoint_health::SLOW_AFTER;
use tandem_queue::{Kind, Message};
use tandem_runtime::{Clock, DeadLetterHandler, aws, batch, settings, spans};
use tandem_sealing::Sealer;
use tandem_store::{Store, keys};
use tandem_webhooks::{Sender, SenderSettings};
use tracing::Instrument as _;

use crate::attempt::FinishedAttempt;
use crate::invocation::Invocation;
use crate::lease::Lease;
use crate::record::record;

pub use endpoint_cache::{EndpointCache, FRESH_FOR};

/// The worker's services and settings.
#[derive(Clone)]
pub struct Worker {
    pub store: Store,
    pub sealer: Sealer,
    pub sender: Arc<Sender>,
    pub schedule: RetrySchedule,
    /// How long an attempt waits for an answer before it marks the endpoint as slow.
    pub slow_after: Duration,
    pub endpoints: EndpointCache,
    pub dead_letter_handler: DeadLetterHandler,
    pub clock: Clock,
}

impl Worker {
    /// Reads the environment and connects to AWS.
    ///
    /// # Errors
    /// A setting is missing or invalid, or a service does not answer.
    pub async fn start() -> anyhow::Result<Self> {
        let config = aws::config().await?;
        let schedule = settings::optional("CALLBACK_RETRY_SCHEDULE")
            .map(|text| text.parse())
            .transpose()?;
        let (store, sealer) = aws::store_and_sealer(&config).await?;
        Ok(Self {
            dead_letter_handler: aws::dead_letter_handler(&config, &store)?,
            store,
            sealer,
            sender: Arc::new(Sender::new(SenderSettings {
                local_targets: aws::local_targets(),
                ..SenderSettings::default()
            })),
            schedule: schedule.unwrap_or_default(),
            slow_after: SLOW_AFTER.unsigned_abs(),
            endpoints: EndpointCache::new(FRESH_FOR),
            clock: Clock::default(),
        })
    }

    /// Handles all messages of a batch concurrently and returns the failed ones, which SQS delivers again.
    ///
    /// # Errors
    /// The certificates for receivers cannot be loaded. SQS delivers the whole batch again.
    pub async fn work(&self, event: SqsEvent) -> Result<SqsBatchResponse, Error> {
        // Not at the start: they took a third of it.
        self.sender.load_certificates()?;
        let invocation = &Invocation::begin(self, &event).await;
        Ok(batch::process(
            event,
            &[Kind::Callback, Kind::Replay],
            &self.dead_letter_handler,
            |message| self.handle(message, invocation),
        )
        .await)
    }

    async fn handle(&self, message: Message, invocation: &Invocation<'_>) -> anyhow::Result<()> {
        // Boxed, because the nested future types exceed the compiler's limit.
        match message.kind {
            Kind::Replay => Box::pin(self.replay(&message)).await,
            _ => Box::pin(self.deliver(&message, invocation)).await,
        }
    }

    /// Delivers one callback: load, lease, exchange, record.
    async fn deliver(&self, message: &Message, invocation: &Invocation<'_>) -> anyhow::Result<()> {
        let (client_id, callback_id) = message.ids()?;
        let key = keys::callback(client_id, callback_id);
        let Some(callback) = invocation.rows.load(&self.store, &key).await? else {
            return Ok(());
        };
        let span = spans::of_work("deliver a callback", callback.id, callback.request.as_ref());
        let attempt = Box::pin(self.attempt(callback, invocation));
        attempt.instrument(span).await
    }

    /// Attempts a callback, if it is due.
    async fn attempt(&self, callback: Callback, invocation: &Invocation<'_>) -> anyhow::Result<()> {
        let now = self.clock.now();
        let leased = match Lease::take(invocation, callback, now).await? {
            Lease::Taken(leased) => *leased,
            Lease::None => return Ok(()),
        };

        let started_at = self.clock.now();
        let call = exchange::send(&invocation.connections, &self.sealer, &leased, started_at);
        let endpoint = leased.endpoint.clone();
        let (reply, endpoint) =
            slow::note_if_slow(call, self.slow_after, &self.store, &self.clock, endpoint).await;

        if endpoint.health.is_some() {
            self.endpoints.forget(endpoint.endpoint());
        }
        let attempt = FinishedAttempt::new(leased, reply, started_at, self.clock.now());
        record(self, attempt, endpoint).await
    }

    /// Runs one step of a replay job. The stream enqueues the replayed callbacks, and the job's next step.
    async fn replay(&self, message: &Message) -> anyhow::Result<()> {
        let (client_id, replay_id) = message.ids()?;
        replay::step(&self.store, &self.clock, client_id, replay_id).await
    }
}
