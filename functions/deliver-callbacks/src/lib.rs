//! Delivers callbacks: lease, send, record.
//!
//! The lease is a conditional write, so at most one attempt of a callback is in flight. A worker that dies between the
//! receiver's answer and the record leaves a lease that runs out; the callback is then sent again with the same
//! `webhook-id`. Of a customer who was erased meanwhile the receiver is told the id alone. What is recorded of an attempt, and what follows of it, is one transaction.

mod attempt;

use std::sync::Arc;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::Error;
use tandem_domain::Timestamp;
use tandem_domain::callback::{Callback, CallbackState, Endpoint, RetrySchedule};
use tandem_domain::connection::CallbackSettings;
use tandem_queue::{Message, Queue};
use tandem_runtime::{Clock, announce, aws, batch, settings};
use tandem_sealing::Sealer;
use tandem_store::rows::DisabledEndpoint;
use tandem_store::{CommitError, Store, StoreError, Transaction, keys};
use tandem_webhooks::{Sender, SenderSettings};

/// The longest delay of a queue message; later attempts are the sweep's.
const LONGEST_DELAY_SECONDS: i64 = 900;

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
    /// For attempts that are due within minutes.
    pub queue: Queue,
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
        let schedule = settings::optional("CALLBACK_RETRY_SCHEDULE").map(|text| text.parse()).transpose()?;
        Ok(Self {
            store: aws::store(&config).await?,
            sealer: aws::sealer(&config).await?,
            sender: Arc::new(Sender::new(SenderSettings { local_targets: aws::local_targets(), ..SenderSettings::default() })?),
            schedule: schedule.unwrap_or_default(),
            queue: aws::queue(&config, "CALLBACK_QUEUE_URL").await?,
            clock: Clock::default(),
        })
    }

    /// Works through a batch, all messages at once; the answer names the messages that are to come again.
    ///
    /// # Errors
    /// Never; the type is the runtime's.
    pub async fn work(&self, event: SqsEvent) -> Result<SqsBatchResponse, Error> {
        Ok(batch::work(event, |message| self.deliver(message)).await)
    }

    async fn deliver(&self, message: Message) -> anyhow::Result<()> {
        let (client, id) = message.ids()?;
        let Some(callback) = self.store.get(&keys::callback(client, id)).await? else { return Ok(()) };
        let Some(leased) = callback.clone().begin(self.clock.now()) else { return Ok(()) };
        let Some((settings, person)) = self.open_endpoint(&callback).await? else {
            tracing::info!(callback = %callback.id, endpoint = %callback.endpoint(), "held: the endpoint is disabled");
            self.write(callback.hold(self.clock.now()), |_| Ok(())).await?;
            return Ok(());
        };
        let Some(leased) = self.write(leased, |_| Ok(())).await? else { return Ok(()) };
        let done = self.attempt(leased, &settings, person.as_ref()).await?;
        self.come_back(&message, &done).await;
        Ok(())
    }

    /// Where the callback goes, `None` if the endpoint wants no more or is not there; and what opens the part that tells of a
    /// person, `None` if there is none or the person was erased.
    async fn open_endpoint(&self, callback: &Callback) -> anyhow::Result<Option<(CallbackSettings, Option<Sealer>)>> {
        let endpoint = callback.endpoint();
        let disabled = DisabledEndpoint::key_of(endpoint);
        let settings = match endpoint {
            Endpoint::Connection(id) => keys::connection(id).raw().clone(),
            Endpoint::Client(id) => keys::event_endpoint(id).raw().clone(),
        };
        let customer = callback.concerned.map(|concerned| keys::customer(concerned.company_id, concerned.customer_id));
        let rows = [settings, disabled.raw().clone()].into_iter().chain(customer.iter().map(|key| key.raw().clone()));
        let loaded = self.store.batch(rows).await?;
        if loaded.get(&disabled)?.is_some() {
            return Ok(None);
        }
        let settings = match endpoint {
            Endpoint::Connection(id) => loaded.get(&keys::connection(id))?.and_then(|connection| connection.callback),
            Endpoint::Client(id) => loaded.get(&keys::event_endpoint(id))?.map(|own| own.settings),
        };
        let customer = customer.map(|key| loaded.get(&key)).transpose()?.flatten();
        let person = customer.map(|customer| announce::personal(&self.sealer, &customer)).transpose()?;
        Ok(settings.map(|settings| (settings, person)))
    }

    /// Writes a callback and what goes with it; `None` when another worker was faster, who then does the rest.
    async fn write(
        &self,
        callback: Callback,
        more: impl FnOnce(&mut Transaction) -> Result<(), StoreError>,
    ) -> Result<Option<Callback>, CommitError> {
        let mut transaction = Transaction::default();
        transaction.replace(&callback)?;
        more(&mut transaction)?;
        match self.store.commit(transaction).await {
            Ok(()) => Ok(Some(Callback { version: callback.version + 1, ..callback })),
            Err(CommitError::Conflict(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An attempt that is due soon comes by the queue; if that fails, or it is due later, the sweep brings it.
    async fn come_back(&self, message: &Message, callback: &Callback) {
        let CallbackState::Waiting { due_at, .. } = callback.state else { return };
        let wait = seconds_until(due_at, self.clock.now());
        if wait <= LONGEST_DELAY_SECONDS {
            let delay = std::time::Duration::from_secs(u64::try_from(wait).unwrap_or(0));
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
