//! Parses JSON within bounded memory, and without loss.
//!
//! A text of 2 MiB can hold 300,000 empty objects; as values they take a hundred times as much memory, more than the function
//! has. RFC 8259 leaves open which of two members with one name counts; I-JSON (RFC 7493) forbids them, and so does [`parse`].

use std::collections::HashSet;
use std::fmt::Write as _;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::input::{FieldError, MAX_NAME, shown};

/// The maximum number of values in a body: four times as many as an import of 1,000 complete orders has. Nested objects take
/// the most memory and bring the function to 57 MiB (`make bench-import` prints it).
const MAX_VALUES: usize = 100_000;
/// Repeated members that an error lists; the others are counted.
const MAX_REPEATED: usize = 1_000;

/// Steps of a path that an error names: no body of the API is as deep.
const MAX_STEPS: usize = 20;

/// The reason for which a text is refused.
#[derive(Debug, thiserror::Error)]
pub enum InvalidJson {
    #[error("{error}")]
    Syntax {
        /// The path of the value that cannot be read, e.g. `items[2].quantity`; empty for the whole text.
        field: String,
        error: serde_json::Error,
    },
    #[error("{} member(s) occur twice", .errors.len() + .more)]
    Repeated {
        errors: Vec<FieldError>,
        /// Repeated members that `errors` does not list.
        more: usize,
    },
}

/// Parses JSON of at most 100,000 values and 127 levels, in which no object has two members of one name.
pub fn parse(text: &[u8]) -> Result<Value, InvalidJson> {
    let mut scan = Scan::default();
    let value = Check(&mut scan)
        .deserialize(&mut serde_json::Deserializer::from_slice(text))
        .and_then(|()| serde_json::from_slice(text));
    match value {
        Err(error) => Err(InvalidJson::Syntax {
            field: if scan.path.len() > MAX_STEPS {
                String::new()
            } else {
                scan.field()
            },
            error,
        }),
        Ok(_) if !scan.repeated.is_empty() => Err(InvalidJson::Repeated {
            errors: scan.repeated,
            more: scan.more_repeated,
        }),
        Ok(value) => Ok(value),
    }
}

/// The progress of a check.
#[derive(Default)]
struct Scan {
    values: usize,
    /// The place that is being read. After an error it is the place of the error.
    path: Vec<Step>,
    repeated: Vec<FieldError>,
    more_repeated: usize,
}

enum Step {
    Member(String),
    Index(usize),
}

impl Scan {
    fn one<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.values += 1;
        if self.values > MAX_VALUES {
            Err(E::custom(format!("more than {MAX_VALUES} values")))
        } else {
            Ok(())
        }
    }

    fn field(&self) -> String {
        self.path.iter().fold(String::new(), |mut path, step| {
            // Writing into a String does not fail.
            let _ = match step {
                Step::Index(index) => write!(path, "[{index}]"),
                Step::Member(name) if path.is_empty() => write!(path, "{name}"),
                Step::Member(name) => write!(path, ".{name}"),
            };
            path
        })
    }

    fn note_repeated(&mut self) {
        if self.repeated.len() == MAX_REPEATED {
            self.more_repeated += 1;
            return;
        }
        self.repeated.push(FieldError {
            field: self.field(),
            code: "repeated_member",
            detail: "the object has two members of this name; send one".to_owned(),
        });
    }
}

/// Checks the values without storing them.
struct Check<'a>(&'a mut Scan);

impl<'de> DeserializeSeed<'de> for Check<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Check<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.0.one()
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.0.one()
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.0.one()
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.0.one()
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.0.one()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.0.one()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        for index in 0.. {
            self.0.path.push(Step::Index(index));
            if items.next_element_seed(Check(self.0))?.is_none() {
                break;
            }
            self.0.path.pop();
        }
        self.0.path.pop();
        self.0.one().map_err(A::Error::custom::<A::Error>)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            self.0.path.push(Step::Member(shown(&name, MAX_NAME)));
            if !names.insert(name) {
                self.0.note_repeated();
            }
            members.next_value_seed(Check(self.0))?;
            self.0.path.pop();
        }
        self.0.one().map_err(A::Error::custom::<A::Error>)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn valid_json_is_parsed_unchanged() {
        for text in [
            "null",
            " [1, -2, 2.5, 18446744073709551615, true, null, \"a\\u00e9\"]",
            r#"{"a": {"b": [{}, []]}}"#,
            r#"[{"a": 1}, {"a": 2, "b": {"a": 3}}]"#,
        ] {
            assert_eq!(
                parse(text.as_bytes()).expect(text),
                serde_json::from_str::<Value>(text).expect(text)
            );
        }
        for text in ["", "{", "[1,]", "{}x", "\u{feff}{}", "{\"a\": 01}"] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse(&[b'"', 0xff, b'"']).is_err(), "not UTF-8");
        assert!(parse("[".repeat(100_000).as_bytes()).is_err(), "too deep");
    }

    #[test]
    fn a_text_that_cannot_be_decoded_is_named() {
        let cases: [(&[u8], &str); 6] = [
            (
                br#"{"items": [{"id": "a"}, {"id": "\ud800"}]}"#,
                "items[1].id",
            ),
            (br#"{"items": [{"id": "\ud800\u0041"}]}"#, "items[0].id"),
            (br#"{"items": [{"id": "\udc00"}]}"#, "items[0].id"),
            (b"{\"items\": [{\"id\": \"\xff\"}]}", "items[0].id"),
            (br#"{"items": [{"a": 1, "\ud800": 1}]}"#, "items[0]"),
            (br#"{"a": [1, 2, x]}"#, "a[2]"),
        ];
        for (text, named) in cases {
            match parse(text) {
                Err(InvalidJson::Syntax { field, .. }) => assert_eq!(field, named),
                other => panic!("{named}: {other:?}"),
            }
        }
    }

    fn repeated(text: &str) -> Vec<String> {
        match parse(text.as_bytes()) {
            Err(InvalidJson::Repeated { errors, .. }) => {
                errors.into_iter().map(|error| error.field).collect()
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_repeated_member_is_named_with_its_path() {
        for (text, named) in [
            (r#"{"items": [1, 2], "items": [3]}"#, "items"),
            (
                r#"{"items": [{}, {}, {"quantity": 1, "quantity": 1}]}"#,
                "items[2].quantity",
            ),
            (r#"[[{"a": {"b": 1, "c": 2, "b": null}}]]"#, "[0][0].a.b"),
            // Escapes and letters of one name.
            (r#"{"a": 1, "\u0061": 2}"#, "a"),
        ] {
            assert_eq!(repeated(text), [named], "{text}");
        }
        assert_eq!(
            repeated(r#"{"a": 1, "a": {"b": 1, "b": 2}, "a": 3}"#),
            ["a", "a.b", "a"],
            "all of them"
        );
    }

    #[test]
    fn a_thousand_repeated_members_are_listed() {
        let text = format!("{{{}\"a\":1}}", "\"a\":1,".repeat(5_000));
        match parse(text.as_bytes()) {
            Err(InvalidJson::Repeated { errors, more }) => {
                assert_eq!((errors.len(), more), (1_000, 4_000));
            }
            other => panic!("{other:?}"),
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(|number| json!(number)),
            "[a-c\u{e9}\"]{0,3}".prop_map(|text| json!(text)),
        ];
        scalar.prop_recursive(4, 30, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c\"]{0,2}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// The text of a value, with the member of the `target`-th object repeated; counts the objects with members.
    fn text_with_repeat(value: &Value, target: usize, objects: &mut usize) -> String {
        match value {
            Value::Object(members) if !members.is_empty() => {
                let here = *objects == target;
                *objects += 1;
                let mut parts: Vec<String> = members
                    .iter()
                    .map(|(name, value)| {
                        let value = text_with_repeat(value, target, objects);
                        format!("{}:{value}", json!(name))
                    })
                    .collect();
                if here {
                    let name = members.keys().next().expect("a member");
                    parts.push(format!("{}:0", json!(name)));
                }
                format!("{{{}}}", parts.join(","))
            }
            Value::Array(items) => {
                let items: Vec<String> = items
                    .iter()
                    .map(|item| text_with_repeat(item, target, objects))
                    .collect();
                format!("[{}]", items.join(","))
            }
            plain => plain.to_string(),
        }
    }

    proptest! {
        #[test]
        fn one_repeated_member_anywhere_is_refused(value in value(), at in any::<prop::sample::Index>()) {
            let mut objects = 0;
            let plain = text_with_repeat(&value, usize::MAX, &mut objects);
            prop_assert_eq!(parse(plain.as_bytes()).expect("no repeats"), value.clone());
            if objects > 0 {
                let text = text_with_repeat(&value, at.index(objects), &mut 0);
                prop_assert_eq!(repeated(&text).len(), 1, "{}", text);
            }
        }
    }

    #[test]
    fn a_body_has_a_hundred_thousand_values_at_most() {
        let list = |values: usize| format!("[{}0]", "0,".repeat(values - 2));
        assert!(parse(list(MAX_VALUES).as_bytes()).is_ok());
        let error = parse(list(MAX_VALUES + 1).as_bytes()).expect_err("one too many");
        assert!(
            error.to_string().starts_with("more than 100000 values"),
            "{error}"
        );
        let objects = format!("[{}0]", r#"{"":{"":0}},"#.repeat(MAX_VALUES / 3));
        assert!(parse(objects.as_bytes()).is_err());
    }
}
