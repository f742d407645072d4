//! Ids: a prefix that names the kind, and a UUIDv7, so that ids sort by creation time.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::IdSource;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id like {prefix}_0190b8f5c6f77c3ab0a1c2d3e4f50617")]
pub struct InvalidId {
    /// Without the underscore.
    pub prefix: &'static str,
}

/// The millisecond at which a UUIDv7 was generated.
fn time_of(uuid: Uuid) -> Timestamp {
    let millis = uuid.as_u64_pair().0 >> 16;
    i64::try_from(millis)
        .ok()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .unwrap_or(Timestamp::MAX)
}

/// The smallest UUIDv7 of a millisecond: ids generated at `time` or later compare greater or equal.
pub fn first_uuid_of(time: Timestamp) -> Uuid {
    let millis = u64::try_from(time.as_millisecond()).unwrap_or(0);
    Uuid::from_u64_pair((millis << 16) | 0x7000, 0x8000_0000_0000_0000)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// Without the underscore.
            pub const PREFIX: &'static str = $prefix;

            pub fn generate(ids: &mut (impl IdSource + ?Sized)) -> Self {
                Self(ids.uuid())
            }

            /// The millisecond at which the id was generated.
            pub fn time(self) -> Timestamp {
                time_of(self.0)
            }

            /// The lower bound of the ids generated at `time` or later.
            pub fn first_of(time: Timestamp) -> Self {
                Self(first_uuid_of(time))
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, self.0.as_simple())
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let invalid = InvalidId { prefix: $prefix };
                let hex = text
                    .strip_prefix($prefix)
                    .and_then(|rest| rest.strip_prefix('_'))
                    .filter(|hex| hex.len() == 32 && !hex.contains(|c: char| c.is_ascii_uppercase()))
                    .ok_or_else(|| invalid.clone())?;
                Uuid::try_parse(hex).map(Self).map_err(|_| invalid)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

/// Whether a text has the form of an id of any kind.
pub fn is_id(text: &str) -> bool {
    let hex = |octet: u8| octet.is_ascii_digit() || (b'a'..=b'f').contains(&octet);
    text.split_once('_').is_some_and(|(prefix, rest)| {
        prefix.len() == 3
            && prefix.bytes().all(|octet| octet.is_ascii_lowercase())
            && rest.len() == 32
            && rest.bytes().all(hex)
    })
}

ids! {
    CompanyId = "cco";
    /// A client: a merchant unit, the tenant of everything it owns.
    ClientId = "cli";
    ConnectionId = "con";
    OfferId = "off";
    CartId = "crt";
    CustomerId = "cus";
    OrderId = "ord";
    /// A subscription; the seller's and the source's rows of one sale share it.
    SubscriptionId = "sub";
    /// A callback delivery; also its `webhook-id`.
    CallbackId = "cbk";
    /// A row of the payout list.
    PayoutId = "pay";
    /// An accepted import.
    PromiseId = "prm";
    /// A replay of many callbacks.
    ReplayId = "rpl";
    /// A mail to a client.
    MailId = "mal";
    /// A change of an offer's terms, in the history of a connection.
    TermsEntryId = "trm";
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "con_0190b8f5c6f77c3ab0a1c2d3e4f50617";

    #[test]
    fn an_id_is_parsed_from_its_text() {
        let id: ConnectionId = TEXT.parse().expect("an id or a time");
        assert_eq!(id.to_string(), TEXT);
    }

    #[test]
    fn other_texts_are_refused_with_the_expected_prefix() {
        for text in [
            "",
            "con_",
            "off_0190b8f5c6f77c3ab0a1c2d3e4f50617",
            "con_0190B8F5C6F77C3AB0A1C2D3E4F50617",
            "con_0190b8f5-c6f7-7c3a-b0a1-c2d3e4f50617",
            "con_0190b8f5c6f77c3ab0a1c2d3e4f5061g",
            "con_0190b8f5c6f77c3ab0a1c2d3e4f506170",
        ] {
            assert_eq!(
                text.parse::<ConnectionId>(),
                Err(InvalidId { prefix: "con" }),
                "{text}"
            );
        }
    }

    #[test]
    fn the_form_of_an_id_is_that_of_each_kind() {
        assert!(is_id(TEXT));
        for text in [
            "",
            "con_",
            "0190b8f5c6f77c3ab0a1c2d3e4f50617",
            "conn_0190b8f5c6f77c3ab0a1c2d3e4f50617",
            "con_0190B8F5C6F77C3AB0A1C2D3E4F50617",
            "CON_0190b8f5c6f77c3ab0a1c2d3e4f50617",
            "con_0190b8f5c6f77c3ab0a1c2d3e4f506170",
            "con_anna@example.com_0190b8f5c6f77c3",
        ] {
            assert!(!is_id(text), "{text}");
        }
    }

    #[test]
    fn the_first_id_of_a_time_bounds_all_later_ids() {
        let time: Timestamp = "2026-11-21T12:00:00Z".parse().expect("an id or a time");
        let millis = u64::try_from(time.as_millisecond()).expect("after 1970");
        let made = |millis: u64| {
            let stamp = uuid::Timestamp::from_unix(
                uuid::NoContext,
                millis / 1000,
                u32::try_from(millis % 1000).expect("small") * 1_000_000,
            );
            PayoutId::from(Uuid::new_v7(stamp))
        };
        assert!(PayoutId::first_of(time) <= made(millis));
        assert!(PayoutId::first_of(time) > made(millis - 1));
        assert_eq!(
            (made(millis).time(), PayoutId::first_of(time).time()),
            (time, time)
        );
    }
}
