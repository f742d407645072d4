//! The history of a connection.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Side;
use crate::words::words;

words! {
    pub enum Action {
        Invited = "invited",
        Accepted = "accepted",
        /// The source had the invitation mailed again.
        InvitationResent = "invitationResent",
        Declined = "declined",
        Withdrawn = "withdrawn",
        Blocked = "blocked",
        Unblocked = "unblocked",
        /// The source changed the access or the callback settings.
        Edited = "edited",
        SecretRotated = "secretRotated",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// 1 for the invitation, then counting up.
    pub number: u64,
    pub at: Timestamp,
    pub by: Side,
    pub action: Action,
    /// The edited settings, in words.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub changes: Vec<String>,
}
