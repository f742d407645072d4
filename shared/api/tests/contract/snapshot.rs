//! Writes computed examples into the text of docs/openapi.yaml.
//!
//! Only the value of an example is replaced; the rest of the text stays as it is. Members keep the order that the document has,
//! since `serde_json` sorts them; new members come last.

use serde_json::{Map, Value};
use serde_yaml_ng::Value as Yaml;

/// Longest line in flow style (`{a: 1, b: 2}`); longer mappings and lists become blocks.
const WIDTH: usize = 120;

/// The document with `value` as the value of an example. The document must have the example, at least as an empty entry.
pub(crate) fn with_example(document: &str, name: &str, value: &Value) -> String {
    let head = format!("\n    {name}:\n      value:");
    let section = document
        .find("\n  examples:\n")
        .expect("components.examples");
    let start = document[section..].find(&head).unwrap_or_else(|| {
        panic!("docs/openapi.yaml has no example {name}; add it with an empty `value:`")
    });
    let start = section + start + head.len();
    let old = document[start..]
        .split_inclusive('\n')
        .enumerate()
        .take_while(|(number, line)| *number == 0 || line.starts_with("     "))
        .map(|(_, line)| line)
        .collect::<String>();
    let order: Yaml = serde_yaml_ng::from_str(&format!("value:{old}")).expect("a YAML value");
    let new = tail("      value:", value, &order["value"], 8);
    format!(
        "{}{new}\n{}",
        &document[..start],
        &document[start + old.len()..]
    )
}

/// The text behind `prefix`: in flow style if the line is short enough, otherwise a block of lines below it.
fn tail(prefix: &str, value: &Value, order: &Yaml, indent: usize) -> String {
    let inline = match value {
        Value::String(text) => scalar(text, false),
        _ => flow(value, order),
    };
    if !is_collection(value) || prefix.len() + 1 + inline.chars().count() <= WIDTH {
        return format!(" {inline}");
    }
    format!("\n{}", block(value, order, indent).join("\n"))
}

fn block(value: &Value, order: &Yaml, indent: usize) -> Vec<String> {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(object) => members(object, order)
            .into_iter()
            .map(|(name, value, order)| {
                let prefix = format!("{pad}{name}:");
                let tail = tail(&prefix, value, order, indent + 2);
                prefix + &tail
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(number, item)| {
                let order = order.get(number).unwrap_or(&Yaml::Null);
                let inline = flow(item, order);
                if indent + 2 + inline.chars().count() <= WIDTH {
                    return format!("{pad}- {inline}");
                }
                let lines = block(item, order, indent + 2).join("\n");
                format!("{pad}- {}", lines.trim_start())
            })
            .collect(),
        _ => vec![format!("{pad}{}", flow(value, order))],
    }
}

fn flow(value: &Value, order: &Yaml) -> String {
    match value {
        Value::Object(object) => {
            let members = members(object, order)
                .into_iter()
                .map(|(name, value, order)| format!("{name}: {}", flow(value, order)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items = items
                .iter()
                .enumerate()
                .map(|(number, item)| flow(item, order.get(number).unwrap_or(&Yaml::Null)));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => scalar(text, true),
        plain => plain.to_string(),
    }
}

fn is_collection(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

fn members<'a>(
    object: &'a Map<String, Value>,
    order: &'a Yaml,
) -> Vec<(&'a str, &'a Value, &'a Yaml)> {
    let place = |name: &str| {
        order
            .as_mapping()
            .and_then(|known| known.keys().position(|key| key.as_str() == Some(name)))
            .unwrap_or(usize::MAX)
    };
    let mut members: Vec<_> = object
        .iter()
        .map(|(name, value)| (name.as_str(), value, order.get(name).unwrap_or(&Yaml::Null)))
        .collect();
    members.sort_by_key(|(name, _, _)| place(name));
    members
}

/// A text, quoted unless each YAML reader takes it for the same text.
fn scalar(text: &str, in_flow: bool) -> String {
    let words = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let plain = text.starts_with(|c: char| c.is_alphabetic())
        && text.trim() == text
        && !text.contains(char::is_control)
        && !words.contains(&text.to_lowercase().as_str())
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && !(in_flow && text.contains([',', '[', ']', '{', '}', ':']));
    if plain {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}
