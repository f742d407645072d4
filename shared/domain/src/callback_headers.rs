//! Static headers of callbacks, for receivers that need authentication. They are stored sealed, and no answer contains a value.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::input::{FieldErrors, Object, Parsed, list, string};
use crate::sealed::Sealed;

/// The most headers of an endpoint.
pub const MAX_HEADERS: usize = 5;
const MAX_NAME: usize = 64;
const MAX_VALUE: usize = 1_000;
/// Of all names and values of an endpoint. Every purchase reads the row of its connection.
const MAX_OCTETS: usize = 2_000;
/// Headers that Tandem or HTTP sets. All that begin with one of the [`RESERVED_PREFIXES`] are reserved, too.
const RESERVED: [&str; 14] = [
    "accept",
    "accept-encoding",
    "connection",
    "date",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "max-forwards",
];
const RESERVED_PREFIXES: [&str; 3] = ["webhook-", "content-", "proxy-"];

/// Headers in a request of the API, not sealed yet.
#[derive(Clone, PartialEq, Eq)]
pub struct HeaderDraft(BTreeMap<String, String>);

/// The headers of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StaticHeaders {
    /// In lower case, sorted.
    pub names: Vec<String>,
    /// A JSON object of names and values.
    pub sealed: Sealed,
}

/// The opened text is not what was sealed.
#[derive(Debug, thiserror::Error)]
#[error("the stored headers are corrupt: {0}")]
pub struct BrokenHeaders(#[from] serde_json::Error);

impl fmt::Debug for HeaderDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl HeaderDraft {
    /// Reads `[{"name": "Authorization", "value": "Basic …"}]`. Names are compared without case.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let given = list(0..=MAX_HEADERS, parse_header)(value)?;
        let mut headers = BTreeMap::new();
        for (index, (name, value)) in given.into_iter().enumerate() {
            if headers.insert(name, value).is_some() {
                let place = format!("[{index}].name");
                let detail = "an earlier header has this name; names are compared without case";
                return Err(FieldErrors::at(place, "repeated", detail));
            }
        }
        check_length(&headers)?;
        Ok(Self(headers))
    }

    /// `None` without headers. `seal` gets the text that [`StaticHeaders::open`] reads.
    pub fn sealed(&self, seal: impl FnOnce(&[u8]) -> Sealed) -> Option<StaticHeaders> {
        let text = serde_json::json!(self.0).to_string();
        (!self.0.is_empty()).then(|| StaticHeaders {
            names: self.0.keys().cloned().collect(),
            sealed: seal(text.as_bytes()),
        })
    }
}

impl StaticHeaders {
    /// The names and values of an opened text.
    pub fn open(text: &[u8]) -> Result<BTreeMap<String, String>, BrokenHeaders> {
        Ok(serde_json::from_slice(text)?)
    }
}

fn check_length(headers: &BTreeMap<String, String>) -> Parsed<()> {
    let octets = |(name, value): (&String, &String)| name.len() + value.len();
    let octets: usize = headers.iter().map(octets).sum();
    if octets > MAX_OCTETS {
        let detail = format!("names and values have at most {MAX_OCTETS} octets, found {octets}");
        return Err(FieldErrors::one("too_long", detail));
    }
    Ok(())
}

fn parse_header(value: &Value) -> Parsed<(String, String)> {
    let mut object = Object::read(value)?;
    let name = object.required("name", parse_name);
    let value = object.required("value", parse_value);
    object.finish(|| Some((name?, value?)))
}

/// A part of the names that RFC 9110 allows, section 5.1.
fn parse_name(value: &Value) -> Parsed<String> {
    let name = string(value)?;
    let is_allowed = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(is_allowed) {
        let detail = format!(
            "a header's name has 1 to {MAX_NAME} letters, digits, hyphens and underscores, such as X-Api-Key"
        );
        return Err(FieldErrors::one("invalid_header_name", detail));
    }
    let name = name.to_ascii_lowercase();
    let mut prefixes = RESERVED_PREFIXES.iter();
    if prefixes.any(|prefix| name.starts_with(prefix)) || RESERVED.contains(&name.as_str()) {
        let detail = "Tandem sets this header itself; use Authorization or a name of your own";
        return Err(FieldErrors::one("reserved_header", detail));
    }
    Ok(name)
}

/// A part of the values that RFC 9110 allows, section 5.5.
fn parse_value(value: &Value) -> Parsed<String> {
    let text = string(value)?;
    let is_allowed = |c: u8| c.is_ascii_graphic() || c == b' ';
    if text.is_empty()
        || text.len() > MAX_VALUE
        || text.trim() != text
        || !text.bytes().all(is_allowed)
    {
        let detail = format!(
            "a header's value has 1 to {MAX_VALUE} ASCII characters and no blank at its ends; encode other characters, for example by Base64"
        );
        return Err(FieldErrors::one("invalid_header_value", detail));
    }
    Ok(text.to_owned())
}
