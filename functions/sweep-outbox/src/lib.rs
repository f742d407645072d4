//! Sends a queue message for every due row, each minute. A lost stream event or message therefore only delays the work.
//!
//! A row stays due until a worker leases it, so a row whose message waits in a full queue gets another message. That is
//! harmless: only one worker gets the lease.

use futures::future::try_join;
use lambda_runtime::Error;
use tandem_queue::Queues;
use tandem_runtime::{Clock, aws};
use tandem_store::Store;
use tandem_store::shards;

/// The oldest rows come first; the next sweep, a minute later, continues with the rest.
const MAX_ROWS_PER_SHARD: i32 = 500;

pub struct Sweep {
    store: Store,
    queues: Queues,
    clock: Clock,
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

    /// Sweeps all shards, each minute from another one on: a sweep that runs out of time, because reads are throttled, has not
    /// swept the same shards as the one before. A failed shard does not affect the others.
    ///
    /// # Errors
    /// A shard could not be read, or its messages were not sent. The error is returned after the last shard, so that the
    /// function's error metric counts it.
    pub async fn sweep(&self) -> Result<(), Error> {
        let (mut rows, mut failure) = (0, None);
        let mut shards: Vec<String> = shards().collect();
        let minute = usize::try_from(self.clock.now().as_second() / 60).unwrap_or(0);
        let first = minute % shards.len();
        shards.rotate_left(first);
        for shard in shards {
            match self.sweep_shard(&shard).await {
                Ok(swept) => rows += swept,
                Err(error) => {
                    tracing::error!(shard, %error, "a shard could not be swept");
                    failure = Some(error);
                }
            }
        }
        tracing::info!(rows, "swept due rows");
        failure.map_or(Ok(()), Err)
    }

    async fn sweep_shard(&self, shard: &str) -> Result<usize, Error> {
        let due = self
            .store
            .due(shard, self.clock.now(), MAX_ROWS_PER_SHARD)
            .await?;
        let rows = due.len();
        self.queues.send(due).await?;
        Ok(rows)
    }
}
