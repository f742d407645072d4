//! The parsed `template.yaml`, so that tests and production do not differ.

use std::sync::LazyLock;

use dynoxide::actions::create_table::CreateTableRequest;
use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// The whole template, with CloudFormation's tags in their long form: `!Ref Table` is `{"Ref": "Table"}`, `!GetAtt Table.Arn`
/// is `{"Fn::GetAtt": ["Table", "Arn"]}`.
pub fn template() -> Value {
    plain(serde_yaml_ng::from_str(TEMPLATE).expect("template.yaml is YAML"))
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
    serde_json::from_value(request).expect("template.yaml: the table's definition is complete")
}

fn table_properties() -> Value {
    let template = template();
    let resources = template["Resources"]
        .as_object()
        .expect("template.yaml has resources");
    let mut tables = resources
        .values()
        .filter(|resource| resource["Type"] == "AWS::DynamoDB::Table");
    let table = tables.next().expect("template.yaml has a table");
    assert!(
        tables.next().is_none(),
        "template.yaml has exactly one table"
    );
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
