//! Metadata: pairs of texts that a client keeps with its own objects, for its own programs. Tandem never reads them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::input::{FieldErrors, MAX_NAME, Object, Parsed, shown};
use crate::text::Text;

pub const MAX_PAIRS: usize = 20;
/// Octets of all keys and values together, so that the rows of a purchase stay small.
pub const MAX_OCTETS: usize = 4_000;

/// Up to [`MAX_PAIRS`] pairs: keys of up to 40 characters, values of up to 500.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(BTreeMap<Text<40>, Text<500>>);

impl Metadata {
    /// Reads an object whose members are strings.
    pub fn parse(value: &Value) -> Parsed<Self> {
        Object::read(value)?;
        let members = value.as_object().into_iter().flatten();
        let mut errors = FieldErrors::default();
        let mut pairs = BTreeMap::new();
        let mut count = 0;
        for (name, value) in members {
            count += 1;
            let key = Text::parse(&Value::from(name.as_str()));
            let (key, value) = match (key, Text::parse(value)) {
                (Ok(key), Ok(value)) => (key, value),
                (key, value) => {
                    let wrong = [key.err(), value.err()].into_iter().flatten();
                    let wrong = wrong.flat_map(|wrong| wrong.under(&shown(name, MAX_NAME)).0);
                    errors.0.extend(wrong);
                    continue;
                }
            };
            if pairs.insert(key, value).is_some() {
                let detail = "another key is the same text in Unicode normalization form C";
                let repeated = FieldErrors::at(shown(name, MAX_NAME), "repeated", detail);
                errors.0.extend(repeated.0);
            }
        }
        if count > MAX_PAIRS {
            let detail = format!("must have 0 to {MAX_PAIRS} entries, found {count}");
            errors.0.extend(FieldErrors::one("wrong_length", detail).0);
        }
        let metadata = Self(pairs);
        if metadata.octets() > MAX_OCTETS {
            let detail = format!("keys and values must have at most {MAX_OCTETS} octets in UTF-8");
            errors.0.extend(FieldErrors::one("too_long", detail).0);
        }
        if errors.0.is_empty() {
            Ok(metadata)
        } else {
            Err(errors)
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn octets(&self) -> usize {
        let pairs = self.0.iter();
        pairs
            .map(|(key, value)| key.as_str().len() + value.as_str().len())
            .sum()
    }
}

/// The metadata after an edit: replaced as a whole, cleared by `null`.
pub(crate) fn edited(edit: Option<Option<Metadata>>, before: Metadata) -> Metadata {
    edit.map_or(before, Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn codes(value: &Value) -> Vec<(String, &'static str)> {
        let errors = Metadata::parse(value).expect_err("wrong").0.into_iter();
        let mut codes: Vec<_> = errors.map(|error| (error.field, error.code)).collect();
        codes.sort_unstable();
        codes
    }

    #[test]
    fn pairs_are_kept_as_they_are() {
        let pairs = json!({"campaign": "spring 2027", "kürzel": "ä", " shelf ": "A-1"});
        let metadata = Metadata::parse(&pairs).expect("metadata");
        assert_eq!(
            json!(metadata),
            json!({"campaign": "spring 2027", "kürzel": "ä", "shelf": "A-1"})
        );
        assert!(Metadata::parse(&json!({})).expect("metadata").is_empty());
    }

    #[test]
    fn each_wrong_pair_is_named() {
        let long = "k".repeat(41);
        let wrong = json!({"a": 1, "b": "", "c": "x".repeat(501), &long: "x", "ok": "x", "": "x"});
        let named = |field: &str, code| (field.to_owned(), code);
        assert_eq!(
            codes(&wrong),
            [
                named("", "empty"),
                named("a", "not_a_string"),
                named("b", "empty"),
                named("c", "too_long"),
                named(&long, "too_long"),
            ]
        );
        assert_eq!(codes(&json!(["a"])), [named("", "not_an_object")]);
        assert_eq!(
            codes(&json!({"\u{e9}": "x", "e\u{301}": "x"})),
            [named("\u{e9}", "repeated")]
        );
    }

    #[test]
    fn pairs_and_octets_are_bounded() {
        let pairs = |count: usize, value: &str| -> Value {
            (0..count)
                .map(|number| (format!("k{number:02}"), Value::from(value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        assert!(Metadata::parse(&pairs(MAX_PAIRS, "x")).is_ok());
        assert_eq!(
            codes(&pairs(MAX_PAIRS + 1, "x")),
            [(String::new(), "wrong_length")]
        );
        // Eight pairs of three and 497 octets.
        assert!(Metadata::parse(&pairs(8, &"x".repeat(497))).is_ok());
        assert_eq!(
            codes(&pairs(8, &"ü".repeat(249))),
            [(String::new(), "too_long")]
        );
    }

    proptest! {
        #[test]
        fn stored_metadata_is_read_as_it_was_written(pairs in prop::collection::btree_map("[a-z]{1,40}", "[a-zäöü ]{0,20}x", 0..=20)) {
            let metadata = Metadata::parse(&json!(pairs)).expect("metadata");
            let read: Metadata = serde_json::from_value(json!(metadata)).expect("metadata");
            prop_assert_eq!(read, metadata);
        }
    }
}
