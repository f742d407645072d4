//! Counting in windows: so many of something in a length of time, then one has to wait for the window's end.
//!
//! A window begins with the first that is counted in it. Who waits for its end may do the whole number again, so twice the number
//! can fall into any one length of time, and never more.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A time in which something is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Window {
    since: Timestamp,
    // Wrong voucher codes were the first that was counted, and rows of them bear that name.
    #[serde(alias = "wrong")]
    count: u32,
}

impl Window {
    /// A window with the first one in it.
    pub(crate) fn opened(now: Timestamp) -> Self {
        Self {
            since: now,
            count: 1,
        }
    }

    /// How long to wait until the window is over, if it is full.
    pub(crate) fn wait(
        self,
        length: SignedDuration,
        most: u32,
        now: Timestamp,
    ) -> Option<SignedDuration> {
        let left = length - now.duration_since(self.since);
        (self.count >= most && left > SignedDuration::ZERO).then_some(left)
    }

    /// The window with another one in it, or a new one if it is over.
    pub(crate) fn counting(self, length: SignedDuration, now: Timestamp) -> Self {
        if now.duration_since(self.since) >= length {
            Self::opened(now)
        } else {
            Self {
                count: self.count + 1,
                ..self
            }
        }
    }

    /// When a window of a length is over.
    pub(crate) fn end(self, length: SignedDuration) -> Timestamp {
        self.since.saturating_add(length).unwrap_or(Timestamp::MAX)
    }
}
