//! Normalises rows and answers: removes random ids, secrets and sealed texts and, where retries take time, times and attempt
//! counts.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// The differences to ignore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    /// No times: the retry ran at the same time.
    Same,
    /// Times and attempt counts.
    Differ,
}

/// Rows as sorted text. Ids that are not in `before` are numbered in order of occurrence, so that references are still
/// compared.
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
        for name in ["dueShard", "sweepAt", "sweptAt"] {
            members.remove(name);
        }
        // The partition of a spread list follows from the row's random id, and the octets of a put are random.
        for name in ["gsi1pk", "gsi2pk"] {
            if let Some(Value::String(list)) = members.get_mut(name).filter(|_| is_spread(&kind)) {
                list.truncate(list.trim_end_matches(|c: char| c.is_ascii_digit()).len());
            }
        }
        members.remove("commit");
        if times == Times::Differ {
            // A failed attempt of a worker adds an attempt and a version.
            let worked_on = matches!(kind.as_str(), "callback" | "mail" | "chunk" | "promise");
            for name in ["version", "tries", "attempts", "log"]
                .into_iter()
                .filter(|_| worked_on)
            {
                members.remove(name);
            }
            // An endpoint's counts of failures and slow answers follow from the number of finished attempts.
            if kind == "endpoint" {
                for name in ["version", "failures", "waits", "pauses"] {
                    members.remove(name);
                }
                // The probe of a dead worker ends with its lease, like a pause.
                if let Some(circuit) = members
                    .get_mut("circuit")
                    .filter(|circuit| circuit["is"] == "probing")
                {
                    *circuit = json!({"is": "open", "until": circuit["until"]});
                }
            }
            members.remove("expiresAt");
            // The mail about an exhausted callback states the number of attempts.
            if let Some(about) = members.get_mut("kind").and_then(Value::as_object_mut) {
                about.remove("attempts");
            }
        }
    }
    secretless(row, times)
}

/// `cli_…#orders#7`, but not the id in `cli_…#pay_…`.
fn is_spread(kind: &str) -> bool {
    matches!(kind, "order" | "subscription" | "callback" | "payout")
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

/// Replaces new random parts: ids, hashes, the public parts of keys.
fn numbered(text: &str, before: &str, name: &mut dyn FnMut(&str) -> String) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut word = String::new();
    for character in text.chars().chain(['"']) {
        if character.is_ascii_alphanumeric() {
            word.push(character);
            continue;
        }
        // 16 characters are the public part of a key, 32 an id, 64 a hash; member names have capitals.
        let random = matches!(word.len(), 16 | 32 | 64)
            && !word.bytes().any(|byte| byte.is_ascii_uppercase());
        plain.push_str(&if random && !before.contains(&word) {
            name(&word)
        } else {
            word.clone()
        });
        word.clear();
        plain.push(character);
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
