//! The log of attempts in dumped rows.

use serde_json::{Map, Value};

/// The attempts of a callback's row: those in the row itself, and those that have rows of their own.
pub fn attempts_of<'a>(
    callback: &'a Map<String, Value>,
    rows: impl IntoIterator<Item = &'a Value>,
) -> Vec<&'a Value> {
    let in_row = callback.get("log").and_then(Value::as_array);
    let has_row = |row: &&Value| {
        Some(&row["pk"]) == callback.get("pk")
            && row["sk"]
                .as_str()
                .is_some_and(|sk| sk.starts_with("attempt#"))
    };
    in_row
        .into_iter()
        .flatten()
        .chain(rows.into_iter().filter(has_row))
        .collect()
}
