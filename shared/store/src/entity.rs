//! Typed keys, and the conversion between values and rows.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::StoreError;
use crate::index_values::{milliseconds, shard_of};
use crate::key_says::{add, leave_out};
use crate::list::{Index, List};
use crate::packed::{pack, unpack};

pub(crate) type Item = HashMap<String, AttributeValue>;

/// A row of a list, not decoded yet.
#[derive(Debug)]
pub struct Row(pub(crate) Item);

impl Row {
    /// Decodes the row if its sort key begins with `kind`.
    pub(crate) fn decoded<E: Entity>(&self, kind: &str) -> Option<Result<E, StoreError>> {
        let is_kind = string(&self.0, "sk").is_some_and(|sort| sort.starts_with(kind));
        is_kind.then(|| from_item(self.0.clone()))
    }
}

/// Partition and sort key of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RawKey {
    pub pk: String,
    pub sk: String,
}

impl RawKey {
    pub(crate) fn to_item(&self) -> Item {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }

    pub(crate) fn of(item: &Item) -> Option<Self> {
        Some(Self {
            pk: string(item, "pk")?,
            sk: string(item, "sk")?,
        })
    }
}

impl fmt::Display for RawKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pk, self.sk)
    }
}

/// The key of a row of a known type.
pub struct Key<E> {
    raw: RawKey,
    row: PhantomData<fn() -> E>,
}

impl<E> Key<E> {
    pub(crate) fn new(pk: String, sk: impl Into<String>) -> Self {
        Self {
            raw: RawKey { pk, sk: sk.into() },
            row: PhantomData,
        }
    }

    /// The key without its type.
    pub fn raw(&self) -> &RawKey {
        &self.raw
    }

    pub(crate) fn into_raw(self) -> RawKey {
        self.raw
    }
}

impl<E> Clone for Key<E> {
    fn clone(&self) -> Self {
        Self {
            raw: self.raw.clone(),
            row: PhantomData,
        }
    }
}

impl<E> fmt::Debug for Key<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.raw.fmt(f)
    }
}

/// The lists that contain a row, and its times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indexes {
    gsi1: Option<String>,
    gsi2: Option<String>,
    /// The sort key in both lists.
    sort: Option<String>,
    sweep_at: Option<Timestamp>,
    expires: Option<Timestamp>,
}

impl Indexes {
    /// Puts the row into a list of an index, at a sort key. A row is in at most one list of each index, and in both at the same
    /// sort key.
    pub(crate) fn in_list<E>(mut self, list: List<E>, sort: impl fmt::Display) -> Self {
        let sort = sort.to_string();
        let partition = Some(list.partition_of(&sort));
        match list.index {
            Index::Gsi1 => self.gsi1 = partition,
            Index::Gsi2 => self.gsi2 = partition,
            // The key already puts the row into the list.
            Index::Table => return self,
        }
        self.sort = Some(sort);
        self
    }

    /// Puts the row into the sharded `due` index while it has open work; the sweep sends a message for it from this time on.
    pub(crate) fn due(self, sweep_at: Option<Timestamp>) -> Self {
        Self { sweep_at, ..self }
    }

    /// Sets the time from which DynamoDB may delete the row. It may be days late, so no decision may depend on it.
    pub(crate) fn expires(self, expires: Option<Timestamp>) -> Self {
        Self { expires, ..self }
    }
}

/// A value that is stored as one row.
pub trait Entity: Serialize + DeserializeOwned + Send + Sync {
    /// Members that the key says; see `key_says.rs`.
    const KEY_SAYS: &'static [&'static str] = &[];
    /// Members that are stored deflated; see `packed.rs`.
    const PACKED: &'static [&'static str] = &[];
    /// Whether a new row keeps the id of the request from which it follows, in the member `request`.
    const KEEPS_REQUEST: bool = false;

    fn key(&self) -> Key<Self>;
    fn indexes(&self) -> Indexes {
        Indexes::default()
    }
    /// The version that was read; 1 for a new row, and always for rows that are never replaced.
    fn version(&self) -> u64 {
        1
    }
    /// A row of one of the value's lists, whose rows may be of several types.
    fn of_row(row: Row) -> Result<Self, StoreError> {
        from_item(row.0)
    }
}

/// Encodes a value as a row with this version.
pub(crate) fn to_item<E: Entity>(value: &E, version: u64) -> Result<Item, StoreError> {
    let key = value.key().raw.clone();
    let corrupt = |reason: String| StoreError::Corrupt {
        key: key.to_string(),
        reason,
    };
    let mut item: Item =
        serde_dynamo::to_item(value).map_err(|error| corrupt(error.to_string()))?;
    leave_out(&mut item, &key, E::KEY_SAYS);
    pack(&mut item, E::PACKED).map_err(corrupt)?;
    let mut put =
        |name: &str, value: String| item.insert(name.to_owned(), AttributeValue::S(value));
    put("pk", key.pk.clone());
    put("sk", key.sk.clone());
    let indexes = value.indexes();
    for (name, value) in [
        ("gsi1pk", indexes.gsi1),
        ("gsi2pk", indexes.gsi2),
        ("gsisk", indexes.sort),
    ] {
        if let Some(value) = value {
            put(name, value);
        }
    }
    if let Some(sweep_at) = indexes.sweep_at {
        put("dueShard", shard_of(&key.pk));
        item.insert("sweepAt".to_owned(), milliseconds(sweep_at));
    }
    if let Some(expires) = indexes.expires {
        item.insert(
            "expiresAt".to_owned(),
            AttributeValue::N(expires.as_second().to_string()),
        );
    }
    item.insert("version".to_owned(), AttributeValue::N(version.to_string()));
    Ok(item)
}

/// Decodes a row. A row whose members yield another key than its own is corrupt: it may name another tenant.
pub(crate) fn from_item<E: Entity>(mut item: Item) -> Result<E, StoreError> {
    let key = RawKey::of(&item);
    let corrupt = |reason: String| StoreError::Corrupt {
        key: key
            .as_ref()
            .map_or_else(|| "without key".to_owned(), RawKey::to_string),
        reason,
    };
    if !E::PACKED.is_empty() {
        unpack(&mut item).map_err(corrupt)?;
    }
    if let Some(key) = &key {
        add(&mut item, key, E::KEY_SAYS);
    }
    let value: E = serde_dynamo::from_item(item).map_err(|error| corrupt(error.to_string()))?;
    if key.as_ref() == Some(value.key().raw()) {
        Ok(value)
    } else {
        Err(corrupt("its members do not match its key".to_owned()))
    }
}

pub(crate) fn string(item: &Item, name: &str) -> Option<String> {
    item.get(name).and_then(|value| value.as_s().ok()).cloned()
}
