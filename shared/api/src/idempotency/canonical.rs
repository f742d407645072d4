//! The text of a body from which its fingerprint is computed.

use serde_json::Value;
use tandem_domain::input::whole_number;

/// JSON with sorted members and without spaces: equal content gives equal text. Members that are `null` are left out, unless
/// `null` clears them, and whole numbers have one form.
pub(super) fn canonical(value: &Value, clearable: &[&str]) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members
                .iter()
                .filter(|(name, value)| !value.is_null() || clearable.contains(&name.as_str()))
                .collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            let members: Vec<String> = members
                .into_iter()
                .map(|(name, value)| {
                    let value = canonical(value, clearable);
                    format!("{}:{value}", Value::from(name.as_str()))
                })
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| canonical(item, clearable))
                .collect();
            format!("[{}]", items.join(","))
        }
        plain => match whole_number(plain).flatten() {
            Some(number) => number.to_string(),
            None => plain.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn equal_content_has_equal_canonical_text() {
        let a: Value =
            serde_json::from_str(r#"{"b": [1, {"d": 2, "c": "ü"}], "a": false}"#).expect("JSON");
        assert_eq!(canonical(&a, &[]), r#"{"a":false,"b":[1,{"c":"ü","d":2}]}"#);
        assert_ne!(
            canonical(&json!({"a": 1}), &[]),
            canonical(&json!({"a": "1"}), &[])
        );
    }

    #[test]
    fn null_counts_as_absent_unless_it_clears() {
        let clearable = &["phone"];
        for (a, b, equal) in [
            (json!({"a": null}), json!({}), true),
            (json!({"a": {"b": null}}), json!({"a": {}}), true),
            (
                json!({"a": [{"b": null, "c": 1}]}),
                json!({"a": [{"c": 1}]}),
                true,
            ),
            (json!({"a": 20.0}), json!({"a": 20}), true),
            (json!({"phone": null}), json!({}), false),
            (json!({"a": [null]}), json!({"a": []}), false),
            (json!({"a": 20.5}), json!({"a": 20}), false),
            (json!({"a": false}), json!({}), false),
        ] {
            assert_eq!(
                canonical(&a, clearable) == canonical(&b, clearable),
                equal,
                "{a} {b}"
            );
        }
    }
}
