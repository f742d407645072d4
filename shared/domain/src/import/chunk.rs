//! The part of an import that one worker takes at a time.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, PromiseId};
use crate::sweep;

use super::item::ImportItem;
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
    /// All items have their log entries.
    Done {
        done_at: Timestamp,
        /// The numbers of the failed items, for a retry.
        failed: Vec<u32>,
    },
    /// No worker can handle the chunk. Its message is in the dead-letter queue; a redrive leases the chunk again.
    #[serde(rename = "stuck")]
    DeadLetter {
        #[serde(rename = "stuckAt")]
        since: Timestamp,
        reason: ChunkFailure,
    },
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

    pub fn done(self, failed: Vec<u32>, now: Timestamp) -> Self {
        Self {
            state: ChunkState::Done {
                done_at: now,
                failed,
            },
            ..self
        }
    }

    /// Notes whether an item of a finished chunk failed, after its result changed. An unfinished chunk stays as it is.
    #[must_use]
    pub fn revised(mut self, item: u32, has_failed: bool) -> Self {
        if let ChunkState::Done { failed, .. } = &mut self.state {
            failed.retain(|number| *number != item);
            if has_failed {
                failed.push(item);
                failed.sort_unstable();
            }
        }
        self
    }

    /// Whether the chunk is still leased by the worker that stored `leased`.
    pub fn has_lease_of(&self, leased: &Self) -> bool {
        (&self.state, self.tries) == (&leased.state, leased.tries)
    }

    pub fn is_done(&self) -> bool {
        matches!(self.state, ChunkState::Done { .. })
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
