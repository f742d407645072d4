//! The log of attempts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Callback, KEPT, LEASE};
use crate::sealed::Sealed;

/// In bytes.
pub const KEPT_ANSWER: usize = 4 * 1024;
/// Octets of all attempts in the callback's own row, at most. A row with them takes two units of a write.
pub const MAX_LOG_OCTETS: usize = 800;
/// Octets of an attempt in the row, without its texts, at most.
const FIXED_OCTETS: usize = 112;
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
    pub sealed_answer: Option<Sealed>,
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

    /// From when on its row may be deleted, if it has one of its own.
    pub fn expires_at(&self) -> Timestamp {
        self.at.saturating_add(KEPT).unwrap_or(Timestamp::MAX)
    }

    fn octets(&self) -> usize {
        let texts = [&self.error, &self.answer].into_iter().flatten();
        let sealed = self.sealed_answer.as_ref().map_or(0, |sealed| sealed.len());
        FIXED_OCTETS + sealed + texts.map(String::len).sum::<usize>()
    }
}

impl Callback {
    /// Logs a finished attempt in the callback's own row; returns the attempt if it needs a row of its own, because the callback's
    /// has no room. The first answer of a few hundred octets has.
    #[must_use = "an attempt that is returned must be stored"]
    pub fn log(&mut self, attempt: Attempt) -> Option<Attempt> {
        let logged: usize = self.log.iter().map(Attempt::octets).sum();
        if logged + attempt.octets() > MAX_LOG_OCTETS {
            return Some(attempt);
        }
        self.log.push(attempt);
        None
    }
}
