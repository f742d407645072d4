//! The log of attempts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::LEASE;

/// How many bytes of an answer are kept in the log.
pub const KEPT_ANSWER: usize = 4 * 1024;
/// What the log says of an attempt whose worker died.
pub const OUTCOME_UNKNOWN: &str = "the attempt was cut off before its outcome was recorded; the receiver may have got the callback";

/// The log of one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// 1 for the first, counting over replays.
    pub number: u32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took, milliseconds; if its worker died, how long it was waited for.
    pub duration_ms: u64,
    /// The HTTP status, if there was an answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status_code: Option<u16>,
    /// What went wrong, if there was no proper answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// The first 4 KB of the answer, as text, if the callback concerned nobody.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<String>,
    /// The same, sealed under the key of the person whom the callback concerns: a receiver may answer with what it was told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sealed_answer: Option<String>,
}

impl Attempt {
    /// The entry of an attempt whose worker died: whether the receiver got the callback is not known.
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
