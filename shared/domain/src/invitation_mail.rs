//! The delivery status of an invitation mail.
//!
//! ```text
//!  unknown --> sent --> bounced --> complained
//! ```
//!
//! The mail service reports afterwards, in any order and more than once, so the status only ever moves to the right. Tandem
//! only shows the status: the source must find another address.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::ConnectionId;

/// In ascending order: a later status replaces an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MailStatus {
    /// The mail service accepted the mail and tries to deliver it.
    Sent,
    /// The recipient's server rejected the mail permanently, or until the mail service stopped retrying.
    Bounced,
    /// The recipient reported the mail as spam.
    Complained,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvitationMail {
    pub connection_id: ConnectionId,
    pub status: MailStatus,
    pub at: Timestamp,
    /// For optimistic locking.
    pub version: u64,
}

impl InvitationMail {
    /// The row after an event; `None` if the stored status is as advanced.
    pub fn after(
        before: Option<Self>,
        connection_id: ConnectionId,
        status: MailStatus,
        at: Timestamp,
    ) -> Option<Self> {
        match before {
            None => Some(Self {
                connection_id,
                status,
                at,
                version: 1,
            }),
            Some(before) if status > before.status => Some(Self {
                status,
                at,
                ..before
            }),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MailStatus::{Bounced, Complained, Sent};

    #[test]
    fn the_status_only_advances() {
        let id = ConnectionId::from(uuid::Uuid::nil());
        let (first, later) = (
            Timestamp::UNIX_EPOCH,
            Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1),
        );
        for status in [Sent, Bounced, Complained] {
            let stored = InvitationMail::after(None, id, status, first).expect("a first status");
            for next in [Sent, Bounced, Complained] {
                let after = InvitationMail::after(Some(stored.clone()), id, next, later);
                let expected = (next > status).then(|| InvitationMail {
                    status: next,
                    at: later,
                    ..stored.clone()
                });
                assert_eq!(after, expected, "{status:?}, then {next:?}");
            }
        }
    }
}
