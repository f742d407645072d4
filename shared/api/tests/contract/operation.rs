//! Properties of the template that only a deployment on AWS can show otherwise: alarms, failed events, concurrency, mails, logs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::template::{functions, list, of_type, referred, resources, statements, text};

fn alarms() -> Vec<(String, Value)> {
    let alarms = of_type("AWS::CloudWatch::Alarm");
    assert!(alarms.len() > 10);
    alarms
}

/// An alarm that is raised while a queue grows: its end says nothing about the letters in the queue.
fn is_about_growth(name: &str) -> bool {
    name.ends_with("GrowAlarm")
}

#[test]
fn every_alarm_is_sent_and_its_end_too() {
    let topic =
        json!({"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]});
    for (name, alarm) in alarms() {
        assert_eq!(alarm["AlarmActions"], topic, "{name}");
        let ended = (!is_about_growth(&name)).then_some(&topic);
        assert_eq!(alarm.get("OKActions"), ended, "{name}");
    }
}

#[test]
fn a_first_deployment_raises_no_alarm() {
    // A new deployment has no data.
    for (name, alarm) in alarms() {
        let missing = text(&alarm["TreatMissingData"]);
        assert!(
            ["notBreaching", "ignore"].contains(&missing.as_str()),
            "{name}: {missing}"
        );
    }
    let silent = &resources()["SweepSilentAlarm"]["Properties"];
    assert_eq!(silent["Metrics"][0]["Expression"], "FILL(invocations, 0)");
    // FILL needs a run in the range, so the range is longer than the silence.
    let minutes = |member: &str| silent[member].as_u64().expect("minutes");
    assert!(minutes("EvaluationPeriods") >= minutes("DatapointsToAlarm") + 5);
}

#[test]
fn a_second_dead_letter_alarms_again() {
    let queues = of_type("AWS::SQS::Queue").into_iter().map(|(name, _)| name);
    let dead: BTreeSet<String> = queues
        .filter(|name| name.ends_with("DeadLetterQueue") || name.ends_with("FailureQueue"))
        .collect();
    assert_eq!(dead.len(), 5);
    let mut watched = [BTreeSet::new(), BTreeSet::new()];
    for (name, alarm) in alarms() {
        let Some(metrics) = alarm["Metrics"].as_array() else {
            continue;
        };
        let [expression, visible, hidden] = metrics.as_slice() else {
            continue;
        };
        if visible["MetricStat"]["Metric"]["Namespace"] != "AWS/SQS" {
            continue;
        }
        let of = |metric: &Value| {
            let metric = &metric["MetricStat"]["Metric"];
            let queue = referred(&metric["Dimensions"][0]["Value"]);
            (text(&metric["MetricName"]), queue)
        };
        let ((seen, queue), (unseen, same)) = (of(visible), of(hidden));
        // `redrive` hides the letters that it lists; they have not gone.
        assert_eq!(
            (seen.as_str(), unseen.as_str()),
            (
                "ApproximateNumberOfMessagesVisible",
                "ApproximateNumberOfMessagesNotVisible"
            ),
            "{name}"
        );
        assert_eq!(queue, same, "{name}");
        let growth =
            "IF(DIFF(visible + hidden) > 0 AND visible + hidden > DIFF(visible + hidden), 1, 0)";
        let expected = [growth, "visible + hidden"][usize::from(!is_about_growth(&name))];
        assert_eq!(expression["Expression"], expected, "{name}");
        watched[usize::from(is_about_growth(&name))].insert(queue);
    }
    assert_eq!(watched, [dead.clone(), dead]);
}

#[test]
fn events_of_mails_fail_into_a_queue_of_their_own() {
    let mut users: BTreeSet<(String, String)> = BTreeSet::new();
    for (binary, function) in functions() {
        for (_, event) in &function.triggers {
            for destination in [
                event.pointer("/DestinationConfig/OnFailure/Destination"),
                event.pointer("/DeadLetterConfig/Arn"),
            ] {
                users.extend(destination.map(|queue| (referred(queue), binary.clone())));
            }
        }
    }
    let expected = [
        ("MailEventFailureQueue", "note-mail-events"),
        ("TriggerFailureQueue", "relay-outbox"),
        ("TriggerFailureQueue", "sweep-outbox"),
    ];
    let expected = expected.map(|(queue, binary)| (queue.to_owned(), binary.to_owned()));
    assert_eq!(users, expected.into());
    let rule = |statement: &Value| statement["Principal"]["Service"] == "events.amazonaws.com";
    let sends: Vec<_> = statements()
        .into_iter()
        .filter(|(_, statement)| rule(statement) && statement["Action"] == "sqs:SendMessage")
        .map(|(policy, _)| policy)
        .collect();
    assert_eq!(sends, ["MailEventFailureQueuePolicy"]);
}

#[test]
fn mails_leave_only_from_the_configured_address() {
    let sends: Vec<_> = statements()
        .into_iter()
        .filter(|(_, statement)| statement["Action"].to_string().contains("ses:"))
        .collect();
    assert!(!sends.is_empty());
    for (name, statement) in sends {
        assert_eq!(
            statement["Condition"],
            json!({"StringEquals": {"ses:FromAddress": {"Ref": "MailSender"}}}),
            "{name}"
        );
    }
    // The condition compares bare addresses: a display name would never be equal.
    let sender = &tandem_testing::template()["Parameters"]["MailSender"];
    assert_eq!(sender["AllowedPattern"], "[^@\\s<>\"*?]+@[^@\\s<>\"*?]+");
}

#[test]
fn other_work_cannot_starve_purchases_in_production() {
    let reserved = [
        ("AuthorizeFunction", "Authorize"),
        ("PurchaseCartFunction", "Purchase"),
        ("SweepOutboxFunction", "Sweep"),
    ];
    let template = tandem_testing::template();
    for (name, function) in of_type("AWS::Serverless::Function") {
        let word = reserved.iter().find(|(of, _)| *of == name);
        let expected = word.map(|(_, word)| {
            json!({"Fn::If": [format!("Reserves{word}"), {"Ref": format!("{word}Concurrency")}, {"Ref": "AWS::NoValue"}]})
        });
        assert_eq!(
            function.get("ReservedConcurrentExecutions"),
            expected.as_ref(),
            "{name}"
        );
    }
    for (_, word) in reserved {
        let condition = &template["Conditions"][format!("Reserves{word}")];
        let parameter = json!({"Ref": format!("{word}Concurrency")});
        assert_eq!(
            *condition,
            json!({"Fn::And": [
                {"Condition": "IsProduction"},
                {"Fn::Not": [{"Fn::Equals": [parameter, "0"]}]},
            ]})
        );
        let default = &template["Parameters"][format!("{word}Concurrency")]["Default"];
        assert!(default.as_u64().is_some_and(|number| number > 0), "{word}");
    }
    // Every other reader of a queue has a limit.
    for (binary, function) in functions() {
        for (kind, event) in &function.triggers {
            let limited = event.pointer("/ScalingConfig/MaximumConcurrency");
            assert!(kind != "SQS" || limited.is_some(), "{binary}");
        }
    }
}

#[test]
fn in_production_somebody_hears_the_alarms() {
    let rule = &tandem_testing::template()["Rules"]["SomebodyHearsAlarmsInProduction"];
    assert_eq!(
        rule["RuleCondition"],
        json!({"Fn::Equals": [{"Ref": "Stage"}, "production"]})
    );
    let assertions = list(&rule["Assertions"]);
    assert_eq!(
        assertions[0]["Assert"],
        json!({"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]})
    );
}

#[test]
fn access_logs_use_the_prefix_of_vended_logs() {
    let api = &resources()["Api"]["Properties"];
    let group = referred(&api["AccessLogSettings"]["DestinationArn"]);
    let name = text(&resources()[&group]["Properties"]["LogGroupName"]["Fn::Sub"]);
    assert!(name.starts_with("/aws/vendedlogs/"), "{name}");
}

#[test]
fn lambda_itself_logs_json_and_warnings_only() {
    let logging = &tandem_testing::template()["Globals"]["Function"]["LoggingConfig"];
    // TRACE: the function filters its own lines by RUST_LOG.
    let expected =
        json!({"LogFormat": "JSON", "ApplicationLogLevel": "TRACE", "SystemLogLevel": "WARN"});
    assert_eq!(*logging, expected);
    for (name, function) in of_type("AWS::Serverless::Function") {
        assert_eq!(function.get("LoggingConfig"), None, "{name}");
    }
}

#[test]
fn a_rollout_is_gradual_and_ends_with_an_alarm() {
    let globals = &tandem_testing::template()["Globals"]["Function"];
    assert_eq!(globals["AutoPublishAlias"], "live");
    assert_eq!(
        globals["DeploymentPreference"],
        json!({
            "Type": {"Fn::If": ["IsProduction", "Canary10Percent5Minutes", "AllAtOnce"]},
            "Role": {"Fn::GetAtt": ["RolloutRole", "Arn"]},
        })
    );
    for (name, function) in of_type("AWS::Serverless::Function") {
        let stem = name.strip_suffix("Function").expect("a function's name");
        let own = format!("{stem}ErrorsAlarm");
        let watched = list(&function["DeploymentPreference"]["Alarms"]);
        let watched: BTreeSet<String> = watched.iter().map(referred).collect();
        assert!(watched.contains(&own), "{name}: {watched:?}");
        let events = function["Events"].as_object().cloned().unwrap_or_default();
        let answers = events.values().any(|event| event["Type"] == "HttpApi");
        assert_eq!(
            watched.contains("${AWS::StackName}-api-errors"),
            answers || name == "AuthorizeFunction",
            "{name}"
        );
        let alarm = &resources()[&own]["Properties"];
        assert_eq!(
            alarm["Dimensions"],
            json!([
                {"Name": "FunctionName", "Value": {"Ref": name}},
                {"Name": "Resource", "Value": {"Fn::Sub": format!("${{{name}}}:live")}},
            ])
        );
        // Without it a changed parameter would not reach the alias: SAM publishes changed code only.
        assert_eq!(
            function["AutoPublishCodeSha256"],
            json!({"Ref": "Release"}),
            "{name}"
        );
        assert_eq!(
            resources()[&name]["Metadata"],
            json!({"SkipBuild": true}),
            "{name}"
        );
    }
    assert_eq!(
        resources()["ApiErrorsAlarm"]["Properties"]["AlarmName"],
        json!({"Fn::Sub": "${AWS::StackName}-api-errors"})
    );
    // The schedule calls the alias, and its role is written out.
    let schedule = resources()["SweepScheduleRole"].to_string();
    assert!(schedule.contains("-sweep-outbox:live\""), "{schedule}");
}

#[test]
fn a_domain_closes_the_default_address() {
    let api = &resources()["Api"]["Properties"];
    let on_domain = |with: bool, without: bool| json!({"Fn::If": ["HasDomain", with, without]});
    assert_eq!(api["DisableExecuteApiEndpoint"], on_domain(true, false));
    // API Gateway warns of a document that closes the default address, and would fail on the warning.
    assert_eq!(api["FailOnWarnings"], on_domain(false, true));
    let domain = &resources()["ApiDomain"];
    assert_eq!(domain["Condition"], "HasDomain");
    let configuration = &domain["Properties"]["DomainNameConfigurations"][0];
    assert_eq!(configuration["SecurityPolicy"], "TLS_1_2");
    assert_eq!(
        configuration["CertificateArn"],
        json!({"Ref": "CertificateArn"})
    );
    assert_eq!(resources()["ApiDomainMapping"]["Condition"], "HasDomain");
    let rules = &tandem_testing::template()["Rules"];
    for rule in ["ADomainNeedsACertificate", "MutualTlsNeedsADomain"] {
        assert!(rules[rule].is_object(), "{rule}");
    }
}

/// The value of a dimension in each metric of an alarm.
fn watched(alarm: &str, dimension: &str) -> BTreeSet<String> {
    let metrics = resources()[alarm]["Properties"]["Metrics"].clone();
    let metrics = list(&metrics).into_iter();
    let stored = metrics.filter_map(|metric| metric.get("MetricStat").cloned());
    let dimensions = stored.flat_map(|stat| list(&stat["Metric"]["Dimensions"]));
    dimensions
        .filter(|one| one["Name"] == dimension)
        .map(|one| referred(&one["Value"]))
        .collect()
}

#[test]
fn lack_of_concurrency_is_reported_of_every_worker() {
    let (mut workers, mut reserved) = (BTreeSet::new(), BTreeSet::new());
    for function in functions().into_values() {
        if function.routes.is_empty() && !function.triggers.is_empty() {
            let _ = workers.insert(function.name.clone());
        }
        let properties = &resources()[&function.name]["Properties"];
        if properties.get("ReservedConcurrentExecutions").is_some() {
            let _ = reserved.insert(function.name);
        }
    }
    assert!(workers.len() > 5, "{workers:?}");
    assert_eq!(watched("WorkerThrottlesAlarm", "FunctionName"), workers);
    let callers = watched("CallerThrottlesAlarm", "FunctionName");
    assert_eq!(callers, &reserved - &workers);
}

#[test]
fn throttled_writes_are_reported_of_every_index() {
    let tables = of_type("AWS::DynamoDB::Table");
    let indexes = list(&tables[0].1["GlobalSecondaryIndexes"]);
    let indexes: BTreeSet<String> = indexes.iter().map(|one| text(&one["IndexName"])).collect();
    assert_eq!(
        watched("IndexThrottlesAlarm", "GlobalSecondaryIndexName"),
        indexes
    );
}

#[test]
fn failing_schedules_are_reported() {
    let groups = watched("ScheduleFailuresAlarm", "ScheduleGroup");
    let mut schedules = 0;
    for function in functions().into_values() {
        for (kind, event) in function.triggers {
            if kind == "ScheduleV2" {
                schedules += 1;
                assert!(groups.contains(&referred(&event["GroupName"])), "{event}");
            }
        }
    }
    assert!(schedules > 0 && groups.len() == 1, "{groups:?}");
}

#[test]
fn a_budget_is_heard_or_rejected() {
    let [(_, budget)] = of_type("AWS::Budgets::Budget")
        .try_into()
        .expect("one budget");
    let notifications = list(&budget["NotificationsWithSubscribers"]);
    assert_eq!(notifications.len(), 2);
    for one in notifications {
        let topic = json!([{"SubscriptionType": "SNS", "Address": {"Ref": "AlarmTopicArn"}}]);
        assert_eq!(one["Subscribers"], topic);
    }
    let has_budget = json!({"Fn::Not": [{"Fn::Equals": [{"Ref": "MonthlyBudget"}, "0"]}]});
    let template = tandem_testing::template();
    assert_eq!(template["Conditions"]["HasBudget"], has_budget);
    assert_eq!(resources()["CostBudget"]["Condition"], "HasBudget");
    let rule = &template["Rules"]["SomebodyHearsTheBudget"];
    assert_eq!(rule["RuleCondition"], has_budget);
    assert_eq!(
        list(&rule["Assertions"])[0]["Assert"],
        json!({"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]})
    );
}
