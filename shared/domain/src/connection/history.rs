//! What a connection's history tells.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Side;

/// What was done to a connection, for its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// The source invited.
    Invited,
    /// See [`Move::Accept`](super::Move::Accept).
    Accepted,
    /// See [`Move::Decline`](super::Move::Decline).
    Declined,
    /// See [`Move::Withdraw`](super::Move::Withdraw).
    Withdrawn,
    /// See [`Move::Block`](super::Move::Block).
    Blocked,
    /// See [`Move::Unblock`](super::Move::Unblock).
    Unblocked,
    /// The source changed access or callback settings.
    Edited,
    /// The source rotated the signing secret.
    SecretRotated,
}

/// One line of a connection's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// 1 for the invitation, then counting up.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Which side.
    pub by: Side,
    /// What.
    pub action: Action,
    /// For an edit: what it set, in words.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub changes: Vec<String>,
}
