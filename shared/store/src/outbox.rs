//! Rows that are due.
//!
//! A row with work to do carries `dueShard` and `dueAt`; both vanish when the work is done, so the `due` index holds only
//! what is open. One partition of an index takes 1,000 writes a second; a purchase with a callback writes its row about
//! four times into the index (inserted; moved when leased, which is two; removed when done). Ten thousand such purchases a
//! second are 40,000 writes over [`SHARDS`] partitions: 625 each.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::entity::{Item, RawKey, string};
use crate::{Store, StoreError};

/// Partitions of the `due` index.
pub const SHARDS: u32 = 64;

/// Work that someone must look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// Partition key of the row.
    pub pk: String,
    /// Sort key of the row, which also tells its kind: `callback`, `mail`, `replay`, `chunk#007`.
    pub sk: String,
}

impl Due {
    /// The row that a record of the table's stream is about, from the record's keys.
    pub fn of_stream_keys(keys: &serde_dynamo::Item) -> Option<Self> {
        let text = |name: &str| match keys.get(name) {
            Some(serde_dynamo::AttributeValue::S(text)) => Some(text.clone()),
            _ => None,
        };
        Some(Self {
            pk: text("pk")?,
            sk: text("sk")?,
        })
    }

    /// The tenant in the row's key.
    pub fn tenant(&self) -> &str {
        self.pk.split('#').next().unwrap_or_default()
    }
}

/// The names of all shards.
pub fn shards() -> impl Iterator<Item = String> {
    (0..SHARDS).map(|number| format!("due#{number:02}"))
}

/// The shard of a row: FNV-1a of its partition key, which ends in random bits.
pub fn shard_of(pk: &str) -> String {
    let hash = pk.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("due#{:02}", hash % SHARDS)
}

/// A time as text that sorts like the time: always three digits of a second.
pub fn sortable(time: Timestamp) -> String {
    format!("{time:.3}")
}

impl Store {
    /// Rows of a shard that are due at `now`, the oldest first.
    ///
    /// # Errors
    /// The table is not available.
    pub async fn due(
        &self,
        shard: &str,
        now: Timestamp,
        limit: i32,
    ) -> Result<Vec<Due>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("due")
            .key_condition_expression("dueShard = :shard AND dueAt <= :now")
            .expression_attribute_values(
                ":shard",
                aws_sdk_dynamodb::types::AttributeValue::S(shard.to_owned()),
            )
            .expression_attribute_values(
                ":now",
                aws_sdk_dynamodb::types::AttributeValue::S(sortable(now)),
            )
            .limit(limit)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        Ok(answer.items().iter().filter_map(due_of).collect())
    }
}

fn due_of(item: &Item) -> Option<Due> {
    string(item, "dueShard")?;
    RawKey::of(item).map(|RawKey { pk, sk }| Due { pk, sk })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn due_times_sort_like_the_times() {
        let at = |text: &str| sortable(text.parse().expect("valid"));
        assert!(at("2026-01-01T00:00:00Z") < at("2026-01-01T00:00:00.5Z"));
        assert!(at("2026-01-01T00:00:00.5Z") < at("2026-01-01T00:00:01Z"));
    }

    #[test]
    fn rows_spread_over_all_shards_without_a_hot_one() {
        let mut rows: HashMap<String, u32> = HashMap::new();
        for number in 0..64_000_u128 {
            // Same client and same millisecond: only the random half of the UUIDv7 differs.
            let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) & 0x3fff_ffff_ffff_ffff;
            let pk = format!(
                "cli_0190b8f5c6f77c3ab0a1c2d3e4f50617#cbk_0190b8f5c6f77000{:016x}",
                random | 0x8000_0000_0000_0000
            );
            *rows.entry(shard_of(&pk)).or_default() += 1;
        }
        assert_eq!(rows.len(), SHARDS as usize);
        assert!(
            shards().all(|shard| (700..1_300).contains(&rows[&shard])),
            "{rows:?}"
        );
    }
}
