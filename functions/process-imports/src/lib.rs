//! Does what imports promised, chunk by chunk: lease, items, finish.
//!
//! Each item is a transaction of its own, which also writes the item's log entry: an item that has an entry for its promise is
//! done, so a chunk that comes twice, or whose worker died in the middle, changes nothing twice. The lease only saves work.
//! The transaction that finishes the last chunk completes the promise and makes its `import.completed` callback.
//!
//! What the table does not answer is never an item's failure: the chunk is given back and comes again, by its message or by the
//! sweep. A chunk that no worker can handle is put aside: its promise says so, it is no longer due, and its message goes to the
//! dead-letter queue. A message that people redrive from there is a new one, sent after the chunk was put aside, which begins the
//! chunk anew; one that stood in the queue before, because relay and sweep may send several, does not.

mod items;
mod put_aside;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::Error;
use tandem_domain::Timestamp;
use tandem_domain::ids::{ClientId, PromiseId};
use tandem_domain::import::chunk::{Begun, Chunk, ChunkItems, StuckReason};
use tandem_domain::import::decide::{ItemResult, LogEntry};
use tandem_domain::import::promise::{Counts, Promise};
use tandem_queue::{DeadLetterReason, Kind, Message};
use tandem_runtime::batch::Receipt;
use tandem_runtime::{Clock, DeadLetterHandler, RandomIds, announce, aws, batch};
use tandem_sealing::Sealer;
use tandem_store::{CommitError, Store, StoreError, Transaction, import_keys, keys};

/// How often a chunk's begin or end is decided anew when other chunks of its promise were faster.
const MOST_TRIES: usize = 40;

/// What the worker works with.
#[derive(Clone)]
pub struct Worker {
    /// The table.
    pub store: Store,
    /// Seals the body of `import.completed`.
    pub sealer: Sealer,
    /// Takes the messages of chunks that can never be done.
    pub dead_letter_handler: DeadLetterHandler,
    /// The time.
    pub clock: Clock,
}

/// Names a chunk.
#[derive(Debug, Clone, Copy)]
struct Which {
    client: ClientId,
    promise: PromiseId,
    number: u32,
}

/// Why a chunk was not done.
#[derive(Debug, thiserror::Error)]
enum WorkError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("other workers were always faster")]
    Busy,
    #[error("the chunk can never be done: {0:?}")]
    Stuck(StuckReason),
}

impl From<CommitError> for WorkError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict(_) => Self::Busy,
            CommitError::Store(error) => Self::Store(error),
        }
    }
}

impl Worker {
    /// Builds it from the environment and connects.
    ///
    /// # Errors
    /// A setting is absent, or a service does not answer.
    pub async fn start() -> anyhow::Result<Self> {
        let config = aws::config().await;
        let store = aws::store(&config).await?;
        let (sealer, dead_letter_handler) = (
            aws::sealer(&config).await?,
            aws::dead_letter_handler(&config, &store)?,
        );
        Ok(Self {
            store,
            sealer,
            dead_letter_handler,
            clock: Clock::default(),
        })
    }

    /// Works through a batch, all messages at once; the answer names the messages that are to come again.
    ///
    /// # Errors
    /// Never; the type is the runtime's.
    pub async fn work(&self, event: SqsEvent) -> Result<SqsBatchResponse, Error> {
        Ok(batch::work_telling(
            event,
            &[Kind::Import],
            &self.dead_letter_handler,
            |message, receipt| self.handle(message, receipt),
        )
        .await)
    }

    async fn handle(&self, message: Message, receipt: Receipt) -> anyhow::Result<()> {
        let (client, promise) = message.ids()?;
        let which = Which {
            client,
            promise,
            number: message.number()?,
        };
        let stuck = match self.chunk(which, receipt.sent_at).await {
            Err(WorkError::Store(StoreError::Corrupt { key, reason })) => {
                tracing::error!(%promise, chunk = which.number, key, reason, "a row cannot be read");
                StuckReason::Unreadable
            }
            Err(WorkError::Stuck(reason)) => reason,
            other => return Ok(other?),
        };
        self.put_aside(which, stuck).await?;
        Err(match stuck {
            StuckReason::Unreadable => DeadLetterReason::CorruptRow.into(),
            StuckReason::TooManyTries => DeadLetterReason::TooManyTries.into(),
        })
    }

    async fn chunk(&self, which: Which, sent_at: Option<Timestamp>) -> Result<(), WorkError> {
        let Some((leased, items, promise)) = self.lease(which, sent_at).await? else {
            return Ok(());
        };
        match self.items(&promise, &items).await {
            Ok(entries) => self.finish(which, leased, &entries).await,
            Err(error) => {
                self.give_back(leased).await;
                Err(error.into())
            }
        }
    }

    /// Takes a chunk, and begins its promise if it is the first; `None` if there is nothing to do.
    async fn lease(
        &self,
        which: Which,
        sent_at: Option<Timestamp>,
    ) -> Result<Option<(Chunk, ChunkItems, Promise)>, WorkError> {
        let keys = (which.chunk(), which.items(), which.promise());
        for _ in 0..MOST_TRIES {
            let rows = [
                keys.0.raw().clone(),
                keys.1.raw().clone(),
                keys.2.raw().clone(),
            ];
            let loaded = self.store.batch(rows).await?;
            // Rows that are not there have expired, and nobody can ask for them any more.
            let Some(chunk) = loaded.get(&keys.0)? else {
                return Ok(None);
            };
            let now = self.clock.now();
            let leased = match chunk.begin(sent_at, now) {
                Begun::Leased(leased) => leased,
                Begun::Nothing => return Ok(None),
                Begun::TooManyTries => return Err(WorkError::Stuck(StuckReason::TooManyTries)),
                Begun::Stuck(reason) => return Err(WorkError::Stuck(reason)),
            };
            let (Some(items), Some(promise)) = (loaded.get(&keys.1)?, loaded.get(&keys.2)?) else {
                return Ok(None);
            };
            let mut transaction = Transaction::default();
            transaction.replace(&leased)?;
            if let Some(begun) = promise.clone().begin(now) {
                transaction.replace(&begun)?;
            }
            match self.store.commit(transaction).await {
                Ok(()) => {
                    return Ok(Some((
                        Chunk {
                            version: leased.version + 1,
                            ..leased
                        },
                        items,
                        promise,
                    )));
                }
                Err(CommitError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(WorkError::Busy)
    }

    /// Ends a chunk, and with the last one the promise.
    async fn finish(
        &self,
        which: Which,
        leased: Chunk,
        entries: &[LogEntry],
    ) -> Result<(), WorkError> {
        let mut counts = Counts::default();
        for entry in entries {
            counts.add(entry.result);
        }
        let failed: Vec<u32> = entries
            .iter()
            .filter(|entry| entry.result == ItemResult::Failed)
            .map(|entry| entry.number)
            .collect();
        let endpoint = keys::event_endpoint(which.client);
        for _ in 0..MOST_TRIES {
            let loaded = self
                .store
                .batch([which.promise().raw().clone(), endpoint.raw().clone()])
                .await?;
            let Some(promise) = loaded.get(&which.promise())? else {
                return Ok(());
            };
            let now = self.clock.now();
            let promise = promise.chunk_done(which.number, counts, now);
            let mut transaction = Transaction::default();
            transaction.replace(&leased.clone().done(failed.clone(), now))?;
            transaction.replace(&promise)?;
            if let Some(announcement) = promise
                .announcement()
                .filter(|_| loaded.contains(endpoint.raw()))
            {
                transaction.create(&announce::seal(
                    &self.sealer,
                    &mut RandomIds::at(now),
                    announcement,
                    now,
                ))?;
            }
            match self.store.commit(transaction).await {
                Ok(()) => {
                    tracing::info!(promise = %which.promise, chunk = which.number, state = ?promise.state(), "done");
                    return Ok(());
                }
                // The lease ran out and another worker has the chunk; it finds the items done and ends it.
                Err(error @ CommitError::Conflict(_))
                    if error.concerns(&which.chunk()) && self.lost(which, &leased).await? =>
                {
                    return Ok(());
                }
                Err(CommitError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(WorkError::Busy)
    }

    async fn lost(&self, which: Which, leased: &Chunk) -> Result<bool, StoreError> {
        Ok(self
            .store
            .get(&which.chunk())
            .await?
            .is_none_or(|now| now.version != leased.version))
    }

    /// Makes a chunk due at once. If that fails too, its lease runs out.
    async fn give_back(&self, leased: Chunk) {
        let mut transaction = Transaction::default();
        let (promise, number) = (leased.promise_id, leased.number);
        let written = match transaction.replace(&leased.give_back(self.clock.now())) {
            Ok(()) => self.store.commit(transaction).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = written {
            tracing::warn!(%promise, chunk = number, %error, "a chunk could not be given back; its lease runs out");
        }
    }
}

impl Which {
    fn chunk(self) -> tandem_store::Key<Chunk> {
        import_keys::chunk(self.client, self.promise, self.number)
    }

    fn items(self) -> tandem_store::Key<ChunkItems> {
        import_keys::chunk_items(self.client, self.promise, self.number)
    }

    fn promise(self) -> tandem_store::Key<Promise> {
        import_keys::promise(self.client, self.promise)
    }
}
