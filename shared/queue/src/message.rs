//! Messages.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tandem_store::outbox::Due;

/// The version of messages that this code writes and reads.
const VERSION: u8 = 1;

/// What kind of row waits, and so which queue its message goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A callback to deliver.
    Callback,
    /// A mail to send.
    Mail,
}

/// A row that a worker should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Message {
    v: u8,
    /// What kind of row.
    pub kind: Kind,
    /// Its partition key.
    pub pk: String,
    /// Its sort key.
    pub sk: String,
}

/// A message that no worker can handle.
#[derive(Debug, thiserror::Error)]
pub enum InvalidMessage {
    /// No JSON of the expected form.
    #[error("the message cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// Written by a newer or foreign program.
    #[error("the message has version {0}, known is {VERSION}")]
    Version(u8),
    /// The row is of a kind without a worker.
    #[error("a row {0} has no worker")]
    Kind(String),
    /// The key is no tenant and id.
    #[error("the partition key is not of the form <tenant>#<id>")]
    Key,
}

impl Message {
    /// The message for a row that is due.
    ///
    /// # Errors
    /// No worker is there for rows of this kind.
    pub fn of(due: Due) -> Result<Self, InvalidMessage> {
        let kind = match due.sk.as_str() {
            "callback" => Kind::Callback,
            "mail" => Kind::Mail,
            other => return Err(InvalidMessage::Kind(other.to_owned())),
        };
        Ok(Self { v: VERSION, kind, pk: due.pk, sk: due.sk })
    }

    /// Reads a message's body.
    ///
    /// # Errors
    /// It is unreadable or of another version.
    pub fn decode(body: &str) -> Result<Self, InvalidMessage> {
        let message: Self = serde_json::from_str(body)?;
        if message.v == VERSION { Ok(message) } else { Err(InvalidMessage::Version(message.v)) }
    }

    /// The body.
    #[must_use]
    pub fn encode(&self) -> String {
        // Strings and a number always become JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Tenant and id of the row, from its key.
    ///
    /// # Errors
    /// The key has another form.
    pub fn ids<T: FromStr, I: FromStr>(&self) -> Result<(T, I), InvalidMessage> {
        let (tenant, id) = self.pk.split_once('#').ok_or(InvalidMessage::Key)?;
        Ok((tenant.parse().map_err(|_| InvalidMessage::Key)?, id.parse().map_err(|_| InvalidMessage::Key)?))
    }

    /// The tenant: messages of one tenant do not keep those of others waiting (SQS fair queues).
    #[must_use]
    pub fn tenant(&self) -> &str {
        self.pk.split('#').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message::of(Due { pk: "cli_1#cbk_2".to_owned(), sk: "callback".to_owned() }).expect("known kind")
    }

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let body = message().encode();
        assert_eq!(body, r#"{"v":1,"kind":"callback","pk":"cli_1#cbk_2","sk":"callback"}"#);
        assert_eq!(Message::decode(&body).expect("valid"), message());
        assert_eq!(message().tenant(), "cli_1");
    }

    #[test]
    fn what_is_foreign_is_refused() {
        for body in
            ["", "{}", r#"{"v":1,"kind":"fax","pk":"a#b","sk":"fax"}"#, r#"{"v":1,"kind":"mail","pk":"a","sk":"mail","x":1}"#]
        {
            assert!(matches!(Message::decode(body), Err(InvalidMessage::Unreadable(_))), "{body}");
        }
        let newer = r#"{"v":2,"kind":"mail","pk":"a#b","sk":"mail"}"#;
        assert!(matches!(Message::decode(newer), Err(InvalidMessage::Version(2))));
        assert!(Message::of(Due { pk: "a#b".to_owned(), sk: "offer".to_owned() }).is_err());
    }
}
