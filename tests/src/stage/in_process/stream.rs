//! The table's stream: passes rows through the template's filters to the relay.

use std::sync::{LazyLock, PoisonError};

use serde_json::{Value, json};
use tandem_testing::template;

use super::{InProcess, Streamed};

/// The patterns of the relay's event source.
static PATTERNS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let template = template();
    let events = &template["Resources"]["RelayOutboxFunction"]["Properties"]["Events"];
    let filters = &events["FreshRows"]["Properties"]["FilterCriteria"]["Filters"];
    let filters = filters.as_array().expect("filters").iter();
    let pattern = |filter: &Value| {
        let text = filter["Pattern"].as_str().expect("a pattern");
        serde_json::from_str(text).expect("JSON")
    };
    filters.map(pattern).collect()
});

/// Whether a record passes a filter of Lambda.
fn matches(pattern: &Value, value: Option<&Value>) -> bool {
    match pattern {
        Value::Object(members) => members.iter().all(|(name, pattern)| {
            let member = value.and_then(|value| value.get(name));
            matches(pattern, member)
        }),
        Value::Array(any) => any.iter().any(|one| match one.get("exists") {
            Some(exists) => exists == value.is_some(),
            None => value == Some(one),
        }),
        other => panic!("not a pattern: {other}"),
    }
}

/// A row as it is in a record: only texts and numbers, as filters and relay read them.
fn image(row: &Value) -> Value {
    let members = row.as_object().expect("a row").iter();
    let member = |(name, value): (&String, &Value)| match value {
        Value::String(text) => Some((name.clone(), json!({"S": text}))),
        Value::Number(number) => Some((name.clone(), json!({"N": number.to_string()}))),
        _ => None,
    };
    members.filter_map(member).collect()
}

impl InProcess {
    /// Passes the rows that changed since the last call to the relay, as far as the template's filters let them pass.
    pub async fn relay(&self) {
        let records: Vec<Value> = self
            .changed()
            .into_iter()
            .filter(|record| PATTERNS.iter().any(|one| matches(one, Some(record))))
            .collect();
        if records.is_empty() {
            return;
        }
        let event = serde_json::from_value(json!({"Records": records}));
        let relayed = self.relay.relay(event.expect("a stream's event")).await;
        relayed.expect("relayed");
    }

    fn changed(&self) -> Vec<Value> {
        let seen = &mut *self.streamed.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = self.table.dump();
        rows.iter().filter_map(|row| record(row, seen)).collect()
    }
}

/// The record of a row that is new, or has another version or mark; `None` for others.
fn record(row: &Value, seen: &mut Streamed) -> Option<Value> {
    let text = |name: &str| row[name].as_str().expect("a key").to_owned();
    let version = ["version", "sweptAt"].map(|name| row[name].as_u64());
    let before = seen.insert((text("pk"), text("sk")), version);
    let kind = match before {
        None => "INSERT",
        Some(before) if before != version => "MODIFY",
        Some(_) => return None,
    };
    let image = image(row);
    let keys = json!({"pk": image["pk"], "sk": image["sk"]});
    let change = json!({"Keys": keys, "NewImage": image, "SizeBytes": 1});
    Some(
        json!({"eventName": kind, "awsRegion": "eu-central-1", "eventID": "1", "dynamodb": change}),
    )
}
