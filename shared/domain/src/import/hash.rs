//! The hash of an `externalSystemId`, from which the row's key and the ids of its order follow.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::OrderId;

/// The random digits of a UUIDv7: 12 and 62 bits.
const TAIL: usize = 19;
/// Digits that distinguish two `externalSystemId`s whose orders have the same random digits.
const REST: usize = 16;

/// 138 bits of the SHA-256 of a client and its `externalSystemId`, in hex. Keys contain the hash: they are logged, and other
/// systems' texts must not be.
///
/// Its first digits are the random ones of the order's UUIDv7. So the key of the row follows from the `externalSystemId` and, but
/// for [`ExternalHash::rest`], from the id of the order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExternalHash(String);

impl ExternalHash {
    /// From the SHA-256 in lower-case hex.
    pub fn of(sha256: &str) -> Self {
        let mut digits: String = sha256.chars().take(TAIL + REST).collect();
        // The variant of RFC 9562 takes two bits of the fourth digit.
        if let Some(digit) = digits
            .get(3..4)
            .and_then(|digit| u8::from_str_radix(digit, 16).ok())
        {
            digits.replace_range(3..4, &format!("{:x}", (digit & 3) | 8));
        }
        Self(digits)
    }

    /// The digits that the order's id contains.
    pub fn tail(&self) -> &str {
        self.0.get(..TAIL).unwrap_or(&self.0)
    }

    /// The other digits.
    pub fn rest(&self) -> &str {
        self.0.get(TAIL..).unwrap_or_default()
    }

    /// The UUID of an order and a subscription that are created at this time.
    pub fn uuid(&self, created_at: Timestamp) -> Uuid {
        let millis = u64::try_from(created_at.as_millisecond()).unwrap_or(0);
        let digits = |range| {
            let digits = self.0.get(range).unwrap_or_default();
            u64::from_str_radix(digits, 16).unwrap_or(0)
        };
        let high = (millis << 16) | 0x7000 | digits(0..3);
        Uuid::from_u64_pair(high, digits(3..TAIL))
    }

    /// The tail of an order's hash.
    pub fn tail_of(order: OrderId) -> String {
        let digits = Uuid::from(order).as_simple().to_string();
        digits.get(32 - TAIL..).unwrap_or_default().to_owned()
    }
}

impl fmt::Display for ExternalHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_key_follows_from_the_id_of_the_order(sha256 in "[0-9a-f]{64}", millis in 0_i64..4_000_000_000_000) {
            let hash = ExternalHash::of(&sha256);
            let at = Timestamp::from_millisecond(millis).expect("a time");
            let uuid = hash.uuid(at);
            prop_assert_eq!((uuid.get_version_num(), uuid.get_variant()), (7, uuid::Variant::RFC4122));
            let order = OrderId::from(uuid);
            prop_assert_eq!(ExternalHash::tail_of(order), hash.tail());
            prop_assert_eq!(order.time(), at);
            prop_assert_eq!((hash.tail().len(), hash.rest().len()), (TAIL, REST));
        }
    }
}
