//! The part of an import that one worker takes at a time.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, PromiseId};

use super::CHUNK;
use super::item::ImportItem;
use super::promise::count;

/// How long a worker may take before another one may begin: more than the worker's own time limit of a minute.
pub const LEASE: SignedDuration = SignedDuration::from_secs(90);
/// How often a chunk is begun, at most, before people must look: workers die over it. What the table does not answer is no
/// reason; then a chunk is given back and not counted.
pub const MOST_TRIES: u32 = 8;

/// Where a chunk stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "status"
)]
pub enum ChunkState {
    /// To be done from `due_at` on.
    Waiting {
        /// When.
        due_at: Timestamp,
    },
    /// A worker does it until `lease_until`.
    InFlight {
        /// When another worker may begin.
        lease_until: Timestamp,
    },
    /// All its items have their log entries.
    Done {
        /// When.
        done_at: Timestamp,
        /// The numbers of the items that failed, for a retry.
        failed: Vec<u32>,
    },
    /// No worker can handle it. Its message is in the dead-letter queue; a redrive begins it again.
    Stuck {
        /// When.
        stuck_at: Timestamp,
        /// Why.
        reason: StuckReason,
    },
}

/// Why a chunk is stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StuckReason {
    /// Its rows cannot be read.
    Unreadable,
    /// Workers died over it again and again.
    TooManyTries,
}

/// The work on up to [`CHUNK`] items. The items are a row of their own, since this one is written again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chunk {
    /// Who imports.
    pub client_id: ClientId,
    /// The promise.
    pub promise_id: PromiseId,
    /// 0 for the first.
    pub number: u32,
    /// Where it stands.
    #[serde(flatten)]
    pub state: ChunkState,
    /// How often it was begun since it was made, given back, or redriven.
    pub tries: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

/// The items of a chunk; written once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChunkItems {
    /// Who imports.
    pub client_id: ClientId,
    /// The promise.
    pub promise_id: PromiseId,
    /// The chunk.
    pub number: u32,
    /// The items, in the order they were sent.
    pub items: Vec<ImportItem>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a worker finds when it looks at a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nothing is to be done now: it is done, or another worker has it.
    Nothing,
    /// It is to be done, and is leased once this is written.
    Leased(Chunk),
    /// Workers died over it too often: to be put aside.
    TooManyTries,
    /// It was put aside for this reason, and this is no redrive.
    Stuck(StuckReason),
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
                created_at: now,
                version: 1,
            },
            items,
        )
    }

    /// When a worker should look at it; `None` when nothing is to be done.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.state {
            ChunkState::Waiting { due_at } => Some(due_at),
            ChunkState::InFlight { lease_until } => Some(lease_until),
            ChunkState::Done { .. } | ChunkState::Stuck { .. } => None,
        }
    }

    /// What a worker is to do. A message for a chunk that is stuck was put back by people if it was sent after the chunk was
    /// put aside: since then it is not due, and nobody else sends one.
    pub fn begin(self, sent_at: Option<Timestamp>, now: Timestamp) -> Begun {
        let tries = match self.state {
            ChunkState::Waiting { due_at } if due_at <= now => self.tries,
            ChunkState::InFlight { lease_until } if lease_until <= now => self.tries,
            ChunkState::Stuck { stuck_at, .. }
                if sent_at.is_some_and(|sent_at| sent_at > stuck_at) =>
            {
                0
            }
            ChunkState::Stuck { reason, .. } => return Begun::Stuck(reason),
            _ => return Begun::Nothing,
        };
        if tries >= MOST_TRIES {
            return Begun::TooManyTries;
        }
        let lease_until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
        Begun::Leased(Self {
            state: ChunkState::InFlight { lease_until },
            tries: tries + 1,
            ..self
        })
    }

    /// The chunk after the table did not let it be finished: due at once, and this try not counted.
    pub fn give_back(self, now: Timestamp) -> Self {
        Self {
            state: ChunkState::Waiting { due_at: now },
            tries: self.tries.saturating_sub(1),
            ..self
        }
    }

    /// The chunk after all its items have their log entries.
    pub fn done(self, failed: Vec<u32>, now: Timestamp) -> Self {
        Self {
            state: ChunkState::Done {
                done_at: now,
                failed,
            },
            ..self
        }
    }

    /// The chunk that no worker can handle.
    pub fn stuck(self, reason: StuckReason, now: Timestamp) -> Self {
        Self {
            state: ChunkState::Stuck {
                stuck_at: now,
                reason,
            },
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
