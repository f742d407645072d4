//! The id that the HTTP API gave a request. Rows that follow from the request keep it, and the workers' log lines about such a row
//! name it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// In characters. Those of the HTTP API have 16, those of Lambda 36.
const LONGEST: usize = 64;

/// Stored as the octets of its base64, if it is that: 11 instead of 16.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a request id has 1 to {LONGEST} visible ASCII characters")]
pub struct InvalidRequestId;

impl RequestId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RequestId {
    type Err = InvalidRequestId;

    fn from_str(text: &str) -> Result<Self, InvalidRequestId> {
        let visible = text.bytes().all(|octet| octet.is_ascii_graphic());
        if visible && (1..=LONGEST).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidRequestId)
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Decoding is strict, so encoding gives the same text.
        match URL_SAFE.decode(&self.0) {
            Ok(octets) => serializer.serialize_bytes(&octets),
            Err(_) => serializer.serialize_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EitherForm)
    }
}

struct EitherForm;

impl<'de> Visitor<'de> for EitherForm {
    type Value = RequestId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request id, as text or as the octets of its base64")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<RequestId, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_bytes<E: Error>(self, octets: &[u8]) -> Result<RequestId, E> {
        self.visit_str(&URL_SAFE.encode(octets))
    }

    // JSON has no octets.
    fn visit_seq<A: SeqAccess<'de>>(self, mut octets: A) -> Result<RequestId, A::Error> {
        let mut all = Vec::new();
        while let Some(octet) = octets.next_element()? {
            all.push(octet);
        }
        self.visit_bytes(&all)
    }
}
