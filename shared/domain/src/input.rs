//! Reads JSON input field by field, so that an answer names every wrong field and not only the first.
//!
//! A parser is a function from a JSON value to a typed value or [`FieldErrors`]. [`Object`] applies parsers to the members
//! of a JSON object, collects their errors under the member's path (`positions[2].offerId`), and finally rejects unknown
//! members.

mod whole;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

pub use whole::{integer, whole_number};

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// The path, e.g. `positions[2].offerId`; empty for the whole body.
    pub field: String,
    /// Stable, e.g. `required`, `too_long`.
    pub code: &'static str,
    /// Explains the error and its correction, for people.
    pub detail: String,
}

/// All errors of an input, in reading order.
#[derive(Debug, Clone, PartialEq, Eq, Default, thiserror::Error)]
#[error("{} field(s) of the input are wrong", .0.len())]
pub struct FieldErrors(pub Vec<FieldError>);

impl FieldErrors {
    /// An error about the value itself; the reader of the member adds its path.
    pub fn one(code: &'static str, detail: impl Into<String>) -> Self {
        Self::at("", code, detail)
    }

    pub fn at(field: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self(vec![FieldError {
            field: field.into(),
            code,
            detail: detail.into(),
        }])
    }

    /// Prefixes the paths with the parent's.
    pub fn under(mut self, parent: &str) -> Self {
        for error in &mut self.0 {
            error.field = match error.field.as_str() {
                "" => parent.to_owned(),
                inner if inner.starts_with('[') => format!("{parent}{inner}"),
                inner => format!("{parent}.{inner}"),
            };
        }
        self
    }
}

/// Characters of a caller's member or parameter name that an error repeats.
pub const MAX_NAME: usize = 100;

pub type Parsed<T> = Result<T, FieldErrors>;

/// A JSON object that is being read.
pub struct Object<'a> {
    members: &'a Map<String, Value>,
    known: BTreeSet<&'static str>,
    errors: Vec<FieldError>,
}

impl<'a> Object<'a> {
    pub fn read(value: &'a Value) -> Parsed<Self> {
        match value {
            Value::Object(members) => Ok(Self {
                members,
                known: BTreeSet::new(),
                errors: Vec::new(),
            }),
            other => Err(FieldErrors::one(
                "not_an_object",
                format!("expected a JSON object, found {}", kind(other)),
            )),
        }
    }

    /// Reads a member that must be present. `None` means that an error was noted.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&Value) -> Parsed<T>,
    ) -> Option<T> {
        self.known.insert(name);
        match self.members.get(name) {
            None | Some(Value::Null) => {
                self.note(FieldErrors::at(name, "required", "this field is required"));
                None
            }
            Some(value) => self.parse(name, value, parse),
        }
    }

    /// Reads a member that may be absent; `null` counts as absent.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&Value) -> Parsed<T>,
    ) -> Option<T> {
        self.known.insert(name);
        match self.members.get(name) {
            None | Some(Value::Null) => None,
            Some(value) => self.parse(name, value, parse),
        }
    }

    /// Reads a member of an edit: `None` if absent, `Some(None)` if `null` clears the value.
    pub fn clearable<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&Value) -> Parsed<T>,
    ) -> Option<Option<T>> {
        self.known.insert(name);
        match self.members.get(name) {
            None => None,
            Some(Value::Null) => Some(None),
            Some(value) => self.parse(name, value, parse).map(Some),
        }
    }

    /// Notes errors that concern several members.
    pub fn note(&mut self, errors: FieldErrors) {
        self.errors.extend(errors.0);
    }

    /// Builds the value, unless errors were noted or a member is unknown.
    pub fn finish<T>(mut self, build: impl FnOnce() -> Option<T>) -> Parsed<T> {
        let known = self.known.iter().copied().collect::<Vec<_>>().join(", ");
        for name in self
            .members
            .keys()
            .filter(|name| !self.known.contains(name.as_str()))
        {
            self.errors.push(FieldError {
                field: shown(name, MAX_NAME),
                code: "unknown_field",
                detail: format!("unknown field; known fields: {known}"),
            });
        }
        match build() {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(FieldErrors(self.errors)),
        }
    }

    fn parse<T>(
        &mut self,
        name: &'static str,
        value: &Value,
        parse: impl FnOnce(&Value) -> Parsed<T>,
    ) -> Option<T> {
        parse(value)
            .map_err(|errors| self.note(errors.under(name)))
            .ok()
    }
}

/// Reads a text that was decoded without loss.
pub fn string(value: &Value) -> Parsed<&str> {
    let text = value.as_str().ok_or_else(|| {
        FieldErrors::one(
            "not_a_string",
            format!("expected a string, found {}", kind(value)),
        )
    })?;
    match text.char_indices().find(|(_, c)| is_no_character(*c)) {
        None => Ok(text),
        Some((octets, c)) => Err(FieldErrors::one(
            "invalid_characters",
            format!(
                "must not contain {} (character {}); a program before Tandem decoded the text with the wrong encoding: send the original text as UTF-8",
                c.escape_unicode()
                    .to_string()
                    .replace("\\u{", "U+")
                    .replace('}', "")
                    .to_uppercase(),
                text[..octets].chars().count() + 1,
            ),
        )),
    }
}

/// Whether a character replaces lost data, or is reserved for use inside of programs: the replacement character, and the 66
/// noncharacters of Unicode (I-JSON, RFC 7493, forbids them).
pub fn is_no_character(c: char) -> bool {
    c == '\u{FFFD}' || matches!(c, '\u{FDD0}'..='\u{FDEF}') || u32::from(c) & 0xFFFE == 0xFFFE
}

/// A text of the caller in an error, cut to `most` characters.
pub fn shown(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((octets, _)) => format!("{}…", &text[..octets]),
    }
}

/// Parses a string by `FromStr`, e.g. an id.
pub fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(value: &Value) -> Parsed<T> {
    string(value)?
        .parse()
        .map_err(|error: T::Err| FieldErrors::one("invalid", error.to_string()))
}

pub fn boolean(value: &Value) -> Parsed<bool> {
    value.as_bool().ok_or_else(|| {
        FieldErrors::one(
            "not_a_boolean",
            format!("expected true or false, found {}", kind(value)),
        )
    })
}

/// Reads a list; the errors of all items are collected.
pub fn list<T>(
    lengths: std::ops::RangeInclusive<usize>,
    item: impl Fn(&Value) -> Parsed<T>,
) -> impl Fn(&Value) -> Parsed<Vec<T>> {
    move |value| {
        let values = value.as_array().ok_or_else(|| {
            FieldErrors::one(
                "not_a_list",
                format!("expected a list, found {}", kind(value)),
            )
        })?;
        if !lengths.contains(&values.len()) {
            let detail = format!(
                "must have {} to {} entries, found {}",
                lengths.start(),
                lengths.end(),
                values.len()
            );
            return Err(FieldErrors::one("wrong_length", detail));
        }
        let mut items = Vec::with_capacity(values.len());
        let mut errors = FieldErrors::default();
        for (index, value) in values.iter().enumerate() {
            match item(value) {
                Ok(parsed) => items.push(parsed),
                Err(wrong) => errors.0.extend(wrong.under(&format!("[{index}]")).0),
            }
        }
        if errors.0.is_empty() {
            Ok(items)
        } else {
            Err(errors)
        }
    }
}

/// Reads one of a closed set of words.
pub fn one_of<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&Value) -> Parsed<T> {
    move |value| {
        let text = string(value)?;
        words
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, value)| *value)
            .ok_or_else(|| {
                let known = words
                    .iter()
                    .map(|(word, _)| *word)
                    .collect::<Vec<_>>()
                    .join(", ");
                FieldErrors::one("unknown_value", format!("must be one of: {known}"))
            })
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value) -> Parsed<(i64, Vec<bool>)> {
        let mut object = Object::read(value)?;
        let count = object.required("count", integer(1..=10));
        let flags = object.required("flags", list(1..=3, boolean));
        object.finish(|| Some((count?, flags?)))
    }

    #[test]
    fn all_errors_are_reported_with_their_paths() {
        let errors =
            read(&json!({"count": 11, "flags": [true, 1, "x"], "more": null})).expect_err("wrong");
        let named: Vec<_> = errors
            .0
            .iter()
            .map(|error| (error.field.as_str(), error.code))
            .collect();
        assert_eq!(
            named,
            [
                ("count", "out_of_range"),
                ("flags[1]", "not_a_boolean"),
                ("flags[2]", "not_a_boolean"),
                ("more", "unknown_field")
            ]
        );
    }

    #[test]
    fn absent_and_null_differ_only_where_null_clears() {
        let value = json!({"a": null});
        let mut object = Object::read(&value).expect("object");
        assert_eq!(object.clearable("a", boolean), Some(None));
        assert_eq!(object.clearable("b", boolean), None);
        assert_eq!(object.optional("a", boolean), None);
        assert!(object.required("a", boolean).is_none());
    }

    #[test]
    fn a_text_that_lost_characters_is_refused() {
        for (text, named) in [
            ("\u{fffd}-1", "U+FFFD (character 1)"),
            ("\u{fc}\u{fdd0}", "U+FDD0 (character 2)"),
            ("a\u{fdef}", "U+FDEF"),
            ("a\u{ffff}", "U+FFFF"),
            ("a\u{1fffe}", "U+1FFFE"),
            ("a\u{10ffff}", "U+10FFFF"),
        ] {
            let value = json!(text);
            let error = &string(&value).expect_err(text).0[0];
            assert_eq!(error.code, "invalid_characters", "{text}");
            assert!(error.detail.contains(named), "{}", error.detail);
        }
        for text in [
            "",
            "\u{fffc}",
            "\u{fdcf}\u{fdf0}",
            "\u{1fffd}",
            "\u{10fffd}",
        ] {
            assert!(string(&json!(text)).is_ok(), "{text}");
        }
    }

    #[test]
    fn an_error_repeats_the_start_of_a_long_name() {
        let value = json!({"\u{fc}".repeat(10_000): 1});
        let errors = Object::read(&value)
            .and_then(|object| object.finish(|| Some(())))
            .expect_err("unknown");
        assert_eq!(errors.0[0].field.chars().count(), MAX_NAME + 1);
    }
}
