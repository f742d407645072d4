//! The part of an event of SES that is of use
//! (<https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>, in the envelope of EventBridge).

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;
use tandem_domain::Timestamp;
use tandem_domain::ids::ConnectionId;
use tandem_domain::invitation_mail::MailStatus;

#[derive(Debug, Deserialize)]
struct Envelope {
    detail: Detail,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    event_type: String,
    mail: Mail,
    bounce: Option<Happened>,
    complaint: Option<Happened>,
}

#[derive(Debug, Deserialize)]
struct Mail {
    /// When it was sent.
    timestamp: Timestamp,
    #[serde(default)]
    tags: HashMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Happened {
    timestamp: Timestamp,
}

/// What an event says of an invitation's mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    /// To which connection it invites.
    pub(crate) connection_id: ConnectionId,
    /// What happened.
    pub(crate) status: MailStatus,
    /// When.
    pub(crate) at: Timestamp,
}

impl News {
    /// Reads an event; `None` if it is about something else.
    pub(crate) fn read(event: Value) -> Option<Self> {
        let Envelope { detail } = serde_json::from_value(event).ok()?;
        let tag = |name: &str| detail.mail.tags.get(name)?.first().map(String::as_str);
        if tag("about") != Some("invitation") {
            return None;
        }
        let (status, at) = match detail.event_type.as_str() {
            "Send" => (MailStatus::Sent, detail.mail.timestamp),
            "Bounce" => (MailStatus::Bounced, detail.bounce?.timestamp),
            "Complaint" => (MailStatus::Complained, detail.complaint?.timestamp),
            _ => return None,
        };
        Some(Self {
            connection_id: tag("connection")?.parse().ok()?,
            status,
            at,
        })
    }
}
