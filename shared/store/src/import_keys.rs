//! The keys of imports.
//!
//! Nothing here is touched by every item of a client: a promise has its own partition with its chunks, and an index partition
//! with the log of its items; what is mirrored lies under its own `externalSystemId`.

use tandem_domain::Timestamp;
use tandem_domain::ids::{ClientId, PromiseId};
use tandem_domain::import::KEPT;
use tandem_domain::import::chunk::{Chunk, ChunkItems};
use tandem_domain::import::decide::{ExternalHash, LogEntry, Mirror};
use tandem_domain::import::promise::Promise;

use crate::entity::{Entity, Indexes, Key};
use crate::page::Collection;

/// Larger than every item's number.
const BEYOND: u32 = 99_999;

/// A promise of a client.
pub fn promise(client: ClientId, id: PromiseId) -> Key<Promise> {
    Key::new(format!("{client}#{id}"), "promise")
}

/// The promises of a client.
pub fn promises_of(client: ClientId) -> Collection<Promise> {
    Collection::gsi1(format!("{client}#imports"))
}

impl Entity for Promise {
    fn key(&self) -> Key<Self> {
        promise(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes {
            gsi1: Some((format!("{}#imports", self.client_id), self.id.to_string())),
            expires: expiry(self.accepted_at),
            ..Indexes::default()
        }
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// A chunk of a promise, in the promise's own partition.
pub fn chunk(client: ClientId, promise: PromiseId, number: u32) -> Key<Chunk> {
    Key::new(format!("{client}#{promise}"), format!("chunk#{number:03}"))
}

impl Entity for Chunk {
    fn key(&self) -> Key<Self> {
        chunk(self.client_id, self.promise_id, self.number)
    }
    fn indexes(&self) -> Indexes {
        Indexes {
            due: self.due_at(),
            expires: expiry(self.created_at),
            ..Indexes::default()
        }
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// The items of a chunk.
pub fn chunk_items(client: ClientId, promise: PromiseId, number: u32) -> Key<ChunkItems> {
    Key::new(format!("{client}#{promise}"), format!("items#{number:03}"))
}

impl Entity for ChunkItems {
    fn key(&self) -> Key<Self> {
        chunk_items(self.client_id, self.promise_id, self.number)
    }
    fn indexes(&self) -> Indexes {
        Indexes {
            expires: expiry(self.created_at),
            ..Indexes::default()
        }
    }
}

/// What a client imported last under an `externalSystemId`.
pub fn mirror(client: ClientId, external: &ExternalHash) -> Key<Mirror> {
    Key::new(format!("{client}#external#{}", external.0), "mirror")
}

impl Entity for Mirror {
    fn key(&self) -> Key<Self> {
        mirror(self.client_id, &self.external_hash)
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// What a promise did to an `externalSystemId`.
pub fn log_entry(client: ClientId, external: &ExternalHash, promise: PromiseId) -> Key<LogEntry> {
    Key::new(
        format!("{client}#external#{}", external.0),
        format!("log#{promise}"),
    )
}

/// What was done to an `externalSystemId`, by promises that were accepted from a time (inclusive) and before a time.
pub fn log_of(
    client: ClientId,
    external: &ExternalHash,
    from: Option<Timestamp>,
    before: Option<Timestamp>,
) -> Collection<LogEntry> {
    let bound = |time: Timestamp| format!("log#{}", PromiseId::first_of(time));
    Collection::table(format!("{client}#external#{}", external.0), "log#")
        .between(from.map(bound), before.map(bound))
}

/// The log of a promise. Its sort keys count down, so that a list, which begins at the highest, begins with item 0.
pub fn items_of(client: ClientId, promise: PromiseId) -> Collection<LogEntry> {
    Collection::gsi1(format!("{client}#{promise}#items"))
}

impl Entity for LogEntry {
    fn key(&self) -> Key<Self> {
        log_entry(self.client_id, &self.external_hash, self.promise_id)
    }
    fn indexes(&self) -> Indexes {
        let sort = format!("{:05}", BEYOND.saturating_sub(self.number));
        Indexes {
            gsi1: Some((
                format!("{}#{}#items", self.client_id, self.promise_id),
                sort,
            )),
            expires: Some(self.kept_until()),
            ..Indexes::default()
        }
    }
}

fn expiry(made: Timestamp) -> Option<Timestamp> {
    made.checked_add(KEPT).ok()
}
