//! Security rules of the template: one role per function, bounded permissions, encryption with the deployment's own key, no
//! secrets in plain text.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::functions::key_service;
use crate::template::{
    allowed, list, managed_policies, of_type, referred, resources, statements, text,
};

/// Wildcards in policies: the resource, the statement's `Sid`, the element with the wildcard, and the reason.
const REASONS: &[(&str, &str, &str, &str)] = &[
    (
        "*QueuePolicy",
        "RefuseUnencryptedTransport",
        "Principal",
        "a refusal is for everyone",
    ),
    (
        "*QueuePolicy",
        "RefuseUnencryptedTransport",
        "Action",
        "a refusal is of everything",
    ),
    (
        "LeaveApiKeysAlone",
        "RefuseApiKeys",
        "Action",
        "a refusal is of everything",
    ),
    (
        "LeaveApiKeysAlone",
        "RefuseApiKeys",
        "Resource",
        "a refusal is for every index, including future ones",
    ),
    (
        "RolloutRole",
        "MoveAliases",
        "Resource",
        "the functions of this stack, by their common prefix",
    ),
    (
        "RolloutRole",
        "WatchAlarms",
        "Resource",
        "reads states of alarms; CodeDeploy asks for several in one call",
    ),
    (
        "SendMailsRole",
        "SendAsMailSender",
        "Resource",
        "the sender's or its domain's identity is checked, in the sandbox the recipient's too; the condition names the sender",
    ),
    (
        "EncryptionKey",
        "TheAccountDecides",
        "Action",
        "without it nobody could manage the key; IAM policies decide the rest",
    ),
    (
        "EncryptionKey",
        "TheAccountDecides",
        "Resource",
        "in a key's own policy this is that key; another cannot be named",
    ),
    (
        "EncryptionKey",
        "FailedEventsOfMails",
        "Resource",
        "in a key's own policy this is that key; another cannot be named",
    ),
];

/// Whether a part of a statement has a wildcard. Log streams of the function's own log group do not count: their names are not
/// known in advance.
fn has_wildcard(part: &Value) -> bool {
    match part {
        Value::String(text) => {
            let known = text.contains(":log-group:/aws/lambda/${AWS::StackName}-");
            if known {
                text.trim_end_matches(":*").contains('*')
            } else {
                text.contains('*')
            }
        }
        Value::Array(items) => items.iter().any(has_wildcard),
        Value::Object(members) => members.values().any(has_wildcard),
        _ => false,
    }
}

#[test]
fn every_wildcard_has_a_reason_in_the_list() {
    let mut used = BTreeSet::new();
    for (name, statement) in statements() {
        let sid = statement["Sid"].as_str().unwrap_or_default();
        for part in ["Principal", "Action", "Resource"]
            .iter()
            .filter(|part| has_wildcard(&statement[**part]))
        {
            let fits = |reason: &&(&str, &str, &str, &str)| {
                let (resource, of_sid, of_part, _) = reason;
                let named = resource
                    .strip_prefix('*')
                    .map_or(*resource == name, |end| name.ends_with(end));
                named && *of_sid == sid && of_part == part
            };
            let reason = REASONS.iter().position(|reason| fits(&reason));
            assert!(
                reason.is_some(),
                "{name}: {part} of {statement} has a wildcard without a reason"
            );
            used.extend(reason);
        }
        assert!(
            statement
                .get("NotAction")
                .or(statement.get("NotResource"))
                .or(statement.get("NotPrincipal"))
                .is_none()
        );
    }
    assert_eq!(
        used.len(),
        REASONS.len(),
        "remove the reasons without a wildcard"
    );
}

#[test]
fn every_function_has_a_role_of_its_own() {
    let functions = of_type("AWS::Serverless::Function");
    assert!(functions.len() > 15);
    for (name, properties) in &functions {
        assert_eq!(
            referred(&properties["Role"]),
            name.replace("Function", "Role"),
            "{name}"
        );
        assert_eq!(
            (
                properties.get("Policies"),
                properties.get("PermissionsBoundary")
            ),
            (None, None),
            "{name}"
        );
    }
    let shared = ["LeaveApiKeysAlone", "UseDataKey"]
        .map(str::to_owned)
        .into();
    for (name, role) in of_type("AWS::IAM::Role") {
        assert!(managed_policies(&role).is_subset(&shared), "{name}");
    }
}

#[test]
fn every_queue_refuses_unencrypted_transport() {
    let policies = of_type("AWS::SQS::QueuePolicy");
    for (queue, _) in of_type("AWS::SQS::Queue") {
        let of_queue = policies.iter().filter(|(_, policy)| {
            list(&policy["Queues"])
                .iter()
                .any(|of| referred(of) == queue)
        });
        let refuses = of_queue
            .flat_map(|(_, policy)| list(&policy["PolicyDocument"]["Statement"]))
            .any(|statement| {
                let everyone = statement["Effect"] == "Deny"
                    && statement["Principal"] == "*"
                    && statement["Action"] == "sqs:*";
                let unencrypted = json!({"Bool": {"aws:SecureTransport": "false"}});
                everyone
                    && referred(&statement["Resource"]) == queue
                    && statement["Condition"] == unencrypted
            });
        assert!(refuses, "{queue}");
    }
}

#[test]
fn stored_data_is_encrypted_with_the_deployments_own_key() {
    let keys = of_type("AWS::KMS::Key");
    let [(key, properties)] = keys.as_slice() else {
        panic!("one key")
    };
    assert_eq!(
        (key.as_str(), &properties["EnableKeyRotation"]),
        ("EncryptionKey", &json!(true))
    );
    let [(_, alias)] = of_type("AWS::KMS::Alias").try_into().expect("one alias");
    assert_eq!(referred(&alias["TargetKeyId"]), *key);
    for (table, properties) in of_type("AWS::DynamoDB::Table") {
        let encryption = &properties["SSESpecification"];
        assert_eq!(
            (&encryption["SSEEnabled"], &encryption["SSEType"]),
            (&json!(true), &json!("KMS")),
            "{table}"
        );
        assert_eq!(referred(&encryption["KMSMasterKeyId"]), *key, "{table}");
    }
    for (kind, member) in [
        ("AWS::SQS::Queue", "KmsMasterKeyId"),
        ("AWS::SecretsManager::Secret", "KmsKeyId"),
    ] {
        let all = of_type(kind);
        assert!(!all.is_empty(), "{kind}");
        for (name, properties) in all {
            assert_eq!(referred(&properties[member]), *key, "{name}");
        }
    }
    for name in ["EncryptionKey", "Table", "DataKey"] {
        // A first deployment that fails deletes what it created; otherwise the next attempt would find the old ones.
        assert_eq!(
            resources()[name]["DeletionPolicy"],
            "RetainExceptOnCreate",
            "{name}"
        );
        assert_eq!(resources()[name]["UpdateReplacePolicy"], "Retain", "{name}");
    }
}

#[test]
fn roles_use_the_key_only_through_the_services_they_call() {
    for (name, role) in of_type("AWS::IAM::Role") {
        let (mut reached, mut through) = (BTreeSet::new(), BTreeSet::new());
        for statement in allowed(&role) {
            let actions: Vec<String> = list(&statement["Action"]).iter().map(text).collect();
            reached.extend(
                actions
                    .iter()
                    .filter_map(|action| key_service(action))
                    .map(str::to_owned),
            );
            if actions.iter().any(|action| action.starts_with("kms:")) {
                let services = list(&statement["Condition"]["StringEquals"]["kms:ViaService"]);
                let word = |service: &Value| {
                    text(&service["Fn::Sub"]).replace(".${AWS::Region}.${AWS::URLSuffix}", "")
                };
                through.extend(services.iter().map(word));
            }
        }
        assert_eq!(through, reached, "{name}");
    }
}

#[test]
fn in_production_no_callback_goes_inside_the_network() {
    let template = tandem_testing::template();
    let (targets, stage) = (
        json!({"Ref": "LocalCallbackTargets"}),
        &template["Parameters"]["Stage"],
    );
    assert_eq!(
        template["Parameters"]["LocalCallbackTargets"]["Default"],
        ""
    );
    assert!(
        list(&stage["AllowedValues"]).contains(&json!("production")),
        "{stage}"
    );
    let rule = &template["Rules"]["NoLoopbackCallbacksInProduction"];
    assert_eq!(
        rule["RuleCondition"],
        json!({"Fn::Equals": [{"Ref": "Stage"}, "production"]})
    );
    let assertions: Vec<Value> = list(&rule["Assertions"])
        .iter()
        .map(|assertion| assertion["Assert"].clone())
        .collect();
    assert!(
        assertions.contains(&json!({"Fn::Equals": [targets, ""]})),
        "{assertions:?}"
    );
    for (name, function) in of_type("AWS::Serverless::Function") {
        let setting = function["Environment"]["Variables"].get("LOCAL_CALLBACK_TARGETS");
        assert!(
            setting.is_none_or(|value| *value == targets),
            "{name} has targets that the rule does not cover"
        );
    }
}

#[test]
fn no_secret_is_a_plain_parameter_or_setting() {
    let sounds_secret = |name: &str| {
        let name = name.to_lowercase();
        ["secret", "password", "token", "key", "credential"]
            .iter()
            .any(|word| name.contains(word))
    };
    let template = tandem_testing::template();
    for (name, parameter) in template["Parameters"].as_object().expect("parameters") {
        assert!(
            !sounds_secret(name) || parameter["NoEcho"] == true,
            "{name}"
        );
    }
    let functions = of_type("AWS::Serverless::Function")
        .into_iter()
        .map(|(_, properties)| properties);
    for properties in functions.chain([template["Globals"]["Function"].clone()]) {
        for (name, value) in properties["Environment"]["Variables"]
            .as_object()
            .into_iter()
            .flatten()
        {
            // The address of a secret is public; its value is not.
            assert!(!sounds_secret(name) || name.ends_with("_ARN"), "{name}");
            assert!(!value.to_string().contains("resolve:"), "{name}");
        }
    }
    for (name, secret) in of_type("AWS::SecretsManager::Secret") {
        assert!(
            secret.get("SecretString").is_none() && secret.get("GenerateSecretString").is_some(),
            "{name}"
        );
    }
}
