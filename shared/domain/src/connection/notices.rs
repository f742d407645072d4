//! Mails about blocking and unblocking: so many an hour for a connection. Either side can do both as often as it likes, and the
//! other one is not to be flooded; what goes without a mail is in the history like everything else.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::window::Window;

/// Mails about blocking and unblocking of one connection an hour.
pub const NOTICES_PER_HOUR: u32 = 6;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The mails of the last hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Notices(Window);

impl Notices {
    /// With another mail; `None` if there were enough.
    pub(super) fn another(before: Option<Self>, now: Timestamp) -> Option<Self> {
        match before {
            None => Some(Self(Window::opened(now))),
            Some(Self(window)) if window.wait(HOUR, NOTICES_PER_HOUR, now).is_some() => None,
            Some(Self(window)) => Some(Self(window.counting(HOUR, now))),
        }
    }
}
