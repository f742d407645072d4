//! Runs the binaries that deliver callbacks (relay, sweep and delivery) against receivers, some of which fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;
use tandem_domain::Timestamp;
use tandem_domain::callback::{Callback, CallbackState};
use tandem_domain::ids::{CallbackId, ClientId};
use tandem_runtime::RandomIds;
use tandem_store::outbox::Beside;
use tandem_store::{Key, Transaction, keys};
use tandem_tests::InProcess;
use tokio::time::{MissedTickBehavior, interval};

use crate::callback_figures::{Cost, Load, Run, Totals};
use crate::counting_proxy::CountingProxy;
use crate::deployment::{Environment, WorkerSettings};
use crate::fair_queue::Message;
use crate::lambda::{Function, event_of, records_of_callbacks};
use crate::receivers::{Receivers, Round, can_be_dead, chance};
use crate::seller::Seller;
use crate::services::Services;

/// Seconds before each attempt; short, so that a run ends within minutes.
pub const SCHEDULE: &str = "0,1,2,4,8,15,30,60";
/// Stream records per invocation of the relay, as in the template, and rows per transaction.
const STREAM_BATCH: usize = 100;
/// As in the template.
const SWEEP: Duration = Duration::from_secs(60);
/// The interval between sales in runs with a rate.
const TICK: Duration = Duration::from_millis(100);
/// Of a run.
const TIME_LIMIT: Duration = Duration::from_secs(900);
/// Selects the endpoint of each callback.
const SEED: u64 = 0x7a6e_64d3_5eed_0002;

pub struct CallbackBench {
    /// Set up by the real handlers.
    pub stage: Arc<InProcess>,
    pub settings: WorkerSettings,
    /// The database calls of `deliver-callbacks`.
    pub worker_calls: CountingProxy,
    pub services: Services,
    /// `deliver-callbacks`.
    pub worker: Function,
    relay: Function,
    sweep: Function,
    sellers: Vec<Seller>,
    receivers: Receivers,
    work: Work,
}

/// A callback of a sale.
struct Sold {
    client_id: ClientId,
    id: CallbackId,
    beside: Beside,
}

impl Sold {
    fn of(callback: &Callback) -> Self {
        Self {
            client_id: callback.client_id,
            id: callback.id,
            beside: Beside {
                connection: callback.connection_id.map(|id| id.to_string()),
                concerned: callback.concerned.map(|concerned| concerned.to_string()),
            },
        }
    }

    fn key(&self) -> Key<Callback> {
        keys::callback(self.client_id, self.id)
    }

    fn row(&self) -> (String, &Beside) {
        (format!("{}#{}", self.client_id, self.id), &self.beside)
    }
}

#[derive(Debug, Default)]
struct Work {
    invocations: AtomicU64,
    messages: AtomicU64,
    /// Messages that are received again, because they or their invocation failed.
    failed: AtomicU64,
    milliseconds: AtomicU64,
    busy: AtomicUsize,
    max_busy: AtomicUsize,
}

impl CallbackBench {
    /// Starts the binaries beside this one; as many workers as in the template, if not given.
    pub async fn start(endpoints: usize, workers: Option<usize>) -> Result<Arc<Self>> {
        let stage = InProcess::start().await;
        // The binaries use the real time.
        stage
            .clock
            .advance(Timestamp::now().duration_since(stage.clock.now()));
        let receivers = Receivers::start(endpoints).await?;
        let sellers = Seller::all(&stage, &receivers, endpoints).await?;
        let (worker_calls, other_calls) = (
            CountingProxy::start(&stage.table.endpoint).await?,
            CountingProxy::start(&stage.table.endpoint).await?,
        );
        let mut settings = WorkerSettings::callbacks()?;
        settings.concurrency = workers.unwrap_or(settings.concurrency);
        let services = Services::start(InProcess::DATA_KEY, "callbacks", settings.queue()).await?;
        let environment = |database| Environment {
            table: &stage.table.table_name,
            database,
            services: &services,
        };
        let extra = [
            ("CALLBACK_RETRY_SCHEDULE", SCHEDULE),
            ("LOCAL_CALLBACK_TARGETS", "127.0.0.1"),
            ("SSL_CERT_FILE", receivers.trusted()),
        ];
        let worker = environment(&worker_calls.url)
            .start("deliver-callbacks", settings.concurrency, &extra)
            .await?;
        let relay = environment(&other_calls.url)
            .start("relay-outbox", 1, &[])
            .await?;
        let sweep = environment(&other_calls.url)
            .start("sweep-outbox", 1, &[])
            .await?;
        for function in [&worker, &relay, &sweep] {
            function.ready().await?;
        }
        let work = Work::default();
        Ok(Arc::new(Self {
            stage,
            settings,
            worker_calls,
            services,
            worker,
            relay,
            sweep,
            sellers,
            receivers,
            work,
        }))
    }

    /// Moves all endpoints to their addresses with or without TLS.
    pub async fn use_tls(&self, tls: bool) {
        for (number, seller) in self.sellers.iter().enumerate() {
            seller.move_to(&self.receivers.url(number, tls)).await;
        }
    }

    /// Gives messages to the workers without end, each copy one batch at a time, and sweeps each minute.
    pub async fn work(self: Arc<Self>) -> Result<()> {
        let pollers = futures::future::join_all((0..self.worker.copies()).map(|_| self.poll()));
        let sweeps = async {
            let mut minutes = interval(SWEEP);
            loop {
                minutes.tick().await;
                self.sweep.invoke("{}".to_owned()).await?;
            }
        };
        tokio::select! {
            _ = pollers => bail!("the pollers ended"),
            swept = sweeps => swept,
        }
    }

    async fn poll(&self) {
        loop {
            let messages = self.services.queue.receive(self.settings.batch).await;
            let busy = self.work.busy.fetch_add(1, Ordering::Relaxed) + 1;
            self.work.max_busy.fetch_max(busy, Ordering::Relaxed);
            let start = Instant::now();
            let answer = self.worker.invoke(event_of(&messages)).await;
            self.work.milliseconds.fetch_add(
                u64::try_from(start.elapsed().as_millis()).unwrap_or(0),
                Ordering::Relaxed,
            );
            self.work.invocations.fetch_add(1, Ordering::Relaxed);
            self.work
                .messages
                .fetch_add(messages.len() as u64, Ordering::Relaxed);
            let done: Vec<&Message> = messages
                .iter()
                .filter(|message| is_done(answer.as_deref().ok(), message))
                .collect();
            self.work
                .failed
                .fetch_add((messages.len() - done.len()) as u64, Ordering::Relaxed);
            done.into_iter()
                .for_each(|message| self.services.queue.delete(message));
            self.work.busy.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Delivers a load.
    ///
    /// # Errors
    /// The time limit has passed; the error shows the totals.
    pub async fn run(&self, load: Load) -> Result<Run> {
        let round = self.receivers.begin(load.faults);
        let before = self.cost();
        self.work.max_busy.store(0, Ordering::Relaxed);
        let endpoints = self.sellers.len();
        let endpoint =
            |number| usize::try_from(chance(SEED ^ number as u64) % endpoints as u64).unwrap_or(0);
        let all: Vec<usize> = (0..load.callbacks).map(endpoint).collect();
        let (started_at, keys) = match load.per_second {
            None => self.sell_at_once(&round, &all).await?,
            Some(per_second) => self.sell_over_time(&round, &all, per_second).await?,
        };
        let is_healthy = |endpoint: usize| !(load.faults.dead && can_be_dead(endpoint));
        self.until(started_at, &round, &keys, || {
            round.deliveries.open(is_healthy) == 0
        })
        .await?;
        let took = started_at.elapsed();
        round.recover();
        let recovered = Instant::now();
        self.until(started_at, &round, &keys, || {
            round.deliveries.open(|_| true) == 0
        })
        .await?;
        let drained = recovered.elapsed();
        // The workers may still have to record accepted callbacks.
        let is_idle =
            || self.services.queue.is_empty() && self.work.busy.load(Ordering::Relaxed) == 0;
        self.until(started_at, &round, &keys, is_idle).await?;
        let totals = self.totals(&round, &keys).await?;
        let (cost, max_busy) = (
            self.cost().since(&before),
            self.work.max_busy.load(Ordering::Relaxed),
        );
        Ok(Run {
            round,
            started_at,
            took,
            drained,
            cost,
            max_busy,
            totals,
        })
    }

    /// Writes all rows first, then relays their stream records.
    async fn sell_at_once(
        &self,
        round: &Round,
        endpoints: &[usize],
    ) -> Result<(Instant, Vec<Sold>)> {
        let keys = self.sell(round, endpoints, 0).await?;
        let started_at = Instant::now();
        self.relay(round, &keys).await?;
        Ok((started_at, keys))
    }

    /// Writes and relays some rows at each tick, whether earlier ones are delivered or not.
    async fn sell_over_time(
        &self,
        round: &Round,
        endpoints: &[usize],
        per_second: usize,
    ) -> Result<(Instant, Vec<Sold>)> {
        let started_at = Instant::now();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut keys = Vec::with_capacity(endpoints.len());
        for batch in endpoints.chunks((per_second / 10).max(1)) {
            ticks.tick().await;
            let sold = self.sell(round, batch, keys.len()).await?;
            self.relay(round, &sold).await?;
            keys.extend(sold);
        }
        Ok((started_at, keys))
    }

    /// Commits one callback for each endpoint.
    async fn sell(&self, round: &Round, endpoints: &[usize], first: usize) -> Result<Vec<Sold>> {
        let mut keys = Vec::with_capacity(endpoints.len());
        for batch in endpoints.chunks(STREAM_BATCH) {
            let now = Timestamp::from_millisecond(Timestamp::now().as_millisecond())?;
            let (mut ids, mut transaction) = (RandomIds::at(now), Transaction::default());
            for endpoint in batch {
                let callback = self.sellers[*endpoint].sell(&self.stage.app.sealer, &mut ids, now);
                round
                    .deliveries
                    .expect(callback.id.to_string(), first + keys.len(), *endpoint);
                transaction.create(&callback)?;
                keys.push(Sold::of(&callback));
            }
            self.stage.app.store.commit(transaction).await?;
        }
        Ok(keys)
    }

    /// Does the work of the table's stream.
    async fn relay(&self, round: &Round, keys: &[Sold]) -> Result<()> {
        for batch in keys.chunks(STREAM_BATCH) {
            batch
                .iter()
                .for_each(|sold| round.deliveries.relayed(&sold.id.to_string()));
            let rows = batch.iter().map(Sold::row);
            self.relay.invoke(records_of_callbacks(rows)).await?;
        }
        Ok(())
    }

    async fn until(
        &self,
        started_at: Instant,
        round: &Round,
        keys: &[Sold],
        condition: impl Fn() -> bool,
    ) -> Result<()> {
        while !condition() {
            if started_at.elapsed() > TIME_LIMIT {
                bail!(
                    "not done in {TIME_LIMIT:?}: {:?}",
                    self.totals(round, keys).await?
                );
            }
            tokio::time::sleep(TICK).await;
        }
        Ok(())
    }

    async fn totals(&self, round: &Round, keys: &[Sold]) -> Result<Totals> {
        let rows = self
            .stage
            .app
            .store
            .load_all(keys.iter().map(Sold::key))
            .await?;
        let mut totals = Totals::default();
        for sold in keys {
            let row: Option<&Callback> = rows.get(&sold.key());
            let is_delivered = row
                .as_ref()
                .is_some_and(|row| matches!(row.state, CallbackState::Delivered { .. }));
            let count = match (
                round.deliveries.is_accepted(&sold.id.to_string()),
                is_delivered,
                row,
            ) {
                (true, true, _) => &mut totals.delivered,
                (true, false, Some(_)) => &mut totals.unwritten,
                (false, false, Some(_)) => &mut totals.waiting,
                (false, true, _) | (_, _, None) => &mut totals.lost,
            };
            *count += 1;
        }
        Ok(totals)
    }

    fn cost(&self) -> Cost {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Cost {
            table: self.worker_calls.usage(),
            sent: self.services.queue.sent(),
            invocations: read(&self.work.invocations),
            messages: read(&self.work.messages),
            failed: read(&self.work.failed),
            worked: Duration::from_millis(read(&self.work.milliseconds)),
            cpu: self.worker.cpu(),
            logged: self.worker.logged(),
            connections: self.receivers.connections(),
        }
    }
}

/// Whether the worker handled the message; false for all messages after an invalid answer.
fn is_done(answer: Option<&str>, message: &Message) -> bool {
    let Some(answer) = answer.and_then(|answer| serde_json::from_str::<Value>(answer).ok()) else {
        return false;
    };
    let failed = answer["batchItemFailures"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let number_of = |failure: &Value| {
        failure["itemIdentifier"]
            .as_str()
            .and_then(|id| id.parse().ok())
    };
    !failed
        .iter()
        .any(|failure| number_of(failure) == Some(message.number))
}
