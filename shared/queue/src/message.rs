//! What stands in a queue.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tandem_domain::ids::{ClientId, InvalidId};
use tandem_store::outbox::Due;

/// What kind of row a message names, and by that who works on it. The sort key of the row tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A callback to deliver.
    Callback,
    /// The next step of a replay.
    Replay,
    /// A mail to send.
    Mail,
    /// A chunk of an import.
    Import,
}

/// Names a row that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    v: Version,
    /// What it names.
    pub kind: Kind,
    /// Partition key of the row.
    pub pk: String,
    /// Sort key of the row.
    pub sk: String,
    /// Whose row it is; tenants share a queue fairly.
    pub tenant: String,
}

/// The one version there is. Another one was written by a newer build and means something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
struct Version;

impl TryFrom<u8> for Version {
    type Error = String;

    fn try_from(version: u8) -> Result<Self, String> {
        if version == 1 { Ok(Self) } else { Err(format!("version {version} is not known here")) }
    }
}

impl From<Version> for u8 {
    fn from(_: Version) -> Self {
        1
    }
}

/// The body of a queue message cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("this is no message of Tandem: {0}")]
pub struct DecodeError(#[from] serde_json::Error);

/// No worker looks after rows of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no queue takes rows of the kind {0}")]
pub struct UnknownKind(pub String);

impl TryFrom<Due> for Message {
    type Error = UnknownKind;

    fn try_from(due: Due) -> Result<Self, UnknownKind> {
        let kind = match due.sk.as_str() {
            "callback" => Kind::Callback,
            "replay" => Kind::Replay,
            "mail" => Kind::Mail,
            chunk if chunk.starts_with("chunk#") => Kind::Import,
            _ => return Err(UnknownKind(due.sk)),
        };
        let tenant = due.tenant().to_owned();
        Ok(Self { v: Version, kind, pk: due.pk, sk: due.sk, tenant })
    }
}

impl Message {
    /// Reads the body of a queue message.
    ///
    /// # Errors
    /// It is no message of a version and kind that are known here.
    pub fn decode(body: &str) -> Result<Self, DecodeError> {
        Ok(serde_json::from_str(body)?)
    }

    /// The body of a queue message.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers are always written")
    }

    /// The number in the row's sort key, e.g. 7 of `chunk#007`.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        self.sk.split_once('#')?.1.parse().ok()
    }

    /// The tenant and the id in the row's key.
    ///
    /// # Errors
    /// The key is none of the expected kind.
    pub fn ids<Id: FromStr<Err = InvalidId>>(&self) -> Result<(ClientId, Id), InvalidId> {
        let (client, id) = self.pk.split_once('#').unwrap_or((&self.pk, ""));
        Ok((client.parse()?, id.parse()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tandem_domain::ids::{CallbackId, MailId};

    const CLIENT: &str = "cli_0190b8f5c6f77c3ab0a1c2d3e4f50617";
    const CALLBACK: &str = "cbk_0190b8f5c6f77c3ab0a1c2d3e4f50618";

    fn message() -> Message {
        Message::try_from(Due { pk: format!("{CLIENT}#{CALLBACK}"), sk: "callback".into() }).expect("known kind")
    }

    #[test]
    fn a_message_looks_like_this() {
        let text = format!(r#"{{"v":1,"kind":"callback","pk":"{CLIENT}#{CALLBACK}","sk":"callback","tenant":"{CLIENT}"}}"#);
        assert_eq!(message().encode(), text);
        assert_eq!(Message::decode(&text).expect("valid"), message());
    }

    #[test]
    fn a_message_tells_the_ids_in_the_key() {
        let (client, id) = message().ids::<CallbackId>().expect("valid");
        assert_eq!((client.to_string().as_str(), id.to_string().as_str()), (CLIENT, CALLBACK));
        assert_eq!(message().ids::<MailId>(), Err(InvalidId { prefix: "mal" }));
        let other = Message { pk: CLIENT.into(), ..message() };
        assert_eq!(other.ids::<CallbackId>(), Err(InvalidId { prefix: "cbk" }));
    }

    #[test]
    fn another_version_or_kind_is_not_read() {
        for (from, to) in [("\"v\":1", "\"v\":2"), ("\"v\":1,", ""), ("\"kind\":\"callback\"", "\"kind\":\"parcel\"")] {
            let text = message().encode().replace(from, to);
            assert!(Message::decode(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn rows_without_a_worker_make_no_message() {
        let due = Due { pk: CLIENT.into(), sk: "parcel".into() };
        assert_eq!(Message::try_from(due), Err(UnknownKind("parcel".into())));
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_panic(text in ".{0,80}") {
            prop_assert!(Message::decode(&text).is_err());
        }
    }
}
