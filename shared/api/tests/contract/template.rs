//! Reads template.yaml: its resources, functions and permissions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A function of the template with its role.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) binary: String,
    /// `METHOD /path` of its HTTP events, without the default route.
    pub(crate) routes: BTreeSet<String>,
    /// Its other events by type, and the destination of failed asynchronous calls (`EventInvokeConfig`).
    pub(crate) triggers: Vec<(String, Value)>,
    /// Its own environment variables.
    pub(crate) environment: BTreeMap<String, Value>,
    /// Action and resource of each permission. A resource is a logical name, with a suffix such as `/index/gsi1` for the table, or
    /// the text of its ARN.
    pub(crate) permissions: BTreeSet<(String, String)>,
}

/// All functions of the template, by binary.
pub(crate) fn functions() -> BTreeMap<String, Function> {
    let template = tandem_testing::template();
    let resources = template["Resources"].as_object().expect("resources");
    let functions = resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function");
    let functions = functions.map(|(name, resource)| {
        let binary = tandem_testing::binary(resource);
        let properties = &resource["Properties"];
        let events = properties["Events"].as_object().into_iter().flatten();
        let (http, triggers): (Vec<_>, Vec<_>) = events
            .map(|(_, event)| event)
            .partition(|event| event["Type"] == "HttpApi");
        let route = |event: &Value| {
            format!(
                "{} {}",
                text(&event["Properties"]["Method"]),
                text(&event["Properties"]["Path"])
            )
        };
        let role = &resources[&referred(&properties["Role"])];
        let triggers = triggers
            .into_iter()
            .map(|event| (text(&event["Type"]), event["Properties"].clone()));
        let invoke = properties
            .get("EventInvokeConfig")
            .map(|config| ("EventInvokeConfig".to_owned(), config.clone()));
        let function = Function {
            name: name.clone(),
            binary: binary.clone(),
            routes: http
                .into_iter()
                .filter(|event| !is_default_route(event))
                .map(route)
                .collect(),
            triggers: triggers.chain(invoke).collect(),
            environment: members(&properties["Environment"]["Variables"]),
            permissions: permissions(role),
        };
        (binary, function)
    });
    functions.collect()
}

/// SAM makes an event of the API without method and path its default route.
pub(crate) fn is_default_route(event: &Value) -> bool {
    let properties = &event["Properties"];
    properties.get("Method").is_none() && properties.get("Path").is_none()
}

/// All resources, by logical name.
pub(crate) fn resources() -> BTreeMap<String, Value> {
    let template = tandem_testing::template();
    template["Resources"]
        .as_object()
        .expect("resources")
        .iter()
        .map(|(name, all)| (name.clone(), all.clone()))
        .collect()
}

/// The properties of the resources of a type, with their logical names.
pub(crate) fn of_type(kind: &str) -> Vec<(String, Value)> {
    let own = resources()
        .into_iter()
        .filter(|(_, resource)| resource["Type"] == kind);
    own.map(|(name, resource)| (name, resource["Properties"].clone()))
        .collect()
}

/// Every statement of every policy, with the name of its resource.
pub(crate) fn statements() -> Vec<(String, Value)> {
    fn collect(name: &str, value: &Value, found: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(members) => {
                if let Some(statements) = members.get("Statement") {
                    found.extend(
                        list(statements)
                            .into_iter()
                            .map(|statement| (name.to_owned(), statement)),
                    );
                }
                members
                    .values()
                    .for_each(|value| collect(name, value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(name, item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    resources()
        .iter()
        .for_each(|(name, resource)| collect(name, resource, &mut found));
    found
}

/// The statements that allow a role something: its own, and those of the managed policies that it names.
pub(crate) fn allowed(role: &Value) -> Vec<Value> {
    let own = list(&role["Policies"])
        .iter()
        .flat_map(|policy| list(&policy["PolicyDocument"]["Statement"]))
        .collect::<Vec<_>>();
    assert!(own.iter().all(|statement| statement["Effect"] == "Allow"));
    let managed = managed_policies(role)
        .into_iter()
        .flat_map(|name| list(&resources()[&name]["Properties"]["PolicyDocument"]["Statement"]));
    own.into_iter()
        .chain(managed.filter(|statement| statement["Effect"] == "Allow"))
        .collect()
}

/// The managed policies of a role, by logical name.
pub(crate) fn managed_policies(role: &Value) -> BTreeSet<String> {
    role.get("ManagedPolicyArns")
        .map(list)
        .unwrap_or_default()
        .iter()
        .map(referred)
        .collect()
}

/// Environment variables that all functions have.
pub(crate) fn global_environment() -> BTreeMap<String, Value> {
    members(&tandem_testing::template()["Globals"]["Function"]["Environment"]["Variables"])
}

fn permissions(role: &Value) -> BTreeSet<(String, String)> {
    let mut permissions = BTreeSet::new();
    for statement in allowed(&role["Properties"]) {
        for action in list(&statement["Action"]) {
            permissions.extend(
                list(&statement["Resource"])
                    .iter()
                    .map(|resource| (text(&action), referred(resource))),
            );
        }
    }
    permissions
}

/// The resource that a value names: `Table` for `!GetAtt Table.Arn`, `Table/index/gsi1` for `!Sub ${Table.Arn}/index/gsi1`.
pub(crate) fn referred(value: &Value) -> String {
    if let Some(name) = value["Ref"].as_str() {
        return name.to_owned();
    }
    if let Some(parts) = value["Fn::GetAtt"].as_array() {
        return text(&parts[0]);
    }
    let text = value["Fn::Sub"]
        .as_str()
        .or(value.as_str())
        .unwrap_or_else(|| panic!("{value} is not a reference"));
    text.replace("${Table.Arn}", "Table")
}

/// A list; a single value counts as a list of one.
pub(crate) fn list(value: &Value) -> Vec<Value> {
    value
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![value.clone()])
}

fn members(value: &Value) -> BTreeMap<String, Value> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is not a text"))
        .to_owned()
}
