//! The table as `template.yaml` defines it, so that tests and production cannot differ.

use dynoxide::actions::create_table::CreateTableRequest;
use serde_json::{Value, json};

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// The request that makes the template's one table under another name.
pub(crate) fn create_table(name: &str) -> CreateTableRequest {
    let properties = table_properties();
    let mut request = json!({"TableName": name, "BillingMode": "PAY_PER_REQUEST"});
    for part in ["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"] {
        request[part] = properties[part].clone();
    }
    serde_json::from_value(request).expect("template.yaml: the table's definition is complete")
}

/// The table's properties; CloudFormation's tags (`!Ref`, `!If`) are read as plain values.
pub(crate) fn table_properties() -> Value {
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(TEMPLATE).expect("template.yaml is YAML");
    let resources = template["Resources"].as_mapping().expect("template.yaml has resources");
    let mut tables = resources.values().filter(|resource| resource["Type"] == "AWS::DynamoDB::Table");
    let table = tables.next().expect("template.yaml has a table");
    assert!(tables.next().is_none(), "template.yaml has exactly one table");
    serde_json::to_value(&table["Properties"]).expect("the table's properties are JSON")
}
