//! Access to rows of API keys. A role that can write such a row can act as any client, so only the functions that need them have
//! access.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::source::{Sources, crate_of, root};
use crate::template::{
    allowed, functions, list, managed_policies, of_type, resources, statements, text,
};

/// Actions whose request names partition keys. Others (`Scan`, PartiQL) name none, so a condition on keys would not restrict them.
const BY_KEYS: &[&str] = &[
    "GetItem",
    "BatchGetItem",
    "Query",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "ConditionCheckItem",
];
/// Actions of Lambda on the table's stream.
const STREAM: &[&str] = &[
    "DescribeStream",
    "GetRecords",
    "GetShardIterator",
    "ListStreams",
];

/// Whether a function's code loads API keys.
fn needs_api_keys(function: &str) -> bool {
    let sources = Sources::get();
    let own: Vec<&str> = sources
        .beneath(&format!("{}::", crate_of(function)))
        .map(|(path, _)| path)
        .collect();
    sources
        .reach(own, |_| false)
        .keys()
        .any(|path| path.starts_with("tandem_store::keys::tenancy::api_key"))
}

#[test]
fn only_functions_that_need_api_keys_may_access_their_rows() {
    let mut allowed = BTreeSet::new();
    for (name, function) in functions() {
        let role = &resources()[&function.name.replace("Function", "Role")]["Properties"];
        let refused = managed_policies(role).contains("LeaveApiKeysAlone");
        assert_ne!(refused, needs_api_keys(&name), "{name}");
        allowed.extend((!refused).then_some(name));
    }
    assert_eq!(
        allowed,
        ["account", "authorize", "tenants"]
            .map(str::to_owned)
            .into()
    );
}

#[test]
fn the_policy_denies_every_row_and_list_of_api_keys() {
    let policy = &resources()["LeaveApiKeysAlone"]["Properties"];
    let [statement] = list(&policy["PolicyDocument"]["Statement"])
        .try_into()
        .expect("one statement");
    let expected = json!({
        "Sid": "RefuseApiKeys",
        "Effect": "Deny",
        "Action": "dynamodb:*",
        "Resource": [{"Fn::GetAtt": ["Table", "Arn"]}, {"Fn::Sub": "${Table.Arn}/index/*"}],
        "Condition": {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["key#*", "*#keys"]}},
    });
    assert_eq!(statement, expected);
}

/// The policy denies by key prefix and suffix, so no other row or list may have such keys.
#[test]
fn the_denied_keys_match_rows_of_api_keys_only() {
    let files = std::fs::read_dir(root().join("shared/store/src/keys")).expect("the store");
    let texts =
        files.map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("text"));
    let all: Vec<String> = texts
        .flat_map(|text| {
            text.split('"')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    let such: Vec<&String> = all
        .iter()
        .filter(|text| text.starts_with("key#") || text.ends_with("#keys"))
        .collect();
    assert_eq!(such, ["key#{key_id}", "{client}#keys"]);
}

/// Another test checks the conditions of KMS permissions.
#[test]
fn only_the_authorizers_write_permission_has_a_condition() {
    let keys_alone = json!({
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["key#*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    });
    for (name, role) in of_type("AWS::IAM::Role") {
        for statement in allowed(&role) {
            let actions: Vec<String> = list(&statement["Action"]).iter().map(text).collect();
            let writes = name == "AuthorizeRole"
                && actions.iter().any(|action| action == "dynamodb:PutItem");
            let expected = if writes { &keys_alone } else { &Value::Null };
            let of_keys_or_mails = ["kms:", "ses:"]
                .iter()
                .any(|service| actions.iter().all(|action| action.starts_with(service)));
            if !of_keys_or_mails {
                assert_eq!(&statement["Condition"], expected, "{name}: {actions:?}");
            }
        }
    }
}

#[test]
fn every_table_permission_names_keys() {
    for (name, statement) in statements()
        .into_iter()
        .filter(|(_, statement)| statement["Effect"] == "Allow")
    {
        for action in list(&statement["Action"]).iter().map(text) {
            if let Some(action) = action.strip_prefix("dynamodb:") {
                assert!(
                    BY_KEYS.contains(&action) || STREAM.contains(&action),
                    "{name}: {action}"
                );
            }
        }
    }
}
