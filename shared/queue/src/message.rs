//! The messages in the queues.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tandem_domain::ids::{ClientId, InvalidId};
use tandem_store::outbox::{Beside, Due};

use crate::dead_letter_reason::{DeadLetterReason, MAX_MESSAGE_BYTES};

/// The version of the messages that this release writes.
const VERSION: u64 = 1;

/// The kind of row that a message names; it decides the worker. Derived from the row's sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    Callback,
    /// The next page of a replay.
    Replay,
    Mail,
    /// A chunk of an import.
    Import,
}

impl Kind {
    pub(crate) fn of_row(sk: &str) -> Option<Self> {
        match sk {
            "callback" => Some(Self::Callback),
            "replay" => Some(Self::Replay),
            "mail" => Some(Self::Mail),
            chunk if chunk.starts_with("chunk#") => Some(Self::Import),
            _ => None,
        }
    }
}

/// Names a row that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub kind: Kind,
    pub pk: String,
    pub sk: String,
    /// The owner of the row; tenants share a queue fairly.
    pub tenant: String,
    /// From the stream only: the sweep knows keys alone.
    pub beside: Option<Beside>,
}

/// A message on the wire.
#[derive(Serialize, Deserialize)]
struct WireMessage<Kind> {
    v: u64,
    kind: Kind,
    pk: String,
    sk: String,
    tenant: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    beside: Option<Beside>,
}

/// The member that every version has.
#[derive(Deserialize)]
struct Versioned {
    v: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no queue accepts rows of the kind {0}")]
pub struct UnknownKind(pub String);

impl TryFrom<Due> for Message {
    type Error = UnknownKind;

    fn try_from(due: Due) -> Result<Self, UnknownKind> {
        let Some(kind) = Kind::of_row(&due.sk) else {
            return Err(UnknownKind(due.sk));
        };
        let tenant = due.tenant().to_owned();
        Ok(Self {
            kind,
            pk: due.pk,
            sk: due.sk,
            tenant,
            beside: None,
        })
    }
}

impl Message {
    /// Reads the body of a queue message.
    ///
    /// # Errors
    /// The message is oversized, undecodable, of an unknown version or kind, or names two tenants.
    pub fn decode(body: &str) -> Result<Self, DeadLetterReason> {
        if body.len() > MAX_MESSAGE_BYTES {
            return Err(DeadLetterReason::Oversized(body.len()));
        }
        let Versioned { v } =
            serde_json::from_str(body).map_err(|_| DeadLetterReason::Undecodable)?;
        if v != VERSION {
            return Err(DeadLetterReason::UnknownVersion(v));
        }
        let WireMessage {
            kind,
            pk,
            sk,
            tenant,
            beside,
            ..
        }: WireMessage<Value> =
            serde_json::from_str(body).map_err(|_| DeadLetterReason::Undecodable)?;
        let kind = serde_json::from_value(kind)
            .ok()
            .filter(|kind| Kind::of_row(&sk) == Some(*kind));
        let message = Self {
            kind: kind.ok_or(DeadLetterReason::UnknownKind)?,
            pk,
            sk,
            tenant,
            beside,
        };
        if message.pk.split('#').next() == Some(&message.tenant) {
            Ok(message)
        } else {
            Err(DeadLetterReason::ForeignTenant)
        }
    }

    /// The body of a queue message.
    pub fn encode(&self) -> String {
        let Self {
            kind,
            pk,
            sk,
            tenant,
            beside,
        } = self.clone();
        serde_json::to_string(&WireMessage {
            v: VERSION,
            kind,
            pk,
            sk,
            tenant,
            beside,
        })
        .expect("strings and numbers always serialize")
    }

    /// The number in the row's sort key, e.g. 7 of `chunk#007`.
    ///
    /// # Errors
    /// The sort key holds no number.
    pub fn number(&self) -> Result<u32, DeadLetterReason> {
        self.sk
            .split_once('#')
            .and_then(|(_, number)| number.parse().ok())
            .ok_or(DeadLetterReason::Undecodable)
    }

    /// The tenant and the id in the row's key.
    ///
    /// # Errors
    /// The key does not hold ids of these kinds.
    pub fn ids<Id: FromStr<Err = InvalidId>>(&self) -> Result<(ClientId, Id), DeadLetterReason> {
        let (client, id) = self.pk.split_once('#').unwrap_or((&self.pk, ""));
        let undecodable = |_| DeadLetterReason::Undecodable;
        Ok((
            client.parse().map_err(undecodable)?,
            id.parse().map_err(undecodable)?,
        ))
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
        Message::try_from(Due {
            pk: format!("{CLIENT}#{CALLBACK}"),
            sk: "callback".into(),
        })
        .expect("known kind")
    }

    #[test]
    fn the_wire_format_of_a_message_is_fixed() {
        let text = format!(
            r#"{{"v":1,"kind":"callback","pk":"{CLIENT}#{CALLBACK}","sk":"callback","tenant":"{CLIENT}"}}"#
        );
        assert_eq!(message().encode(), text);
        assert_eq!(Message::decode(&text).expect("valid"), message());
    }

    #[test]
    fn a_message_from_the_stream_names_the_rows_beside_the_callback() {
        let text = format!(
            r#"{{"v":1,"kind":"callback","pk":"{CLIENT}#{CALLBACK}","sk":"callback","tenant":"{CLIENT}","beside":{{"connection":"con_1","concerned":"cco_1#cus_1"}}}}"#
        );
        let name = |text: &str| Some(text.to_owned());
        let beside = Some(Beside {
            connection: name("con_1"),
            concerned: name("cco_1#cus_1"),
        });
        let named = Message {
            beside,
            ..message()
        };
        assert_eq!(named.encode(), text);
        assert_eq!(Message::decode(&text), Ok(named));
    }

    #[test]
    fn a_message_of_a_later_release_is_read() {
        let later = message()
            .encode()
            .replace("{\"v\":1", "{\"later\":[{\"a\":null}],\"v\":1");
        assert_ne!(later, message().encode());
        assert_eq!(Message::decode(&later), Ok(message()));
    }

    #[test]
    fn ids_are_parsed_from_the_row_key() {
        let (client, id) = message().ids::<CallbackId>().expect("valid");
        assert_eq!(
            (client.to_string().as_str(), id.to_string().as_str()),
            (CLIENT, CALLBACK)
        );
        assert_eq!(
            message().ids::<MailId>(),
            Err(DeadLetterReason::Undecodable)
        );
        let other = Message {
            pk: CLIENT.into(),
            ..message()
        };
        assert_eq!(
            other.ids::<CallbackId>(),
            Err(DeadLetterReason::Undecodable)
        );
    }

    #[test]
    fn an_invalid_message_is_rejected_with_its_reason() {
        let long = format!("{CLIENT}#{}", "x".repeat(MAX_MESSAGE_BYTES));
        let cases = [
            ("\"v\":1", "\"v\":2", DeadLetterReason::UnknownVersion(2)),
            (
                "\"v\":1",
                "\"v\":2,\"kinds\":[]",
                DeadLetterReason::UnknownVersion(2),
            ),
            ("\"v\":1,", "", DeadLetterReason::Undecodable),
            ("\"v\":1", "\"v\":-1", DeadLetterReason::Undecodable),
            ("}", "", DeadLetterReason::Undecodable),
            ("\"pk\"", "\"key\"", DeadLetterReason::Undecodable),
            (
                "\"kind\":\"callback\"",
                "\"kind\":\"parcel\"",
                DeadLetterReason::UnknownKind,
            ),
            (
                "\"kind\":\"callback\"",
                "\"kind\":[7]",
                DeadLetterReason::UnknownKind,
            ),
            // The kind selects the worker, the sort key selects the row; they must agree.
            (
                "\"kind\":\"callback\"",
                "\"kind\":\"mail\"",
                DeadLetterReason::UnknownKind,
            ),
            (
                "\"sk\":\"callback\"",
                "\"sk\":\"client\"",
                DeadLetterReason::UnknownKind,
            ),
            (
                "\"tenant\":\"cli_0190",
                "\"tenant\":\"cli_0191",
                DeadLetterReason::ForeignTenant,
            ),
            (
                "\"pk\":\"cli_0190",
                "\"pk\":\"cli_0191",
                DeadLetterReason::ForeignTenant,
            ),
        ];
        for (from, to, reason) in cases {
            let text = message().encode().replace(from, to);
            assert_eq!(Message::decode(&text), Err(reason), "{text}");
        }
        let text = Message {
            pk: long,
            ..message()
        }
        .encode();
        assert_eq!(
            Message::decode(&text),
            Err(DeadLetterReason::Oversized(text.len()))
        );
        assert_eq!(Message::decode(""), Err(DeadLetterReason::Undecodable));
    }

    #[test]
    fn a_row_without_a_worker_has_no_message() {
        let due = Due {
            pk: CLIENT.into(),
            sk: "parcel".into(),
        };
        assert_eq!(Message::try_from(due), Err(UnknownKind("parcel".into())));
    }

    proptest! {
        #[test]
        fn decoding_never_panics(text in ".{0,80}") {
            prop_assert!(Message::decode(&text).is_err());
        }
    }
}
