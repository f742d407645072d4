//! The parsed `template.yaml` and `data.yaml` as one deployment, so that tests and production do not differ.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use dynoxide::actions::create_table::CreateTableRequest;
use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;

const TEMPLATE: &str = include_str!("../../../template.yaml");
const DATA: &str = include_str!("../../../data.yaml");

/// The whole deployment, with CloudFormation's tags in their long form: `!Ref Table` is `{"Ref": "Table"}`, `!GetAtt Table.Arn`
/// is `{"Fn::GetAtt": ["Table", "Arn"]}`. The outputs of `data.yaml` replace the parameters of `template.yaml` with their names.
pub fn template() -> Value {
    let read = |text| plain(serde_yaml_ng::from_str(text).expect("a template is YAML"));
    joined(read(TEMPLATE), &read(DATA))
}

fn joined(mut template: Value, data: &Value) -> Value {
    let outputs: BTreeMap<&String, &Value> = members(&data["Outputs"])
        .map(|(name, output)| (name, &output["Value"]))
        .collect();
    for part in ["Parameters", "Conditions", "Resources"] {
        let all = template[part]
            .as_object_mut()
            .expect("a part of a template");
        if part == "Parameters" {
            for name in outputs.keys() {
                let parameter = all.remove(*name);
                assert!(parameter.is_some(), "template.yaml has no parameter {name}");
            }
        }
        for (name, value) in members(&data[part]) {
            let own = all.entry(name.clone()).or_insert_with(|| value.clone());
            assert_eq!(own, value, "{part} {name} of the two templates differ");
        }
    }
    with_outputs(template, &outputs)
}

/// The value with each reference to an output's name replaced by the output.
fn with_outputs(value: Value, outputs: &BTreeMap<&String, &Value>) -> Value {
    match value {
        Value::Object(all) => match all.get("Ref").and_then(Value::as_str) {
            Some(name) if outputs.contains_key(&name.to_owned()) => {
                outputs[&name.to_owned()].clone()
            }
            _ => all
                .into_iter()
                .map(|(name, value)| (name, with_outputs(value, outputs)))
                .collect(),
        },
        Value::Array(items) => items
            .into_iter()
            .map(|item| with_outputs(item, outputs))
            .collect(),
        Value::String(text) => {
            let replace = |text: String, (name, output): (&&String, &&Value)| {
                text.replace(&format!("${{{name}}}"), &interpolated(output))
            };
            Value::String(outputs.iter().fold(text, replace))
        }
        scalar => scalar,
    }
}

/// A reference as `Fn::Sub` spells it.
fn interpolated(reference: &Value) -> String {
    let parts = match &reference["Fn::GetAtt"] {
        Value::Array(parts) => parts.clone(),
        _ => vec![reference["Ref"].clone()],
    };
    let parts: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
    format!("${{{}}}", parts.join("."))
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The binary of a function of the template: the last part of its `CodeUri`, `dist/BINARY`.
///
/// # Panics
/// If the function has no such package.
pub fn binary(function: &Value) -> String {
    let package = function["Properties"]["CodeUri"].as_str();
    let binary = package.and_then(|package| package.strip_prefix("dist/"));
    binary.expect("a function's package").to_owned()
}

/// The request that creates the template's table under another name.
pub(crate) fn create_table(name: &str) -> CreateTableRequest {
    // Parsed once: a process creates thousands of tables.
    static PROPERTIES: LazyLock<Value> = LazyLock::new(table_properties);
    let properties = &*PROPERTIES;
    let mut request = json!({"TableName": name, "BillingMode": "PAY_PER_REQUEST"});
    for part in [
        "AttributeDefinitions",
        "KeySchema",
        "GlobalSecondaryIndexes",
    ] {
        request[part] = properties[part].clone();
    }
    serde_json::from_value(request).expect("data.yaml: the table's definition is complete")
}

fn table_properties() -> Value {
    let template = template();
    let resources = template["Resources"]
        .as_object()
        .expect("the deployment has resources");
    let mut tables = resources
        .values()
        .filter(|resource| resource["Type"] == "AWS::DynamoDB::Table");
    let table = tables.next().expect("data.yaml has a table");
    assert!(tables.next().is_none(), "data.yaml has exactly one table");
    table["Properties"].clone()
}

fn plain(value: Yaml) -> Value {
    match value {
        Yaml::Tagged(tagged) => long_form(
            tagged.tag.to_string().trim_start_matches('!'),
            plain(tagged.value),
        ),
        Yaml::Mapping(members) => {
            let member = |(name, value): (Yaml, Yaml)| {
                (
                    name.as_str().expect("a member's name").to_owned(),
                    plain(value),
                )
            };
            Value::Object(members.into_iter().map(member).collect())
        }
        Yaml::Sequence(items) => items.into_iter().map(plain).collect(),
        scalar => serde_json::to_value(scalar).expect("a scalar is JSON"),
    }
}

fn long_form(tag: &str, value: Value) -> Value {
    let (name, value) = match (tag, value) {
        ("Ref" | "Condition", value) => (tag.to_owned(), value),
        ("GetAtt", Value::String(text)) => ("Fn::GetAtt".to_owned(), text.splitn(2, '.').collect()),
        (_, value) => (format!("Fn::{tag}"), value),
    };
    Value::Object(Map::from_iter([(name, value)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_of_the_data_replace_parameters() {
        let template = json!({
            "Parameters": {"Arn": {}, "Name": {}, "Stage": {}},
            "Conditions": {},
            "Resources": {"A": [{"Ref": "Arn"}, {"Ref": "Name"}, {"Ref": "Stage"}, {"Fn::Sub": "${Arn}/${Name}/${Stage}"}]},
        });
        let data = json!({
            "Parameters": {"Stage": {}},
            "Resources": {"T": {}},
            "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["T", "Arn"]}}, "Name": {"Value": {"Ref": "T"}}},
        });
        let expected = json!({
            "Parameters": {"Stage": {}},
            "Conditions": {},
            "Resources": {
                "A": [{"Fn::GetAtt": ["T", "Arn"]}, {"Ref": "T"}, {"Ref": "Stage"}, {"Fn::Sub": "${T.Arn}/${T}/${Stage}"}],
                "T": {},
            },
        });
        assert_eq!(joined(template, &data), expected);
    }

    #[test]
    fn tags_are_parsed_into_their_long_form() {
        let yaml = "[!Ref A, !GetAtt A.B.C, !Sub 'x', !If [A, !Ref B, 1]]";
        let read = plain(serde_yaml_ng::from_str(yaml).expect("YAML"));
        let expected = json!([
            {"Ref": "A"},
            {"Fn::GetAtt": ["A", "B.C"]},
            {"Fn::Sub": "x"},
            {"Fn::If": ["A", {"Ref": "B"}, 1]},
        ]);
        assert_eq!(read, expected);
    }
}
