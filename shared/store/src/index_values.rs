//! Values of index attributes: shards of the `due` index, and times.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

/// Partitions of the `due` index; infra/operate/due.py knows the number too.
pub(crate) const SHARDS: u32 = 64;

/// The names of all shards.
pub fn shards() -> impl Iterator<Item = String> {
    (0..SHARDS).map(|number| format!("due#{number:02}"))
}

/// The shard of a row: FNV-1a of its partition key, which ends in random bits.
pub(crate) fn shard_of(pk: &str) -> String {
    let hash = pk.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("due#{:02}", hash % SHARDS)
}

/// A time as a number: 8 bytes of a row instead of 24.
pub(crate) fn milliseconds(time: Timestamp) -> AttributeValue {
    AttributeValue::N(time.as_millisecond().to_string())
}

/// A time as text that sorts like the time: always with three decimals of a second.
pub(crate) fn sortable(time: Timestamp) -> String {
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn sortable_texts_sort_like_their_times() {
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
