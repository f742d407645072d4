//! Each function has the settings and permissions that its code needs, and no others.

use std::collections::BTreeSet;

use crate::needs::Needs;
use crate::source::{Sources, folders};
use crate::template::{Function, functions, global_environment, referred};

/// The permission that goes with a setting: to use the resource that it names.
const USES: &[(&str, &str)] = &[
    ("CALLBACK_QUEUE_URL", "sqs:SendMessage"),
    ("MAIL_QUEUE_URL", "sqs:SendMessage"),
    ("IMPORT_QUEUE_URL", "sqs:SendMessage"),
    ("DEAD_LETTER_QUEUE_URL", "sqs:SendMessage"),
    ("DATA_KEY_SECRET_ARN", "secretsmanager:GetSecretValue"),
    ("OPERATOR_KEY_SECRET_ARN", "secretsmanager:GetSecretValue"),
];

const SES: &str = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:";
const IDENTITIES: &str = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*";

#[test]
fn the_template_deploys_exactly_the_functions() {
    let deployed: BTreeSet<String> = functions().into_keys().collect();
    assert_eq!(deployed, folders("functions"));
    for function in functions().values() {
        assert_eq!(
            function.name,
            format!("{}Function", pascal(&function.binary))
        );
    }
}

#[test]
fn every_function_has_the_settings_that_its_code_reads() {
    let (sources, global) = (Sources::get(), global_environment());
    for (name, function) in functions() {
        let needs = Needs::of(sources, &name);
        let needed: BTreeSet<&String> = needs
            .required
            .union(&needs.optional)
            .filter(|name| !global.contains_key(*name))
            .collect();
        assert_eq!(
            function.environment.keys().collect::<BTreeSet<_>>(),
            needed,
            "{name}"
        );
    }
}

#[test]
fn every_role_allows_exactly_what_its_code_needs() {
    let sources = Sources::get();
    for (name, function) in functions() {
        let expected: BTreeSet<(String, String)> =
            expected(&function, &Needs::of(sources, &name)).collect();
        assert_eq!(
            function.permissions, expected,
            "{name}: left: template; right: needs of the code"
        );
    }
}

#[test]
fn no_permission_is_a_wildcard() {
    for (name, function) in functions() {
        for (action, resource) in function.permissions {
            assert!(!action.contains('*'), "{name}: {action}");
            // The names of log streams are not known in advance.
            let resource = if action.starts_with("logs:") {
                resource.trim_end_matches(":*")
            } else {
                &resource
            };
            let bounded = !resource.contains('*') || resource == IDENTITIES;
            assert!(bounded, "{name}: {action} on {resource}");
        }
    }
}

fn expected<'a>(
    function: &'a Function,
    needs: &'a Needs,
) -> impl Iterator<Item = (String, String)> + 'a {
    let logs = format!(
        "arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:/aws/lambda/${{AWS::StackName}}-{}:*",
        function.binary
    );
    let logs = ["logs:CreateLogStream", "logs:PutLogEvents"]
        .map(|action| (action.to_owned(), logs.clone()));
    let table = needs.table.iter().map(|(action, on)| {
        let resource = if on == "table" {
            "Table".to_owned()
        } else {
            format!("Table/index/{on}")
        };
        (format!("dynamodb:{action}"), resource)
    });
    let uses = USES.iter().filter_map(|(setting, action)| {
        let names = function.environment.get(*setting)?;
        Some(((*action).to_owned(), referred(names)))
    });
    let mail = ["MAIL_SENDER", "MAIL_CONFIGURATION_SET"].into_iter();
    let mail = mail.filter_map(|setting| {
        let name = function.environment.get(setting)?;
        // The verified identity may be the sender's domain; the statement's condition names the address.
        let resource = match setting {
            "MAIL_SENDER" => IDENTITIES.to_owned(),
            _ => format!("{SES}configuration-set/${{{}}}", referred(name)),
        };
        Some(("ses:SendEmail".to_owned(), resource))
    });
    let own: Vec<(String, String)> = logs
        .into_iter()
        .chain(table)
        .chain(uses)
        .chain(mail)
        .chain(triggers(function))
        .collect();
    let sealed = own.iter().any(|(action, _)| key_service(action).is_some());
    let key = ["kms:Decrypt", "kms:GenerateDataKey"]
        .map(|action| (action.to_owned(), "EncryptionKey".to_owned()));
    own.into_iter()
        .chain(key.into_iter().filter(move |_| sealed))
}

/// The service that uses the deployment's KMS key on behalf of a caller of this action.
pub(crate) fn key_service(action: &str) -> Option<&str> {
    action
        .split(':')
        .next()
        .filter(|service| ["dynamodb", "sqs", "secretsmanager"].contains(service))
}

/// Permissions that Lambda uses with the function's role to read its event sources.
fn triggers(function: &Function) -> impl Iterator<Item = (String, String)> + '_ {
    let allow = |actions: &[&str], resource: String| -> Vec<(String, String)> {
        actions
            .iter()
            .map(|action| ((*action).to_owned(), resource.clone()))
            .collect()
    };
    function
        .triggers
        .iter()
        .flat_map(move |(kind, event)| match kind.as_str() {
            "SQS" => allow(
                &[
                    "sqs:ReceiveMessage",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                ],
                referred(&event["Queue"]),
            ),
            "DynamoDB" => {
                let stream = [
                    "DescribeStream",
                    "GetRecords",
                    "GetShardIterator",
                    "ListStreams",
                ];
                let stream = stream.map(|action| format!("dynamodb:{action}"));
                let mut all = allow(
                    &stream.each_ref().map(String::as_str),
                    referred(&event["Stream"]),
                );
                all.extend(allow(
                    &["sqs:SendMessage"],
                    referred(&event["DestinationConfig"]["OnFailure"]["Destination"]),
                ));
                all
            }
            "EventInvokeConfig" => allow(
                &["sqs:SendMessage"],
                referred(&event["DestinationConfig"]["OnFailure"]["Destination"]),
            ),
            // The schedule has a role of its own; a rule needs none.
            "ScheduleV2" | "EventBridgeRule" => Vec::new(),
            other => panic!(
                "{}: unknown event type {other}; add its permissions here",
                function.name
            ),
        })
}

fn pascal(name: &str) -> String {
    name.split('-')
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect()
}
