//! No row of an import is written by every item of a client: a promise and its chunks have a partition of their own, the log of a
//! promise is an index partition of its own, and each `externalSystemId` has its mirror and log entries in its own partition.

use tandem_domain::Timestamp;
use tandem_domain::ids::{ClientId, PromiseId};
use tandem_domain::import::KEPT;
use tandem_domain::import::chunk::{Chunk, ChunkItems};
use tandem_domain::import::decide::{ExternalHash, LogEntry, Mirror};
use tandem_domain::import::promise::Promise;

use crate::entity::{Entity, Indexes, Key};
use crate::list::List;

pub fn promise(client: ClientId, id: PromiseId) -> Key<Promise> {
    Key::new(promise_partition(client, id), "promise")
}

pub fn promises_of(client: ClientId) -> List<Promise> {
    List::gsi1(format!("{client}#imports"))
}

fn promise_partition(client: ClientId, id: PromiseId) -> String {
    format!("{client}#{id}")
}

impl Entity for Promise {
    fn key(&self) -> Key<Self> {
        promise(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes::default()
            .in_list(promises_of(self.client_id), self.id)
            .expires(expiry(self.accepted_at))
    }
    fn version(&self) -> u64 {
        self.version
    }
}

pub fn chunk(client: ClientId, promise: PromiseId, number: u32) -> Key<Chunk> {
    Key::new(
        promise_partition(client, promise),
        format!("chunk#{number:03}"),
    )
}

impl Entity for Chunk {
    fn key(&self) -> Key<Self> {
        chunk(self.client_id, self.promise_id, self.number)
    }
    fn indexes(&self) -> Indexes {
        Indexes::default()
            .due(self.sweep_at())
            .expires(expiry(self.created_at))
    }
    fn version(&self) -> u64 {
        self.version
    }
}

pub fn chunk_items(client: ClientId, promise: PromiseId, number: u32) -> Key<ChunkItems> {
    Key::new(
        promise_partition(client, promise),
        format!("items#{number:03}"),
    )
}

impl Entity for ChunkItems {
    fn key(&self) -> Key<Self> {
        chunk_items(self.client_id, self.promise_id, self.number)
    }
    fn indexes(&self) -> Indexes {
        Indexes::default().expires(expiry(self.created_at))
    }
}

/// The imports of an `externalSystemId`.
pub fn mirror(client: ClientId, external: &ExternalHash) -> Key<Mirror> {
    Key::new(external_partition(client, external), "mirror")
}

fn external_partition(client: ClientId, external: &ExternalHash) -> String {
    format!("{client}#external#{}", external.0)
}

impl Entity for Mirror {
    fn key(&self) -> Key<Self> {
        mirror(self.client_id, &self.external_hash)
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// The prefix of the sort keys of log entries.
const LOG: &str = "log#";

/// The result of a promise's item with this `externalSystemId`.
pub fn log_entry(client: ClientId, external: &ExternalHash, promise: PromiseId) -> Key<LogEntry> {
    Key::new(
        external_partition(client, external),
        format!("{LOG}{promise}"),
    )
}

/// The log of one `externalSystemId`, for promises accepted from a time (inclusive) and before a time.
pub fn log_of(
    client: ClientId,
    external: &ExternalHash,
    from: Option<Timestamp>,
    before: Option<Timestamp>,
) -> List<LogEntry> {
    let bound = |time: Timestamp| format!("{LOG}{}", PromiseId::first_of(time));
    List::table(external_partition(client, external), LOG)
        .between(from.map(bound), before.map(bound))
}

/// The log of a promise, in the order of its items.
pub fn items_of(client: ClientId, promise: PromiseId) -> List<LogEntry> {
    List::gsi1(format!("{client}#{promise}#items"))
}

/// Larger than any item's number.
const BEYOND: u32 = 99_999;

impl Entity for LogEntry {
    fn key(&self) -> Key<Self> {
        log_entry(self.client_id, &self.external_hash, self.promise_id)
    }
    fn indexes(&self) -> Indexes {
        // Lists begin at the highest sort key. Sort keys that count down make item 0 the first.
        let sort = format!("{:05}", BEYOND.saturating_sub(self.number));
        Indexes::default()
            .in_list(items_of(self.client_id, self.promise_id), sort)
            .expires(Some(self.kept_until()))
    }
    fn version(&self) -> u64 {
        self.version
    }
}

fn expiry(created_at: Timestamp) -> Option<Timestamp> {
    created_at.checked_add(KEPT).ok()
}
