//! Consistent reads of single rows and of batches.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::KeysAndAttributes;

use crate::entity::{Entity, Item, Key, RawKey, from_item};
use crate::{Store, StoreError};

/// DynamoDB's bound for one `BatchGetItem`.
const MOST_KEYS: usize = 100;
/// Rounds for keys that DynamoDB left unprocessed.
const MOST_ROUNDS: usize = 4;

/// Rows that were read together.
#[derive(Debug, Default)]
pub struct Loaded(HashMap<RawKey, Item>);

impl Loaded {
    /// Whether the row of a key exists.
    pub fn contains(&self, key: &RawKey) -> bool {
        self.0.contains_key(key)
    }

    /// The row of a key, if it exists.
    ///
    /// # Errors
    /// The row is corrupt.
    pub fn get<E: Entity>(&self, key: &Key<E>) -> Result<Option<E>, StoreError> {
        self.0.get(key.raw()).cloned().map(from_item).transpose()
    }
}

impl Store {
    /// Opens the connection by reading a row that is never there.
    ///
    /// # Errors
    /// The table is not available.
    pub async fn connect(&self) -> Result<(), StoreError> {
        let key = RawKey {
            pk: "connect".to_owned(),
            sk: "connect".to_owned(),
        };
        let call = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.to_item()));
        call.send()
            .await
            .map(|_| ())
            .map_err(StoreError::unavailable)
    }

    /// One row, as of now.
    ///
    /// # Errors
    /// The table is not available, or the row is corrupt.
    pub async fn get<E: Entity>(&self, key: &Key<E>) -> Result<Option<E>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.raw().to_item()))
            .consistent_read(true)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        answer.item.map(from_item).transpose()
    }

    /// Many rows, as of now; one round trip for up to a hundred. Keys may repeat.
    ///
    /// # Errors
    /// The table is not available.
    pub async fn batch(
        &self,
        keys: impl IntoIterator<Item = RawKey>,
    ) -> Result<Loaded, StoreError> {
        let mut keys: Vec<RawKey> = keys.into_iter().collect();
        keys.sort_unstable();
        keys.dedup();
        let mut loaded = Loaded::default();
        for chunk in keys.chunks(MOST_KEYS) {
            self.batch_chunk(chunk, &mut loaded).await?;
        }
        Ok(loaded)
    }

    async fn batch_chunk(&self, keys: &[RawKey], loaded: &mut Loaded) -> Result<(), StoreError> {
        let mut open: Vec<Item> = keys.iter().map(RawKey::to_item).collect();
        for _ in 0..MOST_ROUNDS {
            if open.is_empty() {
                return Ok(());
            }
            let request = KeysAndAttributes::builder()
                .set_keys(Some(open))
                .consistent_read(true)
                .build();
            let request = request.map_err(|error| StoreError::Unavailable(error.to_string()))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, request)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            for item in answer.responses.unwrap_or_default().into_values().flatten() {
                if let Some(key) = RawKey::of(&item) {
                    loaded.0.insert(key, item);
                }
            }
            open = answer
                .unprocessed_keys
                .unwrap_or_default()
                .into_values()
                .flat_map(|left| left.keys)
                .collect();
        }
        if open.is_empty() {
            Ok(())
        } else {
            Err(StoreError::Unavailable(
                "rows of a batch stay unprocessed".to_owned(),
            ))
        }
    }
}
