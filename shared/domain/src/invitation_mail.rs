//! What became of the mail that invites a target client: it was sent, came back, or was called spam.
//!
//! ```text
//!  nothing known --> sent --> bounced --> complained
//! ```
//!
//! The mail service tells it afterwards, in any order and more than once, so news only ever goes to the right. Nothing is done
//! about it: the source sees it and looks for another address.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::ConnectionId;

/// What is known, from what says least to what says most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MailStatus {
    /// The mail service took it and tries to deliver it.
    Sent,
    /// The recipient's server refused it for good, or until the mail service gave up.
    Bounced,
    /// The recipient called it spam.
    Complained,
}

/// What is known of an invitation's mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvitationMail {
    /// The connection to which it invites.
    pub connection_id: ConnectionId,
    /// What happened.
    pub status: MailStatus,
    /// When.
    pub at: Timestamp,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

impl InvitationMail {
    /// What is known after the news; `None` if it is nothing new.
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
    fn news_only_ever_says_more() {
        let id = ConnectionId::from(uuid::Uuid::nil());
        let (first, later) = (
            Timestamp::UNIX_EPOCH,
            Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1),
        );
        for status in [Sent, Bounced, Complained] {
            let known = InvitationMail::after(None, id, status, first).expect("news");
            for news in [Sent, Bounced, Complained] {
                let after = InvitationMail::after(Some(known.clone()), id, news, later);
                let expected = (news > status).then(|| InvitationMail {
                    status: news,
                    at: later,
                    ..known.clone()
                });
                assert_eq!(after, expected, "{status:?} and then {news:?}");
            }
        }
    }
}
