//! Processes accepted imports chunk by chunk: lease, items, finish.
//!
//! Each item writes one row, that of its `externalSystemId`, which also records the item's result. An item with a record for its
//! promise is done, so a chunk that is delivered twice, or whose worker dies halfway, changes nothing twice. The lease only saves
//! work. The transaction that finishes a chunk writes the results of its items for the log; that of the last chunk completes the
//! promise and creates its `import.completed` callback.
//!
//! A failed table call never fails an item: the chunk is released, and its message or the sweep brings it back. While DynamoDB
//! throttles the table, workers slow down together: each writes fewer items at once ([`Pace`]), each call pauses between its
//! attempts, and a chunk that is throttled all the same is postponed, longer each time. Its message is deleted; the relay enqueues
//! the chunk when it is due. A chunk that no worker can handle becomes a dead letter: its promise lists its items as stuck, the chunk is no longer due, and its message goes
//! to the dead-letter queue. A redriven message was sent after that, so it starts the chunk again; a message that was already in
//! the queue, because relay and sweep may send several, does not.

mod dead_letter;
mod items;
mod pace;
mod revise;

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::Error;
use tandem_domain::Timestamp;
use tandem_domain::callback::Announcement;
use tandem_domain::ids::{ClientId, PromiseId};
use tandem_domain::import::chunk::{Begun, Chunk, ChunkFailure, ChunkItems, Received};
use tandem_domain::import::decide::LogEntry;
use tandem_domain::import::promise::{Counts, Promise};
use tandem_domain::request_id::RequestId;
use tandem_queue::{DeadLetterReason, Kind, Message};
use tandem_runtime::batch::Receipt;
use tandem_runtime::metrics::{self, Metric};
use tandem_runtime::{Clock, DeadLetterHandler, RandomIds, aws, batch, callback_body, spans};
use tandem_sealing::Sealer;
use tandem_store::{Key, Store, StoreError, TooManyConflicts, Transaction, keys};
use tracing::Instrument as _;

pub use crate::pace::{MOST_WRITES, Pace};

/// For a chunk, with its lease and its end. Releasing the chunk takes one call more; both fit into the function's minute, so a
/// worker that is only slow does not count as dead.
pub const TIME_LIMIT: Duration = Duration::from_secs(45);
/// All chunks of an import, up to 40, write its promise when they begin and end.
const CONFLICT_ATTEMPTS: usize = 40;

#[derive(Clone)]
pub struct Worker {
    pub store: Store,
    /// Seals the body of `import.completed`.
    pub sealer: Sealer,
    pub dead_letter_handler: DeadLetterHandler,
    pub clock: Clock,
    pub pace: Pace,
}

#[derive(Debug, Clone, Copy)]
struct ChunkRef {
    client: ClientId,
    promise: PromiseId,
    number: u32,
}

#[derive(Debug, thiserror::Error)]
enum WorkError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Conflicts(#[from] TooManyConflicts),
    #[error("no worker can handle the chunk: {0:?}")]
    DeadLetter(ChunkFailure),
}

impl Worker {
    /// Builds the worker from the environment and connects to the services.
    pub async fn start() -> anyhow::Result<Self> {
        let config = aws::config().await?;
        let (store, sealer) = aws::store_and_sealer(&config).await?;
        Ok(Self {
            dead_letter_handler: aws::dead_letter_handler(&config, &store)?,
            store,
            sealer,
            clock: Clock::default(),
            pace: Pace::default(),
        })
    }

    /// Handles all messages of a batch at once and returns those that SQS must deliver again. Never fails; the `Result` is
    /// the runtime's.
    pub async fn work(&self, event: SqsEvent) -> Result<SqsBatchResponse, Error> {
        Ok(batch::process_with_receipts(
            event,
            &[Kind::Import],
            &self.dead_letter_handler,
            |message, receipt| self.handle(message, receipt),
        )
        .await)
    }

    async fn handle(&self, message: Message, receipt: Receipt) -> anyhow::Result<()> {
        let (client, promise) = message.ids()?;
        let chunk_ref = ChunkRef {
            client,
            promise,
            number: message.number()?,
        };
        let received = Received {
            times: receipt.received,
            sent_at: receipt.sent_at,
        };
        let reason = match self.process(chunk_ref, received).await {
            Err(WorkError::Store(StoreError::Corrupt { key, reason })) => {
                tracing::error!(%promise, chunk = chunk_ref.number, key, reason, "a row is corrupt");
                ChunkFailure::CorruptRow
            }
            Err(WorkError::DeadLetter(reason)) => reason,
            // Not wrapped, so that the batch recognises a throttled table.
            Err(WorkError::Store(error)) => return Err(error.into()),
            other => return Ok(other?),
        };
        self.dead_letter(chunk_ref, reason).await?;
        Err(match reason {
            ChunkFailure::CorruptRow => DeadLetterReason::CorruptRow.into(),
            ChunkFailure::TooManyLeases => DeadLetterReason::TooManyTries.into(),
        })
    }

    async fn process(&self, chunk_ref: ChunkRef, received: Received) -> Result<(), WorkError> {
        let mut lease = None;
        let work = async {
            let Some((leased, items, promise)) = self.lease(chunk_ref, received).await? else {
                return Ok(());
            };
            lease = Some(leased.clone());
            let span = spans::of_work("import a chunk", promise.id, promise.request.as_ref());
            let import = async {
                let entries = self.items(&promise, &items).await?;
                self.finish(chunk_ref, (leased, &items, &promise), entries)
                    .await
            };
            import.instrument(span).await
        };
        let out_of_time = |_| {
            let text = "the chunk's time is used up".to_owned();
            Err(StoreError::Throttled(text).into())
        };
        // Boxed: the future contains those of all items.
        let worked = tokio::time::timeout(TIME_LIMIT, Box::pin(work)).await;
        let worked = worked.unwrap_or_else(out_of_time);
        if let (Err(error), Some(leased)) = (&worked, lease) {
            self.give_back(chunk_ref, leased, error).await;
        }
        worked
    }

    /// Leases the chunk, and marks its promise as running if this is the first chunk; `None` if nothing is left to do.
    async fn lease(
        &self,
        chunk_ref: ChunkRef,
        received: Received,
    ) -> Result<Option<(Chunk, ChunkItems, Promise)>, WorkError> {
        self.store
            .until_committed(CONFLICT_ATTEMPTS, async |_| {
                let nothing = || Ok((Transaction::default(), None));
                let mut batch = self.store.batch();
                batch.add(&chunk_ref.chunk());
                batch.add(&chunk_ref.items());
                batch.add(&chunk_ref.promise());
                let rows = batch.load().await?;
                // A missing row has expired, and its import can no longer be read.
                let Some(chunk) = rows.get(&chunk_ref.chunk())? else {
                    return nothing();
                };
                let now = self.clock.now();
                let leased = match chunk.begin(received, now) {
                    Begun::Leased(leased) => leased,
                    Begun::NotDue => return nothing(),
                    Begun::TooManyLeases => {
                        return Err(WorkError::DeadLetter(ChunkFailure::TooManyLeases));
                    }
                    Begun::DeadLetter(reason) => return Err(WorkError::DeadLetter(reason)),
                };
                // Decoded only now: a corrupt row is of no concern to a chunk that is done.
                let (Some(items), Some(promise)) = (
                    rows.get(&chunk_ref.items())?,
                    rows.get(&chunk_ref.promise())?,
                ) else {
                    return nothing();
                };
                let mut transaction = Transaction::default();
                transaction.replace(&leased)?;
                if let Some(begun) = promise.clone().begin(now) {
                    transaction.replace(&begun)?;
                }
                let leased = Chunk {
                    version: leased.version + 1,
                    ..leased
                };
                Ok((transaction, Some((leased, items, promise))))
            })
            .await
    }

    /// Marks the chunk as done, and the promise as completed if this was the last chunk.
    async fn finish(
        &self,
        chunk_ref: ChunkRef,
        (leased, items, promise): (Chunk, &ChunkItems, &Promise),
        entries: Vec<LogEntry>,
    ) -> Result<(), WorkError> {
        let finished = self
            .store
            .until_committed(CONFLICT_ATTEMPTS, async |_| {
                let nothing = || Ok::<_, WorkError>((Transaction::default(), None));
                let keys = (
                    chunk_ref.chunk(),
                    chunk_ref.promise(),
                    keys::event_endpoint(chunk_ref.client),
                );
                let (Some(chunk), Some(counted), endpoint) = self.store.load(keys).await? else {
                    return nothing();
                };
                if !chunk.has_lease_of(&leased) {
                    // The lease ran out and another worker has the chunk. It finds the items done and finishes the chunk.
                    return nothing();
                }
                let entries = if chunk.version == leased.version {
                    entries.clone()
                } else {
                    // Another import revised a result.
                    self.items(promise, items).await?
                };
                let (now, number) = (self.clock.now(), chunk_ref.number);
                let mut counts = Counts::default();
                for entry in &entries {
                    counts.add(entry.outcome.result);
                }
                let counted = counted.chunk_done(number, counts, now);
                let mut transaction = Transaction::default();
                transaction.replace(&chunk.done(entries, now))?;
                transaction.replace(&counted)?;
                let takes = |announcement: &Announcement| {
                    let endpoint = endpoint.as_ref();
                    endpoint.is_some_and(|endpoint| endpoint.takes(announcement.event))
                };
                if let Some(announcement) = counted.announcement().filter(takes) {
                    transaction.create(&callback_body::seal(
                        &self.sealer,
                        &mut RandomIds::at(now),
                        None,
                        announcement,
                        now,
                    ))?;
                    transaction.caused_by(counted.request.as_ref())?;
                }
                Ok((transaction, Some((counted.state(), counts))))
            })
            .await?;
        if let Some((state, counts)) = finished {
            count(counts, self.clock.now());
            let request = promise.request.as_ref().map(RequestId::as_str);
            tracing::info!(promise = %chunk_ref.promise, request, chunk = chunk_ref.number, ?state, "finished a chunk");
        }
        Ok(())
    }

    /// Makes the chunk due again: after a pause if its writes were throttled, at once if the table did not answer. A bug counts as a
    /// dead worker. If the write fails too, the lease runs out.
    async fn give_back(&self, chunk_ref: ChunkRef, leased: Chunk, error: &WorkError) {
        let (per_mille, now) = (tandem_sealing::random::per_mille(), self.clock.now());
        let free: fn(Chunk, u16, Timestamp) -> Chunk = match error {
            WorkError::Store(StoreError::Throttled(_)) => Chunk::postpone,
            WorkError::Store(StoreError::Unavailable(_)) | WorkError::Conflicts(_) => {
                |chunk, _, now| chunk.release(now)
            }
            WorkError::Store(_) | WorkError::DeadLetter(_) => return,
        };
        let given_back = self
            .store
            .until_committed(CONFLICT_ATTEMPTS, async |conflict| {
                let chunk = match conflict {
                    None => Some(leased.clone()),
                    // Another import revised a result, or the lease ran out.
                    Some(_) => self.store.get(&chunk_ref.chunk()).await?,
                };
                let mut transaction = Transaction::default();
                if let Some(chunk) = chunk.filter(|chunk| chunk.has_lease_of(&leased)) {
                    transaction.replace(&free(chunk, per_mille, now))?;
                }
                Ok::<_, WorkError>((transaction, ()))
            })
            .await;
        if let Err(error) = given_back {
            let (promise, chunk) = (chunk_ref.promise, chunk_ref.number);
            tracing::warn!(%promise, chunk, %error, "could not give a chunk back; its lease runs out");
        }
    }
}

fn count(counts: Counts, now: Timestamp) {
    let counts = [
        (Metric::ImportItemsCreated, counts.created),
        (Metric::ImportItemsUpdated, counts.updated),
        (Metric::ImportItemsUnchanged, counts.unchanged),
        (Metric::ImportItemsSuperseded, counts.superseded),
        (Metric::ImportItemsFailed, counts.failed),
    ];
    metrics::count(&counts, now);
}

impl ChunkRef {
    fn chunk(self) -> Key<Chunk> {
        keys::chunk(self.client, self.promise, self.number)
    }

    fn items(self) -> Key<ChunkItems> {
        keys::chunk_items(self.client, self.promise, self.number)
    }

    fn promise(self) -> Key<Promise> {
        keys::promise(self.client, self.promise)
    }
}
