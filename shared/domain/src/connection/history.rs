//! The history of a connection.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Side;
use crate::ids::{OfferId, TermsEntryId};
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
        /// The source proposed other terms of an offer.
        TermsProposed = "termsProposed",
        /// The source changed the terms of an offer in favour of the target only.
        TermsFavoured = "termsFavoured",
        /// The target accepted the terms of an offer.
        TermsAccepted = "termsAccepted",
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

/// A change of an offer's terms, in the history of the connection. It does not change the connection, so it has no number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TermsEntry {
    pub id: TermsEntryId,
    pub offer_id: OfferId,
    pub at: Timestamp,
    pub by: Side,
    pub action: Action,
    /// The old and new values, in words.
    pub changes: Vec<String>,
}
