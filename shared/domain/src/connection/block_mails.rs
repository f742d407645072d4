//! A limit on mails about blocking and unblocking: per hour of a connection. Either side can do both at will and must not flood
//! the other one; the history lists every change, mailed or not.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::window::Window;

/// Per connection.
pub const BLOCK_MAILS_PER_HOUR: u32 = 6;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The mails of the last hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlockMails(Window);

impl BlockMails {
    /// Counts another mail; `None` if the limit is reached.
    pub(super) fn count(before: Option<Self>, now: Timestamp) -> Option<Self> {
        match before {
            None => Some(Self(Window::opened(now))),
            Some(Self(window)) if window.wait(HOUR, BLOCK_MAILS_PER_HOUR, now).is_some() => None,
            Some(Self(window)) => Some(Self(window.count(HOUR, now))),
        }
    }
}
