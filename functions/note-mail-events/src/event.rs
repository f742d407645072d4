//! The part of an SES event that this function reads
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
    bounce: Option<Occurrence>,
    complaint: Option<Occurrence>,
}

#[derive(Debug, Deserialize)]
struct Mail {
    /// The time of sending.
    timestamp: Timestamp,
    #[serde(default)]
    tags: HashMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Occurrence {
    timestamp: Timestamp,
}

/// The new status of an invitation mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvitationEvent {
    pub(crate) connection_id: ConnectionId,
    pub(crate) status: MailStatus,
    pub(crate) at: Timestamp,
}

impl InvitationEvent {
    /// `None` if the event is about another mail, or of another type.
    pub(crate) fn parse(event: Value) -> Option<Self> {
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
