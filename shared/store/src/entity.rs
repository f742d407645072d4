//! What a stored value tells of itself, and typed keys.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::StoreError;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// Partition and sort key of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RawKey {
    /// Partition key.
    pub pk: String,
    /// Sort key.
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

/// Where else a row is found, and how long it stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indexes {
    /// First list index: partition and sort key.
    pub gsi1: Option<(String, String)>,
    /// Second list index.
    pub gsi2: Option<(String, String)>,
    /// While work is to be done: when. Puts the row into the sharded `due` index.
    pub due: Option<Timestamp>,
    /// When DynamoDB may delete it; days late at worst, so no decision rests on it.
    pub expires: Option<Timestamp>,
}

/// A value that has a row.
pub trait Entity: Serialize + DeserializeOwned + Send + Sync {
    /// The row's key.
    fn key(&self) -> Key<Self>;
    /// Where else it is found.
    fn indexes(&self) -> Indexes {
        Indexes::default()
    }
    /// The version that was read, 1 for a new row; rows that are never replaced keep 1.
    fn version(&self) -> u64 {
        1
    }
}

/// The stored form of a value at a version.
pub(crate) fn to_item<E: Entity>(value: &E, version: u64) -> Result<Item, StoreError> {
    let key = value.key().raw.clone();
    let corrupt = |reason: String| StoreError::Corrupt {
        key: key.to_string(),
        reason,
    };
    let mut item: Item =
        serde_dynamo::to_item(value).map_err(|error| corrupt(error.to_string()))?;
    let mut put =
        |name: &str, value: String| item.insert(name.to_owned(), AttributeValue::S(value));
    put("pk", key.pk.clone());
    put("sk", key.sk.clone());
    let indexes = value.indexes();
    if let Some((pk, sk)) = indexes.gsi1 {
        put("gsi1pk", pk);
        put("gsi1sk", sk);
    }
    if let Some((pk, sk)) = indexes.gsi2 {
        put("gsi2pk", pk);
        put("gsi2sk", sk);
    }
    if let Some(due) = indexes.due {
        put("dueShard", crate::outbox::shard_of(&key.pk));
        put("dueAt", crate::outbox::sortable(due));
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

/// The value of a stored form. What a row says must be what its key says: a row that names another tenant or another thing
/// than it was read by is spoilt, and nobody is to see it.
pub(crate) fn from_item<E: Entity>(item: Item) -> Result<E, StoreError> {
    let key = RawKey::of(&item);
    let corrupt = |reason: String| StoreError::Corrupt {
        key: key
            .as_ref()
            .map_or_else(|| "without key".to_owned(), RawKey::to_string),
        reason,
    };
    let value: E = serde_dynamo::from_item(item).map_err(|error| corrupt(error.to_string()))?;
    if key.as_ref() == Some(value.key().raw()) {
        Ok(value)
    } else {
        Err(corrupt(
            "its members name another tenant or another thing".to_owned(),
        ))
    }
}

pub(crate) fn string(item: &Item, name: &str) -> Option<String> {
    item.get(name).and_then(|value| value.as_s().ok()).cloned()
}
