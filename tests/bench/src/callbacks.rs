//! The deployment of callbacks: real binaries of relay, sweep and delivery, and receivers some of which fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;
use tandem_domain::Timestamp;
use tandem_domain::callback::{Callback, CallbackState};
use tandem_domain::ids::{CallbackId, ClientId};
use tandem_runtime::RandomIds;
use tandem_store::{Transaction, keys};
use tandem_tests::handlers::House;
use tokio::time::{MissedTickBehavior, interval};

use crate::deployment::{Deployed, Place};
use crate::fair_queue::Message;
use crate::front::{Counted, Front};
use crate::lambda::{Function, event_of, records_of};
use crate::receivers::{Faults, Receivers, Round, can_be_dead, chance};
use crate::seller::Seller;
use crate::services::Services;

/// Seconds before each attempt, so that a run ends within minutes.
pub const SCHEDULE: &str = "0,1,2,4,8,15,30,60";
/// Records of the stream that the relay gets at once, as the template says; rows of one transaction.
const TOGETHER: usize = 100;
/// As the template has it.
const SWEEP: Duration = Duration::from_secs(60);
/// How often callbacks are sold, where they are not sold all at once.
const TICK: Duration = Duration::from_millis(100);
/// How long a run may take.
const TIME_LIMIT: Duration = Duration::from_secs(900);
/// What chooses the endpoint of a callback.
const SEED: u64 = 0x7a6e_64d3_5eed_0002;

/// All that takes part.
pub struct Stage {
    /// The world, set up by the handlers themselves.
    pub house: House,
    /// What the template says of the worker.
    pub deployed: Deployed,
    /// The calls of `deliver-callbacks`.
    pub worker_calls: Front,
    /// The queue.
    pub services: Services,
    /// `deliver-callbacks`.
    pub worker: Function,
    relay: Function,
    sweep: Function,
    sellers: Vec<Seller>,
    receivers: Receivers,
    work: Work,
}

/// What the workers did.
#[derive(Debug, Default)]
struct Work {
    invocations: AtomicU64,
    messages: AtomicU64,
    /// Messages or whole invocations that failed and come again.
    failed: AtomicU64,
    milliseconds: AtomicU64,
    busy: AtomicUsize,
    most_busy: AtomicUsize,
}

/// What is to be delivered.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How many callbacks.
    pub callbacks: usize,
    /// How many are sold in a second; all at once without it.
    pub a_second: Option<usize>,
    /// What goes wrong.
    pub faults: Faults,
}

/// Where the callbacks of a run stand in the table, and what the receivers know of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standing {
    /// Delivered, and the receiver answered with 2xx.
    pub delivered: usize,
    /// Answered with 2xx, but not yet written down.
    pub unwritten: usize,
    /// Not answered with 2xx, and waiting: for an attempt, or for a replay.
    pub waiting: usize,
    /// Not answered with 2xx, and waiting for nothing.
    pub lost: usize,
}

/// What the workers did and what it cost, up to a moment.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// At the table.
    pub table: Counted,
    /// Messages that were sent to the queue.
    pub sent: u64,
    /// Invocations of the worker.
    pub invocations: u64,
    /// Messages handed to the worker.
    pub messages: u64,
    /// Messages or whole invocations that failed and come again.
    pub failed: u64,
    /// Time of all invocations that ended.
    pub worked: Duration,
}

/// A run that is over.
pub struct Run {
    /// What arrived where.
    pub round: Arc<Round>,
    /// When the first callback was handed over.
    pub began: Instant,
    /// Until all were taken whose endpoint is not dead.
    pub took: Duration,
    /// How long it took from when dead endpoints were there again until those had everything.
    pub drained: Duration,
    /// What it cost.
    pub cost: Cost,
    /// The most workers that were busy at a time.
    pub most_busy: usize,
    /// Where everything stood in the end.
    pub standing: Standing,
}

impl Stage {
    /// Starts everything; binaries are those beside this one.
    ///
    /// # Errors
    /// A binary is not built, or does not start.
    pub async fn start(endpoints: usize) -> Result<Arc<Self>> {
        let house = House::new().await;
        // The binaries have no other time than the real one.
        house
            .clock
            .advance(Timestamp::now().duration_since(house.clock.now()));
        let receivers = Receivers::start(endpoints).await?;
        let sellers = Seller::all(&house, &receivers, endpoints).await?;
        let (worker_calls, other_calls) = (
            Front::open(&house.table.endpoint).await?,
            Front::open(&house.table.endpoint).await?,
        );
        let deployed = Deployed::callbacks()?;
        let services = Services::start(House::DATA_KEY, "callbacks", deployed.queue()).await?;
        let place = |calls| Place {
            table: &house.table.table_name,
            calls,
            services: &services,
        };
        let own = [
            ("CALLBACK_RETRY_SCHEDULE", SCHEDULE),
            ("LOCAL_CALLBACK_TARGETS", "127.0.0.1"),
        ];
        let worker = place(&worker_calls)
            .start("deliver-callbacks", deployed.concurrency, &own)
            .await?;
        let relay = place(&other_calls).start("relay-outbox", 1, &[]).await?;
        let sweep = place(&other_calls).start("sweep-outbox", 1, &[]).await?;
        for function in [&worker, &relay, &sweep] {
            function.ready().await?;
        }
        let work = Work::default();
        Ok(Arc::new(Self {
            house,
            deployed,
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

    /// Hands messages to the workers for ever, each copy at most one batch at a time, and sweeps each minute.
    ///
    /// # Errors
    /// The sweep failed.
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
            let messages = self.services.queue.receive(self.deployed.batch).await;
            let busy = self.work.busy.fetch_add(1, Ordering::Relaxed) + 1;
            self.work.most_busy.fetch_max(busy, Ordering::Relaxed);
            let begin = Instant::now();
            let answer = self.worker.invoke(event_of(&messages)).await;
            self.work.milliseconds.fetch_add(
                u64::try_from(begin.elapsed().as_millis()).unwrap_or(0),
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

    /// Lets a load be delivered.
    ///
    /// # Errors
    /// It was not within the time limit; the error tells where the callbacks stand.
    pub async fn run(&self, load: Load) -> Result<Run> {
        let round = self.receivers.begin(load.faults);
        let before = self.cost();
        self.work.most_busy.store(0, Ordering::Relaxed);
        let endpoints = self.sellers.len();
        let endpoint =
            |number| usize::try_from(chance(SEED ^ number as u64) % endpoints as u64).unwrap_or(0);
        let all: Vec<usize> = (0..load.callbacks).map(endpoint).collect();
        let (began, keys) = match load.a_second {
            None => self.sell_at_once(&round, &all).await?,
            Some(a_second) => self.sell_over_time(&round, &all, a_second).await?,
        };
        let is_healthy = |endpoint: usize| !(load.faults.dead && can_be_dead(endpoint));
        self.until(began, &round, &keys, || round.ledger.left(is_healthy) == 0)
            .await?;
        let took = began.elapsed();
        round.recover();
        let recovered = Instant::now();
        self.until(began, &round, &keys, || round.ledger.left(|_| true) == 0)
            .await?;
        let drained = recovered.elapsed();
        // What was taken is yet to be written down.
        let is_idle =
            || self.services.queue.is_empty() && self.work.busy.load(Ordering::Relaxed) == 0;
        self.until(began, &round, &keys, is_idle).await?;
        let standing = self.standing(&round, &keys).await?;
        let (cost, most_busy) = (
            self.cost().since(&before),
            self.work.most_busy.load(Ordering::Relaxed),
        );
        Ok(Run {
            round,
            began,
            took,
            drained,
            cost,
            most_busy,
            standing,
        })
    }

    /// All rows first, then their records of the stream.
    async fn sell_at_once(
        &self,
        round: &Round,
        endpoints: &[usize],
    ) -> Result<(Instant, Vec<(ClientId, CallbackId)>)> {
        let keys = self.sell(round, endpoints, 0).await?;
        let began = Instant::now();
        self.hand_over(round, &keys).await?;
        Ok((began, keys))
    }

    /// Some rows and their records every moment, whether those before are delivered or not.
    async fn sell_over_time(
        &self,
        round: &Round,
        endpoints: &[usize],
        a_second: usize,
    ) -> Result<(Instant, Vec<(ClientId, CallbackId)>)> {
        let began = Instant::now();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut keys = Vec::with_capacity(endpoints.len());
        for some in endpoints.chunks((a_second / 10).max(1)) {
            ticks.tick().await;
            let sold = self.sell(round, some, keys.len()).await?;
            self.hand_over(round, &sold).await?;
            keys.extend(sold);
        }
        Ok((began, keys))
    }

    /// Commits the callback of a sale for each endpoint.
    async fn sell(
        &self,
        round: &Round,
        endpoints: &[usize],
        first: usize,
    ) -> Result<Vec<(ClientId, CallbackId)>> {
        let mut keys = Vec::with_capacity(endpoints.len());
        for some in endpoints.chunks(TOGETHER) {
            let now = Timestamp::from_millisecond(Timestamp::now().as_millisecond())?;
            let (mut ids, mut transaction) = (RandomIds::at(now), Transaction::default());
            for endpoint in some {
                let callback = self.sellers[*endpoint].sell(&self.house.app.sealer, &mut ids, now);
                round
                    .ledger
                    .expect(callback.id.to_string(), first + keys.len(), *endpoint);
                transaction.create(&callback)?;
                keys.push((callback.client_id, callback.id));
            }
            self.house.app.store.commit(transaction).await?;
        }
        Ok(keys)
    }

    /// What the table's stream does.
    async fn hand_over(&self, round: &Round, keys: &[(ClientId, CallbackId)]) -> Result<()> {
        for some in keys.chunks(TOGETHER) {
            some.iter()
                .for_each(|(_, id)| round.ledger.handed(&id.to_string()));
            let rows = some
                .iter()
                .map(|(client, id)| (format!("{client}#{id}"), "callback".to_owned()));
            self.relay.invoke(records_of(rows)).await?;
        }
        Ok(())
    }

    async fn until(
        &self,
        began: Instant,
        round: &Round,
        keys: &[(ClientId, CallbackId)],
        is_so: impl Fn() -> bool,
    ) -> Result<()> {
        while !is_so() {
            if began.elapsed() > TIME_LIMIT {
                bail!(
                    "not done in {TIME_LIMIT:?}: {:?}",
                    self.standing(round, keys).await?
                );
            }
            tokio::time::sleep(TICK).await;
        }
        Ok(())
    }

    async fn standing(&self, round: &Round, keys: &[(ClientId, CallbackId)]) -> Result<Standing> {
        let rows = self
            .house
            .app
            .store
            .load_all(keys.iter().map(|(client, id)| keys::callback(*client, *id)))
            .await?;
        let mut standing = Standing::default();
        for (client, id) in keys {
            let row: Option<&Callback> = rows.get(&keys::callback(*client, *id));
            let is_delivered = row
                .as_ref()
                .is_some_and(|row| matches!(row.state, CallbackState::Delivered { .. }));
            let count = match (round.ledger.is_taken(&id.to_string()), is_delivered, row) {
                (true, true, _) => &mut standing.delivered,
                (true, false, Some(_)) => &mut standing.unwritten,
                (false, false, Some(_)) => &mut standing.waiting,
                (false, true, _) | (_, _, None) => &mut standing.lost,
            };
            *count += 1;
        }
        Ok(standing)
    }

    fn cost(&self) -> Cost {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Cost {
            table: self.worker_calls.counted(),
            sent: self.services.queue.sent(),
            invocations: read(&self.work.invocations),
            messages: read(&self.work.messages),
            failed: read(&self.work.failed),
            worked: Duration::from_millis(read(&self.work.milliseconds)),
        }
    }
}

impl Cost {
    fn since(&self, before: &Self) -> Self {
        Self {
            table: self.table.since(&before.table),
            sent: self.sent - before.sent,
            invocations: self.invocations - before.invocations,
            messages: self.messages - before.messages,
            failed: self.failed - before.failed,
            worked: self.worked.saturating_sub(before.worked),
        }
    }
}

/// Whether the worker is done with a message; with none if it did not answer properly.
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
