//! Bodies that every route refuses.

use serde_json::{Value, json};

use super::case::Body;
use super::check::Fields;

/// The largest body of most routes, in octets.
pub(super) const LARGEST: usize = 256 * 1024;

/// A body and its refusal.
pub(super) struct Bad {
    pub(super) what: &'static str,
    pub(super) content_type: Option<&'static str>,
    pub(super) bytes: Vec<u8>,
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) fields: Fields,
}

/// Each body is valid except for its media type, its JSON type or an extra member, so a route that ignores the error would
/// have its effect.
pub(super) fn generic(body: &Body) -> Vec<Bad> {
    let right = body.right.to_string();
    let bad = |what, content_type, bytes: &[u8], (status, code), fields: &[(&str, &str)]| Bad {
        what,
        content_type,
        bytes: bytes.to_vec(),
        status,
        code,
        fields: fields
            .iter()
            .map(|(field, code)| ((*field).to_owned(), (*code).to_owned()))
            .collect(),
    };
    const JSON: Option<&str> = Some("application/json");
    let mut unknown = body.right.clone();
    unknown["nonsense"] = Value::from(1);
    let mut all = vec![
        bad(
            "as text",
            Some("text/plain"),
            right.as_bytes(),
            (415, "unsupported_media_type"),
            &[],
        ),
        bad(
            "as a form",
            Some("application/x-www-form-urlencoded"),
            right.as_bytes(),
            (415, "unsupported_media_type"),
            &[],
        ),
        bad(
            "without a type",
            None,
            right.as_bytes(),
            (415, "unsupported_media_type"),
            &[],
        ),
        bad(
            "too large",
            JSON,
            &padded(&right, body.largest + 1),
            (413, "body_too_large"),
            &[],
        ),
        bad(
            "cut off",
            JSON,
            &right.as_bytes()[..right.len() - 1],
            (400, "invalid_json"),
            &[],
        ),
        bad(
            "followed by more",
            JSON,
            format!("{right}{right}").as_bytes(),
            (400, "invalid_json"),
            &[],
        ),
        bad(
            "nested too deeply",
            JSON,
            "[".repeat(10_000).as_bytes(),
            (400, "invalid_json"),
            &[],
        ),
        bad(
            "with an unknown field",
            JSON,
            unknown.to_string().as_bytes(),
            (422, "invalid_fields"),
            &[("nonsense", "unknown_field")],
        ),
    ];
    for other in [json!([body.right]), json!("text"), Value::Null] {
        let bytes = other.to_string();
        all.push(bad(
            "that is no object",
            JSON,
            bytes.as_bytes(),
            (422, "invalid_fields"),
            &[("", "not_an_object")],
        ));
    }
    if !body.may_be_absent {
        all.push(bad("that is empty", JSON, b"", (400, "invalid_json"), &[]));
        all.push(bad(
            "that is missing",
            None,
            b"",
            (400, "invalid_json"),
            &[],
        ));
    }
    all.extend(lossy(&body.right));
    all
}

/// The body with each text damaged, and with each member repeated.
fn lossy(right: &Value) -> Vec<Bad> {
    let bad = |what, text: String, (status, code), field: &str, field_code: &str| Bad {
        what,
        content_type: Some("application/json"),
        bytes: text.into_bytes(),
        status,
        code,
        fields: vec![(field.to_owned(), field_code.to_owned())],
    };
    const INVALID: (u16, &str) = (422, "invalid_fields");
    let mut all = Vec::new();
    for (path, pointer) in members(right) {
        let value = right.pointer(&pointer).expect("a member");
        // A marker is replaced in the text, where a repeated member and half a character can be written.
        let marked = |value: Value| {
            let mut body = right.clone();
            *body.pointer_mut(&pointer).expect("a member") = value;
            body.to_string()
        };
        if let Some(text) = value.as_str() {
            for (what, lost) in [
                ("with a replacement character", '\u{fffd}'),
                ("with a noncharacter", '\u{1ffff}'),
            ] {
                let damaged = marked(json!(format!("{text}{lost}")));
                all.push(bad(what, damaged, INVALID, &path, "invalid_characters"));
            }
            let half = marked(json!("@@")).replace("@@", "\\ud83d");
            let unreadable = (400, "invalid_json");
            all.push(bad(
                "with half a character",
                half,
                unreadable,
                &path,
                "unreadable",
            ));
        }
        if let Some((_, name)) = pointer.rsplit_once('/').filter(|_| !path.ends_with(']')) {
            let again = format!("{value},\"{name}\":{value}");
            let repeated = marked(json!("@@")).replace("\"@@\"", &again);
            // The members of a repeated object have one name each.
            all.push(bad(
                "with a repeated member",
                repeated,
                INVALID,
                &path,
                "repeated_member",
            ));
        }
    }
    all
}

/// The path in errors and the JSON pointer of each member and item below a value.
fn members(value: &Value) -> Vec<(String, String)> {
    let below = |path: String, pointer: String, value: &Value| {
        let inner = members(value).into_iter().map(|(inner, rest)| {
            let dot = if inner.starts_with('[') { "" } else { "." };
            (format!("{path}{dot}{inner}"), format!("{pointer}{rest}"))
        });
        let mut all: Vec<_> = inner.collect();
        all.push((path.clone(), pointer.clone()));
        all
    };
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| below(name.clone(), format!("/{name}"), value))
            .collect(),
        Value::Array(items) => (0..)
            .zip(items)
            .flat_map(|(index, value)| below(format!("[{index}]"), format!("/{index}"), value))
            .collect(),
        _ => Vec::new(),
    }
}

/// The same JSON with trailing spaces.
fn padded(json: &str, length: usize) -> Vec<u8> {
    let mut bytes = json.as_bytes().to_vec();
    bytes.resize(length, b' ');
    bytes
}
