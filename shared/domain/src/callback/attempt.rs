//! The log of attempts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::LEASE;

/// In bytes.
pub const KEPT_ANSWER: usize = 4 * 1024;
/// The error in the log of an attempt whose worker died.
pub const OUTCOME_UNKNOWN: &str = "the attempt was cut off before its outcome was recorded; the receiver may have received the callback";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Counts from 1, over replays.
    pub number: u32,
    pub at: Timestamp,
    /// Of an attempt whose worker died: the lease.
    pub duration_ms: u64,
    /// Set if the receiver answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status_code: Option<u16>,
    /// Set if there was no valid answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// The first 4 KB as text, if the callback concerns no customer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<String>,
    /// The same, sealed under the key of the customer concerned: a receiver may echo the callback.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sealed_answer: Option<String>,
}

impl Attempt {
    /// The entry of an attempt whose worker died: it is unknown whether the receiver got the callback.
    pub(super) fn cut_off(number: u32, began: Timestamp) -> Self {
        Self {
            number,
            at: began,
            duration_ms: LEASE.as_millis().try_into().unwrap_or(u64::MAX),
            status_code: None,
            error: Some(OUTCOME_UNKNOWN.to_owned()),
            answer: None,
            sealed_answer: None,
        }
    }
}
