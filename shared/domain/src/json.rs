//! Parses JSON within bounded memory. A text of 2 MiB can hold 300,000 empty objects; as values they take a hundred times as
//! much memory, more than the function has.

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;

/// The maximum number of values in a body: four times as many as an import of 1,000 complete orders has. Nested objects take
/// the most memory and bring the function to 57 MiB (`make bench-import` prints it).
const MAX_VALUES: usize = 100_000;

/// Parses JSON of at most 100,000 values and 127 levels.
pub fn parse(text: &[u8]) -> serde_json::Result<Value> {
    let mut values = 0;
    Count(&mut values).deserialize(&mut serde_json::Deserializer::from_slice(text))?;
    serde_json::from_slice(text)
}

/// Counts the values without storing them.
struct Count<'a>(&'a mut usize);

impl Count<'_> {
    fn one<E: serde::de::Error>(self) -> Result<(), E> {
        *self.0 += 1;
        if *self.0 > MAX_VALUES {
            Err(E::custom(format!("more than {MAX_VALUES} values")))
        } else {
            Ok(())
        }
    }
}

impl<'de> DeserializeSeed<'de> for Count<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Count<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.one()
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.one()
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.one()
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.one()
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.one()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.one()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Count(&mut *self.0))?.is_some() {}
        self.one().map_err(A::Error::custom::<A::Error>)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while members.next_key::<IgnoredAny>()?.is_some() {
            members.next_value_seed(Count(&mut *self.0))?;
        }
        self.one().map_err(A::Error::custom::<A::Error>)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_json_is_parsed_unchanged() {
        for text in [
            "null",
            " [1, -2, 2.5, 18446744073709551615, true, null, \"a\\u00e9\"]",
            r#"{"a": {"b": [{}, []]}}"#,
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
