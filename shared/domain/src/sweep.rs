//! The sweep's time of a row with open work: from then on the sweep sends a message for it.
//!
//! The stream sends the first message of a row within a second of its commit, so the sweep leaves a new row alone for the
//! [`GRACE`]. A row that waits for a later attempt has none: if it is due in more than a quarter of an hour, nothing but the sweep
//! sends its message.

use jiff::{SignedDuration, Timestamp};

/// The time for which the sweep leaves a new row to the stream and its worker. Half a minute longer than the lease of a callback or
/// a mail, so that a lease taken within this half minute ends before the sweep looks, and does not move the row in the index.
pub const GRACE: SignedDuration = SignedDuration::from_secs(90);

/// The sweep's time of a new row that is due at this time.
pub fn of_new(due_at: Timestamp) -> Timestamp {
    due_at.saturating_add(GRACE).unwrap_or(Timestamp::MAX)
}

/// The sweep's time of a row that was due at this time and has its first lease.
pub fn of_first_lease(due_at: Timestamp, lease_until: Timestamp) -> Timestamp {
    of_new(due_at).max(lease_until)
}
