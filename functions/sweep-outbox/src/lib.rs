//! Sends a queue message for every row whose time has come, each minute. A lost stream event or message therefore only delays the
//! work.
//!
//! Several sweeps run at the same time, each over its own part of the shards. After a message, the sweep moves the row's `sweepAt`
//! forward (`tandem_domain::sweep`), so the next round continues with other rows. A message sent twice is harmless: only one
//! worker gets the lease.

mod oldest;

use std::time::Duration;

use futures::future::try_join;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use lambda_runtime::Error;
use serde::Deserialize;
use tandem_domain::Timestamp;
use tandem_domain::sweep::{NextPage, Round};
use tandem_queue::{Queues, SendError};
use tandem_runtime::{Clock, aws, metrics};
use tandem_store::outbox::{Due, Swept};
use tandem_store::{Store, StoreError, shards};
use tokio::time::Instant;

use crate::oldest::Oldest;

/// A sweep begins nothing after this time; what it left is read in the next minute.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// A sweep reads no further pages of a shard after this time.
const READING_LIMIT: Duration = Duration::from_secs(15);
const CONCURRENT_SHARDS: usize = 4;
/// Rows whose messages are sent, and which are marked then, at the same time.
const ROWS_AT_ONCE: usize = 100;
const CONCURRENT_MARKS: usize = 25;

pub struct Sweep {
    store: Store,
    queues: Queues,
    clock: Clock,
}

/// The part of the shards that one sweep reads; the event of its schedule.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default)]
pub struct Part {
    /// 0 for the first.
    pub part: usize,
    pub of: usize,
}

impl Default for Part {
    fn default() -> Self {
        Self { part: 0, of: 1 }
    }
}

impl Part {
    /// The shards of this part, each minute from another one on: a sweep that runs out of time has not swept the same shards as
    /// the one before.
    fn shards(self, now: Timestamp) -> Vec<String> {
        let mut shards: Vec<String> = shards()
            .enumerate()
            .filter(|(number, _)| number % self.of.max(1) == self.part)
            .map(|(_, shard)| shard)
            .collect();
        let minute = usize::try_from(now.as_second() / 60).unwrap_or(0);
        let first = minute.checked_rem(shards.len()).unwrap_or(0);
        shards.rotate_left(first);
        shards
    }
}

/// The result of a sweep of one shard.
#[derive(Debug, Default)]
struct Done {
    rows: usize,
    oldest: Oldest,
}

impl Sweep {
    pub fn new(store: Store, queues: Queues, clock: Clock) -> Self {
        Self {
            store,
            queues,
            clock,
        }
    }

    /// Builds it from the environment and connects to the table.
    ///
    /// # Errors
    /// A setting is missing, or the table does not respond.
    pub async fn start() -> Result<Self, Error> {
        let config = aws::config().await?;
        let (store, queues) = try_join(aws::store(&config), aws::queues(&config)).await?;
        Ok(Self::new(store, queues, Clock::default()))
    }

    /// [`Sweep::sweep_part`] of all shards.
    ///
    /// # Errors
    /// As there.
    pub async fn sweep(&self) -> Result<(), Error> {
        self.sweep_part(Part::default()).await
    }

    /// Sweeps the shards of a part. A failed shard does not affect the others.
    ///
    /// # Errors
    /// A shard could not be read, its messages were not sent, or its rows were not marked. The error is returned after the last
    /// shard, so that the function's error metric counts it.
    pub async fn sweep_part(&self, part: Part) -> Result<(), Error> {
        let (began, now) = (Instant::now(), self.clock.now());
        let sweeps = part.shards(now).into_iter().map(|shard| async move {
            let swept = self.sweep_shard(&shard, began).await;
            swept.inspect_err(|error| tracing::error!(shard, %error, "a shard could not be swept"))
        });
        // Boxed one by one: the compiler cannot prove that a stream of borrowing futures is Send.
        let sweeps = stream::iter(sweeps.map(Box::pin).collect::<Vec<_>>());
        let swept: Vec<Result<Done, Error>> = sweeps.buffered(CONCURRENT_SHARDS).collect().await;
        let (mut all, mut failure) = (Done::default(), None);
        for swept in swept {
            match swept {
                Ok(done) => all.add(&done),
                Err(error) => failure = Some(error),
            }
        }
        metrics::durations(&all.oldest.ages(now), now);
        metrics::throttled(self.store.throttled(), now);
        tracing::info!(rows = all.rows, "swept due rows");
        failure.map_or(Ok(()), Err)
    }

    async fn sweep_shard(&self, shard: &str, began: Instant) -> Result<Done, Error> {
        let rows = self.read(shard, began).await?;
        let mut done = Done {
            rows: 0,
            oldest: rows
                .iter()
                .map(Oldest::read)
                .fold(Oldest::default(), Oldest::and),
        };
        let mut failure = None;
        for rows in rows.chunks(ROWS_AT_ONCE) {
            if began.elapsed() > TIME_LIMIT {
                tracing::warn!(shard, "the time of this sweep ends before its rows");
                break;
            }
            let (oldest, sent) = self.hand_over(rows).await?;
            done.oldest = done.oldest.and(oldest);
            match sent {
                Ok(()) => done.rows += rows.len(),
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(done), |error| Err(error.into()))
    }

    /// Reads the rows of one round. Only the first page must be read: the others are for fairness.
    async fn read(&self, shard: &str, began: Instant) -> Result<Vec<Swept>, StoreError> {
        let (mut round, now) = (Round::default(), self.clock.now());
        let (mut next, mut before) = (Some(NextPage::first()), None);
        while let Some(page) = next.take() {
            let first = before.is_none();
            let read = match self.store.due(shard, now, &page, before.take()).await {
                Err(error) if first => return Err(error),
                Err(error) => {
                    tracing::warn!(shard, %error, "no further page of a shard can be read");
                    break;
                }
                Ok(read) => read,
            };
            let more = read.has_more() && began.elapsed() < READING_LIMIT;
            let rows = read.rows.iter().cloned();
            next = round.add(rows.map(|row| (row.due.tenant().to_owned(), row)).collect());
            next.take_if(|_| !more);
            before = Some(read);
        }
        Ok(round.rows())
    }

    /// Sends the messages of some rows, and marks the rows, which shows since when they are due. The outer error means that rows are
    /// not marked: no more messages of this shard are sent now.
    async fn hand_over(
        &self,
        rows: &[Swept],
    ) -> Result<(Oldest, Result<(), SendError>), StoreError> {
        let due: Vec<Due> = rows.iter().map(|row| row.due.clone()).collect();
        let (ended, sent) = self.queues.hand_over(&due).await;
        let now = self.clock.now();
        let marks = rows.iter().zip(ended).map(|(row, ended)| {
            Box::pin(async move {
                let marked = self.store.mark_swept(row, ended.again_at(now), now);
                Ok(Oldest::due(row, marked.await?))
            })
        });
        let marks = stream::iter(marks.map(Ok).collect::<Vec<_>>());
        let marks = marks.try_buffer_unordered(CONCURRENT_MARKS);
        let oldest = marks.try_fold(Oldest::default(), async |oldest, row| Ok(oldest.and(row)));
        Ok((oldest.await?, sent))
    }
}

impl Done {
    fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.oldest = self.oldest.and(other.oldest);
    }
}
