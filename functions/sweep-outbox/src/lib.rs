//! Hands every row that is due and not done to the queues, each minute. What the relay or a queue lost is only late.
//!
//! A row stays due until a worker leases it, so a row that waits in a full queue is handed over again. That is harmless:
//! the lease lets one worker in.

use lambda_runtime::Error;
use tandem_queue::Queues;
use tandem_runtime::{Clock, aws};
use tandem_store::Store;
use tandem_store::shards;

/// Rows of one shard that one sweep hands over; the oldest first, the rest a minute later.
const MOST_PER_SHARD: i32 = 500;

/// Finds and hands over.
pub struct Sweep {
    store: Store,
    queues: Queues,
    clock: Clock,
}

impl Sweep {
    /// With a store, the queues and a clock.
    pub fn new(store: Store, queues: Queues, clock: Clock) -> Self {
        Self {
            store,
            queues,
            clock,
        }
    }

    /// Builds it from the environment and connects.
    ///
    /// # Errors
    /// A setting is absent, or the table does not answer.
    pub async fn start() -> Result<Self, Error> {
        let config = aws::config().await;
        Ok(Self::new(
            aws::store(&config).await?,
            aws::queues(&config).await?,
            Clock::default(),
        ))
    }

    /// Looks through all shards. A shard that fails does not hinder the others; the sweep then fails as a whole, so that
    /// the failure is seen.
    ///
    /// # Errors
    /// A shard could not be read or its rows not be sent.
    pub async fn sweep(&self) -> Result<(), Error> {
        let (mut handed, mut failed) = (0, None);
        for shard in shards() {
            match self.sweep_shard(&shard).await {
                Ok(rows) => handed += rows,
                Err(error) => {
                    tracing::error!(shard, %error, "a shard was not swept");
                    failed = Some(error);
                }
            }
        }
        tracing::info!(handed, "swept");
        failed.map_or(Ok(()), Err)
    }

    async fn sweep_shard(&self, shard: &str) -> Result<usize, Error> {
        let due = self
            .store
            .due(shard, self.clock.now(), MOST_PER_SHARD)
            .await?;
        let rows = due.len();
        self.queues.send(due).await?;
        Ok(rows)
    }
}
