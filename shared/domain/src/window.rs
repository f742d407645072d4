//! Counts events in windows of time; when a window is full, the caller waits for its end.
//!
//! A window begins with its first event. Whoever waits for the end may fill a new window, so any one length of time can hold at
//! most twice the limit.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Window {
    since: Timestamp,
    // The rows of wrong voucher codes, which came first, use this name.
    #[serde(alias = "wrong")]
    count: u32,
}

impl Window {
    /// A window with its first event.
    pub(crate) fn opened(now: Timestamp) -> Self {
        Self {
            since: now,
            count: 1,
        }
    }

    /// Counts events in a window or, if it is over, in a new one; returns the wait for its end if they do not fit. `most` is
    /// the number of events in a length of time.
    pub(crate) fn take(
        window: Option<Self>,
        count: u32,
        (most, length): (u32, SignedDuration),
        now: Timestamp,
    ) -> Result<Self, SignedDuration> {
        let open = window.filter(|window| now.duration_since(window.since) < length);
        let Some(open) = open else {
            return Ok(Self { since: now, count });
        };
        match open.count.checked_add(count) {
            Some(count) if count <= most => Ok(Self { count, ..open }),
            _ => Err(length - now.duration_since(open.since)),
        }
    }

    /// How long to wait for the end of a full window; `None` unless it is full.
    pub(crate) fn wait(
        self,
        length: SignedDuration,
        most: u32,
        now: Timestamp,
    ) -> Option<SignedDuration> {
        let left = length - now.duration_since(self.since);
        (self.count >= most && left > SignedDuration::ZERO).then_some(left)
    }

    /// Counts another event; opens a new window if this one is over.
    pub(crate) fn count(self, length: SignedDuration, now: Timestamp) -> Self {
        if now.duration_since(self.since) >= length {
            Self::opened(now)
        } else {
            Self {
                count: self.count + 1,
                ..self
            }
        }
    }

    pub(crate) fn end(self, length: SignedDuration) -> Timestamp {
        self.since.saturating_add(length).unwrap_or(Timestamp::MAX)
    }
}
