//! The part of an import that one worker takes at a time.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, OrderId, PromiseId, SubscriptionId};
use crate::sweep;
use crate::text::ExternalId;

use super::hash::ExternalHash;
use super::item::ImportItem;
use super::log::{ItemResult, LogEntry, Outcome};
use super::{CHUNK, count};

/// Longer than the worker's own time limit of a minute.
pub const LEASE: SignedDuration = SignedDuration::from_secs(90);
/// A chunk is leased this often before it becomes a dead letter: its workers die. A chunk that is released because the table
/// does not answer is not counted.
pub const MAX_LEASES: u32 = 8;
/// The first pause of a chunk whose writes were throttled. Each further pause is twice as long.
pub const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// Shorter than the longest delay of a message, so that the relay can enqueue the chunk.
pub const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "status"
)]
pub enum ChunkState {
    Waiting {
        due_at: Timestamp,
    },
    InFlight {
        /// From then on, another worker may lease the chunk.
        lease_until: Timestamp,
    },
    /// All items have their results.
    Done {
        done_at: Timestamp,
        /// In the order of the items.
        results: Vec<StoredResult>,
    },
    /// No worker can handle the chunk. Its message is in the dead-letter queue; a redrive leases the chunk again.
    #[serde(rename = "stuck")]
    DeadLetter {
        #[serde(rename = "stuckAt")]
        since: Timestamp,
        reason: ChunkFailure,
    },
}

/// The result of an item of a finished chunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredResult {
    #[serde(flatten)]
    pub outcome: Outcome,
    /// If the item has an order. With the item's `externalSystemId` it gives the order's id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order_created_at: Option<Timestamp>,
    pub processed_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revised_at: Option<Timestamp>,
}

impl From<&LogEntry> for StoredResult {
    fn from(entry: &LogEntry) -> Self {
        Self {
            outcome: entry.outcome.clone(),
            order_created_at: entry.order_id.map(OrderId::time),
            processed_at: entry.processed_at,
            revised_at: entry.revised_at,
        }
    }
}

/// The reason for which a chunk is a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChunkFailure {
    #[serde(rename = "unreadable")]
    CorruptRow,
    /// Its workers died [`MAX_LEASES`] times.
    #[serde(rename = "tooManyTries")]
    TooManyLeases,
}

/// The state of up to [`CHUNK`] items. The items have a row of their own, since this row is written several times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chunk {
    pub client_id: ClientId,
    pub promise_id: PromiseId,
    /// 0 for the first.
    pub number: u32,
    #[serde(flatten)]
    pub state: ChunkState,
    /// Leases since the chunk was created or redriven, without those that were released.
    pub tries: u32,
    /// How often the chunk was postponed because its writes were throttled.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub postponed: u32,
    pub created_at: Timestamp,
    pub version: u64,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The message by which a worker got a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// The number of receives, including this one. Workers delete each message unless they die, or the table does not answer.
    pub times: u32,
    /// A redriven message was sent after its chunk became a dead letter.
    pub sent_at: Option<Timestamp>,
}

/// The items of a chunk; written once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChunkItems {
    pub client_id: ClientId,
    pub promise_id: PromiseId,
    /// The number of the chunk.
    pub number: u32,
    /// In the order of the request.
    pub items: Vec<ImportItem>,
    pub created_at: Timestamp,
}

/// The outcome of [`Chunk::begin`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The chunk is done, or another worker has the lease.
    NotDue,
    /// The chunk is leased once this value is stored.
    Leased(Chunk),
    /// The chunk becomes a dead letter.
    TooManyLeases,
    /// The chunk is a dead letter, and its message was not redriven.
    DeadLetter(ChunkFailure),
}

impl Chunk {
    pub(crate) fn new(
        client_id: ClientId,
        promise_id: PromiseId,
        number: u32,
        items: &[ImportItem],
        now: Timestamp,
    ) -> (Self, ChunkItems) {
        let state = ChunkState::Waiting { due_at: now };
        let items = ChunkItems {
            client_id,
            promise_id,
            number,
            items: items.to_vec(),
            created_at: now,
        };
        (
            Self {
                client_id,
                promise_id,
                number,
                state,
                tries: 0,
                postponed: 0,
                created_at: now,
                version: 1,
            },
            items,
        )
    }

    /// `None` when no work is left.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.state {
            ChunkState::Waiting { due_at } => Some(due_at),
            ChunkState::InFlight { lease_until } => Some(lease_until),
            ChunkState::Done { .. } | ChunkState::DeadLetter { .. } => None,
        }
    }

    /// When the sweep sends a message for the chunk; `None` when no work is left.
    pub fn sweep_at(&self) -> Option<Timestamp> {
        match self.state {
            ChunkState::Waiting { due_at } if due_at == self.created_at => {
                Some(sweep::of_new(due_at))
            }
            _ => self.due_at(),
        }
    }

    /// Leases the chunk for the worker that received its message.
    pub fn begin(self, received: Received, now: Timestamp) -> Begun {
        let leases = match self.state {
            ChunkState::Waiting { due_at } if due_at <= now => self.tries,
            ChunkState::InFlight { lease_until } if lease_until <= now => self.tries,
            // A dead letter is not due, so neither relay nor sweep sends its message: a person redrove this one.
            ChunkState::DeadLetter { since, .. }
                if received.sent_at.is_some_and(|sent_at| sent_at > since) =>
            {
                0
            }
            ChunkState::DeadLetter { reason, .. } => return Begun::DeadLetter(reason),
            _ => return Begun::NotDue,
        };
        // A worker that is only throttled may be unable to release its lease, but it deletes the message. The message of a dead
        // worker comes again.
        if leases >= MAX_LEASES && received.times > 1 {
            return Begun::TooManyLeases;
        }
        let lease_until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
        Begun::Leased(Self {
            state: ChunkState::InFlight { lease_until },
            tries: leases + 1,
            ..self
        })
    }

    /// Makes the chunk due at once, after a failed table call. The lease is not counted.
    pub fn release(self, now: Timestamp) -> Self {
        Self {
            state: ChunkState::Waiting { due_at: now },
            tries: self.tries.saturating_sub(1),
            ..self
        }
    }

    /// Makes the chunk due after a pause, because the table throttled its writes. The lease is not counted. The pause doubles each
    /// time; `per_mille` of its second half are added at random, so that chunks that were throttled together do not return
    /// together.
    pub fn postpone(self, per_mille: u16, now: Timestamp) -> Self {
        let doubled = 1_i32 << self.postponed.min(10);
        let pause = FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE);
        let half = pause / 2;
        let pause = half + half * i32::from(per_mille.min(1_000)) / 1_000;
        Self {
            state: ChunkState::Waiting {
                due_at: now.saturating_add(pause).unwrap_or(Timestamp::MAX),
            },
            tries: self.tries.saturating_sub(1),
            postponed: self.postponed.saturating_add(1),
            ..self
        }
    }

    /// Finishes the chunk with the entries of all its items.
    pub fn done(self, mut entries: Vec<LogEntry>, now: Timestamp) -> Self {
        entries.sort_by_key(|entry| entry.number);
        Self {
            state: ChunkState::Done {
                done_at: now,
                results: entries.iter().map(StoredResult::from).collect(),
            },
            ..self
        }
    }

    /// Revises the result of an item of a finished chunk, and returns the result before. An unfinished chunk stays as it is: its
    /// worker reads the records of its items again, since the chunk has a new version.
    #[must_use]
    pub fn revised(
        mut self,
        item: u32,
        outcome: Outcome,
        now: Timestamp,
    ) -> (Self, Option<ItemResult>) {
        let mut before = None;
        if let ChunkState::Done { results, .. } = &mut self.state {
            let place = usize::try_from(item % count(CHUNK)).unwrap_or(usize::MAX);
            if let Some(result) = results.get_mut(place) {
                before = Some(result.outcome.result);
                result.outcome = outcome;
                result.revised_at = Some(now);
            }
        }
        (self, before)
    }

    /// The log entries of a finished chunk, in the order of its items. `hash` computes that of an `externalSystemId`.
    pub fn entries(
        &self,
        items: &ChunkItems,
        hash: impl Fn(&ExternalId) -> ExternalHash,
    ) -> Vec<LogEntry> {
        let ChunkState::Done { results, .. } = &self.state else {
            return Vec::new();
        };
        let entry = |((number, item), result): ((u32, &ImportItem), &StoredResult)| {
            let uuid = result
                .order_created_at
                .map(|at| hash(&item.external_system_id).uuid(at));
            LogEntry {
                promise_id: self.promise_id,
                number,
                external_system_id: item.external_system_id.clone(),
                offer_id: item.members.offer_id,
                outcome: result.outcome.clone(),
                order_id: uuid.map(OrderId::from),
                subscription_id: uuid.map(SubscriptionId::from),
                processed_at: result.processed_at,
                revised_at: result.revised_at,
            }
        };
        items.numbered().zip(results).map(entry).collect()
    }

    /// Whether the item of a finished chunk failed.
    pub fn has_failed(&self, item: u32) -> bool {
        let ChunkState::Done { results, .. } = &self.state else {
            return false;
        };
        let place = usize::try_from(item % count(CHUNK)).unwrap_or(usize::MAX);
        results
            .get(place)
            .is_some_and(|result| result.outcome.result == ItemResult::Failed)
    }

    /// Whether the chunk is still leased by the worker that stored `leased`.
    pub fn has_lease_of(&self, leased: &Self) -> bool {
        (&self.state, self.tries) == (&leased.state, leased.tries)
    }

    /// The number of the chunk with this item of an import.
    pub fn number_of(item: u32) -> u32 {
        item / count(CHUNK)
    }

    pub fn dead_letter(self, reason: ChunkFailure, now: Timestamp) -> Self {
        Self {
            state: ChunkState::DeadLetter { since: now, reason },
            ..self
        }
    }
}

impl ChunkItems {
    /// The items with their numbers in the import.
    pub fn numbered(&self) -> impl Iterator<Item = (u32, &ImportItem)> {
        (self.number * count(CHUNK)..).zip(&self.items)
    }
}
