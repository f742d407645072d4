//! Consistent reads: one row by `GetItem`, several rows by one `BatchGetItem`.
//!
//! - [`Store::get`]: one row
//! - [`Store::load`]: a tuple of keys gives a tuple of rows
//! - [`Store::load_all`]: keys of one type give a map
//! - [`Store::batch`]: keys that are collected first, of any types; read at once or ahead ([`Prefetched`])
//! - [`Store::as_of_one_moment`]: rows that change together

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use futures::{StreamExt, TryStreamExt, stream};

use crate::backoff::Backoff;
use crate::entity::{Entity, Item, Key, RawKey, from_item};
use crate::rows::Canary;
use crate::{Store, StoreError, keys};

/// DynamoDB's limit for one `BatchGetItem`.
const MAX_KEYS: usize = 100;
/// Batches of one read that are under way at once.
const MAX_READS: usize = 8;
/// How often rows that change meanwhile are read.
const MAX_ROUNDS: usize = 4;

/// Rows of any type, each decoded when it is asked for.
#[derive(Debug, Default)]
pub struct Rows(HashMap<RawKey, Item>);

impl Rows {
    /// Whether the row exists; it may be corrupt.
    pub fn contains<E>(&self, key: &Key<E>) -> bool {
        self.0.contains_key(key.raw())
    }

    /// Takes a row out.
    pub(crate) fn take(&mut self, key: &RawKey) -> Option<Item> {
        self.0.remove(key)
    }

    pub fn get<E: Entity>(&self, key: &Key<E>) -> Result<Option<E>, StoreError> {
        self.0.get(key.raw()).cloned().map(from_item).transpose()
    }
}

/// Decoded rows of one type.
#[derive(Debug)]
pub struct RowMap<E>(HashMap<RawKey, E>);

impl<E> RowMap<E> {
    pub fn get(&self, key: &Key<E>) -> Option<&E> {
        self.0.get(key.raw())
    }

    pub fn contains(&self, key: &Key<E>) -> bool {
        self.0.contains_key(key.raw())
    }

    /// Takes a row out of the map.
    pub fn remove(&mut self, key: &Key<E>) -> Option<E> {
        self.0.remove(key.raw())
    }
}

/// Collects keys of any types for one read.
#[derive(Debug)]
pub struct Batch<'a> {
    store: &'a Store,
    keys: Vec<RawKey>,
}

impl Batch<'_> {
    /// Adds a key; a key may be added twice.
    pub fn add<E>(&mut self, key: &Key<E>) {
        self.keys.push(key.raw().clone());
    }

    /// Reads the rows; one round trip for up to a hundred keys.
    pub async fn load(self) -> Result<Rows, StoreError> {
        self.store.read_rows(self.keys).await
    }

    /// Reads the rows of the first hundred keys in one call, ahead of decisions that are independent of each other. Rows that this
    /// call does not return, because DynamoDB throttles some or the call fails, are read when a decision asks for them.
    pub async fn prefetch(mut self) -> Prefetched {
        self.keys.sort_unstable();
        self.keys.dedup();
        self.keys.truncate(MAX_KEYS);
        if self.keys.is_empty() {
            return Prefetched::default();
        }
        let keys = self.keys.iter().map(RawKey::to_item).collect();
        let Ok((rows, left)) = self.store.read_once(keys).await else {
            return Prefetched::default();
        };
        let mut known: HashSet<RawKey> = self.keys.into_iter().collect();
        for key in left.iter().filter_map(RawKey::of) {
            known.remove(&key);
        }
        let rows = Rows(rows.into_iter().collect());
        Prefetched { rows, known }
    }
}

/// Rows that were read ahead; see [`Batch::prefetch`].
#[derive(Debug, Default)]
pub struct Prefetched {
    rows: Rows,
    /// The keys whose rows, or absence, are known.
    known: HashSet<RawKey>,
}

impl Prefetched {
    /// The rows of a key or a tuple of keys, like [`Store::load`]; without a call if all were read ahead.
    pub async fn load<K: Load>(&self, store: &Store, keys: K) -> Result<K::Loaded, StoreError> {
        let mut batch = store.batch();
        keys.add_to(&mut batch);
        if batch.keys.iter().all(|key| self.known.contains(key)) {
            return keys.take_from(&self.rows);
        }
        keys.take_from(&batch.load().await?)
    }
}

/// A key, an optional key, or a tuple of these.
pub trait Load {
    /// `Option<E>` for a `Key<E>`, a tuple for a tuple.
    type Loaded;
    fn add_to(&self, batch: &mut Batch<'_>);
    fn take_from(&self, rows: &Rows) -> Result<Self::Loaded, StoreError>;
}

impl<E: Entity> Load for Key<E> {
    type Loaded = Option<E>;

    fn add_to(&self, batch: &mut Batch<'_>) {
        batch.add(self);
    }

    fn take_from(&self, rows: &Rows) -> Result<Option<E>, StoreError> {
        rows.get(self)
    }
}

impl<E: Entity> Load for &Key<E> {
    type Loaded = Option<E>;

    fn add_to(&self, batch: &mut Batch<'_>) {
        batch.add(self);
    }

    fn take_from(&self, rows: &Rows) -> Result<Option<E>, StoreError> {
        rows.get(self)
    }
}

/// No key is no row.
impl<E: Entity> Load for Option<Key<E>> {
    type Loaded = Option<E>;

    fn add_to(&self, batch: &mut Batch<'_>) {
        if let Some(key) = self {
            batch.add(key);
        }
    }

    fn take_from(&self, rows: &Rows) -> Result<Option<E>, StoreError> {
        self.as_ref().map_or(Ok(None), |key| rows.get(key))
    }
}

macro_rules! load_tuple {
    ($($key:ident),+) => {
        impl<$($key: Load),+> Load for ($($key,)+) {
            type Loaded = ($($key::Loaded,)+);

            fn add_to(&self, batch: &mut Batch<'_>) {
                #[expect(non_snake_case)]
                let ($($key,)+) = self;
                $($key.add_to(batch);)+
            }

            fn take_from(&self, rows: &Rows) -> Result<Self::Loaded, StoreError> {
                #[expect(non_snake_case)]
                let ($($key,)+) = self;
                Ok(($($key.take_from(rows)?,)+))
            }
        }
    };
}

load_tuple!(A, B);
load_tuple!(A, B, C);
load_tuple!(A, B, C, D);

/// No keys are no rows.
impl<A: Load, B: Load> Load for Option<(A, B)> {
    type Loaded = Option<(A::Loaded, B::Loaded)>;

    fn add_to(&self, batch: &mut Batch<'_>) {
        if let Some(keys) = self {
            keys.add_to(batch);
        }
    }

    fn take_from(&self, rows: &Rows) -> Result<Self::Loaded, StoreError> {
        self.as_ref().map(|keys| keys.take_from(rows)).transpose()
    }
}

impl Store {
    /// Opens the connection by reading the canary, which is missing before the first contracting company.
    pub async fn connect(&self) -> Result<Option<Canary>, StoreError> {
        let call = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(keys::canary().raw().to_item()));
        let answer = call.send().await.map_err(StoreError::of)?;
        answer.item.map(from_item).transpose()
    }

    pub async fn get<E: Entity>(&self, key: &Key<E>) -> Result<Option<E>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.raw().to_item()))
            .consistent_read(true)
            .send()
            .await
            .map_err(StoreError::of)?;
        answer.item.map(from_item).transpose()
    }

    /// Reads with `read` rows that change in the transactions of a row that was read before. If the row changed meanwhile, all
    /// are read again. `None` if the row was deleted.
    ///
    /// # Errors
    /// The table is not available, or the row changes all the time.
    pub async fn as_of_one_moment<E, T, F>(
        &self,
        mut row: E,
        read: impl Fn() -> F,
    ) -> Result<Option<(E, T)>, StoreError>
    where
        E: Entity,
        F: Future<Output = Result<T, StoreError>>,
    {
        let key = row.key();
        for _ in 0..MAX_ROUNDS {
            let others = read().await?;
            let Some(current) = self.get(&key).await? else {
                return Ok(None);
            };
            if current.version() == row.version() {
                return Ok(Some((current, others)));
            }
            row = current;
        }
        let detail = format!("{} changes all the time", key.raw());
        Err(StoreError::Unavailable(detail))
    }

    /// Reads the rows of a tuple of keys in one round trip: `store.load((cart, customer)).await?`.
    pub async fn load<K: Load>(&self, keys: K) -> Result<K::Loaded, StoreError> {
        let mut batch = self.batch();
        keys.add_to(&mut batch);
        keys.take_from(&batch.load().await?)
    }

    /// Reads rows of one type; one round trip for up to a hundred keys. Keys may repeat.
    pub async fn load_all<E: Entity>(
        &self,
        keys: impl IntoIterator<Item = Key<E>>,
    ) -> Result<RowMap<E>, StoreError> {
        let keys = keys.into_iter().map(Key::into_raw).collect();
        let rows = self.read_rows(keys).await?.0.into_iter();
        rows.map(|(key, item)| Ok((key, from_item(item)?)))
            .collect::<Result<_, _>>()
            .map(RowMap)
    }

    /// Begins a read of rows of several types; see [`Batch`].
    pub fn batch(&self) -> Batch<'_> {
        Batch {
            store: self,
            keys: Vec::new(),
        }
    }

    pub(crate) async fn read_rows(&self, mut keys: Vec<RawKey>) -> Result<Rows, StoreError> {
        // DynamoDB rejects a request that names a key twice.
        keys.sort_unstable();
        keys.dedup();
        let reads: Vec<_> = keys
            .chunks(MAX_KEYS)
            .map(|chunk| self.read_chunk(chunk))
            .collect();
        let mut reads = stream::iter(reads).buffer_unordered(MAX_READS);
        let mut rows = Rows::default();
        while let Some(read) = reads.try_next().await? {
            rows.0.extend(read);
        }
        Ok(rows)
    }

    async fn read_chunk(&self, keys: &[RawKey]) -> Result<Vec<(RawKey, Item)>, StoreError> {
        let mut rows = Vec::with_capacity(keys.len());
        let mut open: Vec<Item> = keys.iter().map(RawKey::to_item).collect();
        let mut backoff = Backoff::of(self);
        loop {
            let (read, left) = self.read_once(open).await?;
            rows.extend(read);
            open = left;
            if open.is_empty() {
                return Ok(rows);
            }
            // Throttled, or larger than one answer.
            if !backoff.pause().await {
                return Err(StoreError::Throttled(
                    "DynamoDB left keys of a batch unprocessed".to_owned(),
                ));
            }
        }
    }

    /// One call; returns the rows, and the keys that DynamoDB left unprocessed.
    async fn read_once(
        &self,
        keys: Vec<Item>,
    ) -> Result<(Vec<(RawKey, Item)>, Vec<Item>), StoreError> {
        let request = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build();
        let request = request.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let answer = self
            .client
            .batch_get_item()
            .request_items(&self.table, request)
            .send()
            .await
            .map_err(StoreError::of)?;
        let rows = answer.responses.unwrap_or_default().into_values().flatten();
        let rows = rows.filter_map(|item| Some((RawKey::of(&item)?, item)));
        let left = answer.unprocessed_keys.unwrap_or_default();
        let left = left.into_values().flat_map(|left| left.keys);
        Ok((rows.collect(), left.collect()))
    }
}
