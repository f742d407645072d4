//! Rows and answers without what differs from run to run: random ids, secrets and sealed texts, and, where retries take their
//! time, times and counts of tries.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// What may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    /// Nothing that is told by a clock: the retry came at the same time.
    Same,
    /// Times, and how often workers tried.
    Differ,
}

/// Rows as text, in an order of their own. Ids that `before` did not have are numbered in the order in which they occur, so
/// that what refers to what is still compared.
pub(crate) fn rows(rows: &[Value], before: &str, times: Times) -> Vec<String> {
    let mut rows: Vec<(String, Value)> = rows
        .iter()
        .filter(|row| times == Times::Same || !text(row, "sk").starts_with("attempt#"))
        .map(|row| {
            let row = bare(row.clone(), times);
            (
                numbered(&row.to_string(), before, &mut |_| "new".to_owned()),
                row,
            )
        })
        .collect();
    rows.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut number = |id: &str| {
        let next = numbers.len();
        format!("new{}", numbers.entry(id.to_owned()).or_insert(next))
    };
    rows.into_iter()
        .map(|(_, row)| numbered(&row.to_string(), before, &mut number))
        .collect()
}

/// An answer's body as text.
pub(crate) fn answer(body: &Value, before: &str) -> String {
    numbered(
        &secretless(body.clone(), Times::Same).to_string(),
        before,
        &mut |_| "new".to_owned(),
    )
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}

fn bare(mut row: Value, times: Times) -> Value {
    let kind = text(&row, "sk")
        .split('#')
        .next()
        .unwrap_or_default()
        .to_owned();
    if let Some(members) = row.as_object_mut() {
        members.remove("dueShard");
        // Which of the partitions of a list an imported row is in follows from its random id.
        if let Some(Value::String(list)) = members.get_mut("gsi1pk").filter(|_| is_spread(&kind)) {
            list.truncate(
                list.trim_end_matches(|letter: char| letter.is_ascii_digit())
                    .len(),
            );
        }
        if times == Times::Differ {
            // A worker's try that failed is a try more, and a version more.
            let worked_on = matches!(kind.as_str(), "callback" | "mail" | "chunk" | "promise");
            for name in ["version", "tries", "attempts"]
                .into_iter()
                .filter(|_| worked_on)
            {
                members.remove(name);
            }
            // How often an endpoint failed or let wait is how often its callbacks were attempted to the end.
            if kind == "endpoint" {
                for name in ["version", "failures", "waits", "pauses"] {
                    members.remove(name);
                }
                // A probe whose worker died is over when its lease is, like a pause.
                if let Some(circuit) = members
                    .get_mut("circuit")
                    .filter(|circuit| circuit["is"] == "probing")
                {
                    *circuit = json!({"is": "open", "until": circuit["until"]});
                }
            }
            members.remove("expiresAt");
            // The mail about an exhausted callback tells how often it was tried.
            if let Some(about) = members.get_mut("kind").and_then(Value::as_object_mut) {
                about.remove("attempts");
            }
        }
    }
    secretless(row, times)
}

/// `cli_…#orders#7`, but not the id in `cli_…#pay_…`.
fn is_spread(kind: &str) -> bool {
    matches!(kind, "order" | "subscription")
}

fn secretless(value: Value, times: Times) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| member(name, value, times))
                .collect(),
        ),
        Value::Array(values) => values
            .into_iter()
            .map(|value| secretless(value, times))
            .collect(),
        Value::String(text) if text.starts_with("tdm_") || text.starts_with("whsec_") => {
            "secret".into()
        }
        Value::String(text)
            if times == Times::Differ && text.parse::<jiff::Timestamp>().is_ok() =>
        {
            "time".into()
        }
        other => other,
    }
}

fn member(name: String, value: Value, times: Times) -> (String, Value) {
    let value = if name.starts_with("sealed") {
        "sealed".into()
    } else {
        secretless(value, times)
    };
    (name, value)
}

/// Replaces what is random and was not there before: ids, hashes, the public parts of keys.
fn numbered(text: &str, before: &str, name: &mut dyn FnMut(&str) -> String) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut word = String::new();
    for letter in text.chars().chain(['"']) {
        if letter.is_ascii_alphanumeric() {
            word.push(letter);
            continue;
        }
        // 16 letters are the public part of a key, 32 an id, 64 a hash; names of members have capitals.
        let random = matches!(word.len(), 16 | 32 | 64)
            && !word.bytes().any(|byte| byte.is_ascii_uppercase());
        plain.push_str(&if random && !before.contains(&word) {
            name(&word)
        } else {
            word.clone()
        });
        word.clear();
        plain.push(letter);
    }
    plain
}

/// The rows of a kind.
pub(crate) fn of_kind<'a>(rows: &'a [Value], kind: &str) -> Vec<&'a Map<String, Value>> {
    rows.iter()
        .filter(|row| text(row, "sk").split('#').next() == Some(kind))
        .filter_map(Value::as_object)
        .collect()
}
