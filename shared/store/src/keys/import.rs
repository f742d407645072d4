//! No row of an import is written by every item of a client: a promise and its chunks have a partition of their own, and each
//! `externalSystemId` has its own. The results of a promise's items are in its chunks.

use tandem_domain::Timestamp;
use tandem_domain::ids::{ClientId, CustomerId, OrderId, PromiseId};
use tandem_domain::import::STORED;
use tandem_domain::import::chunk::{Chunk, ChunkItems};
use tandem_domain::import::decide::ExternalHash;
use tandem_domain::import::imported::Imported;
use tandem_domain::import::promise::Promise;
use tandem_domain::import::records::RecordPage;

use crate::StoreError;
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
    const KEEPS_REQUEST: bool = true;

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
    const PACKED: &'static [&'static str] = &["results"];

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
    const PACKED: &'static [&'static str] = &["items"];

    fn key(&self) -> Key<Self> {
        chunk_items(self.client_id, self.promise_id, self.number)
    }
    fn indexes(&self) -> Indexes {
        Indexes::default().expires(expiry(self.created_at))
    }
}

/// The row of an `externalSystemId`.
pub fn imported(client: ClientId, external: &ExternalHash) -> Key<Imported> {
    Key::new(
        imported_partition(client, external.tail()),
        format!("{IMPORTED}{}", external.rest()),
    )
}

/// The row of the order with this id: the key of its partition is part of the id. Another row is in the partition only if two
/// hashes have the same first 74 bits.
pub fn imported_order(client: ClientId, order: OrderId) -> List<Imported> {
    let partition = imported_partition(client, &ExternalHash::tail_of(order));
    List::table(partition, IMPORTED)
}

fn imported_partition(client: ClientId, tail: &str) -> String {
    format!("{client}#imported#{tail}")
}

/// The beginning of the sort keys.
pub(super) const IMPORTED: &str = "imported#";

/// The imported orders of a client, which are among its orders and its subscriptions.
pub(super) fn imported_of<E>(client: ClientId) -> List<E> {
    List::gsi1(format!("{client}#imported")).spread()
}

/// The imported orders of one customer.
pub(super) fn imported_for<E>(client: ClientId, customer: CustomerId) -> List<E> {
    List::gsi2(format!("{client}#{customer}#imported"))
}

impl Entity for Imported {
    const KEY_SAYS: &'static [&'static str] = &["clientId", "externalHash"];
    const PACKED: &'static [&'static str] = &[
        "externalSystemId",
        "sale",
        "state",
        "base",
        "imports",
        "settled",
        "notes",
        "pagedUntil",
    ];

    fn key(&self) -> Key<Self> {
        imported(self.client_id, &self.external_hash)
    }
    fn indexes(&self) -> Indexes {
        let indexes = Indexes::default().expires(self.expires_at());
        let (Some(uuid), Some(customer)) = (self.uuid(), self.customer()) else {
            return indexes;
        };
        let sort = uuid.as_simple();
        indexes
            .in_list(imported_of::<Self>(self.client_id), sort)
            .in_list(imported_for::<Self>(self.client_id, customer), sort)
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// Only rows with orders are in lists.
pub(super) fn without_order(row: &Imported) -> StoreError {
    StoreError::Corrupt {
        key: row.key().raw().to_string(),
        reason: "it is in a list without an order".to_owned(),
    }
}

/// The older records of an `externalSystemId`.
pub fn records_of(client: ClientId, external: &ExternalHash) -> List<RecordPage> {
    List::table(
        imported_partition(client, external.tail()),
        &records_prefix(external),
    )
}

fn records_prefix(external: &ExternalHash) -> String {
    format!("records#{}#", external.rest())
}

impl Entity for RecordPage {
    const KEY_SAYS: &'static [&'static str] = &["clientId", "externalHash"];
    const PACKED: &'static [&'static str] = &["records", "notes"];

    fn key(&self) -> Key<Self> {
        let last = self.last().map(|promise| promise.to_string());
        let sort = format!(
            "{}{}",
            records_prefix(&self.external_hash),
            last.unwrap_or_default()
        );
        Key::new(
            imported_partition(self.client_id, self.external_hash.tail()),
            sort,
        )
    }
    fn indexes(&self) -> Indexes {
        Indexes::default().expires(self.expires_at())
    }
}

fn expiry(created_at: Timestamp) -> Option<Timestamp> {
    created_at.checked_add(STORED).ok()
}
