//! Lambda ends a chain of about 16 invocations through queues, and drops the message. It sees such a chain by the trace header
//! that the SDK passes on to SQS. A table's stream begins a new chain.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::template::{functions, of_type, referred, resources};

/// The queues that invoke a function, and those to which its role allows it to send.
#[derive(Debug, Default)]
struct Flow {
    sources: BTreeSet<String>,
    targets: BTreeSet<String>,
}

/// The functions that can invoke themselves, directly or through others.
fn loops(flows: &BTreeMap<String, Flow>) -> BTreeSet<&String> {
    let invoked_by = |name: &String| {
        let targets = &flows[name].targets;
        let invoked = flows
            .iter()
            .filter(move |(_, flow)| !flow.sources.is_disjoint(targets));
        invoked.map(|(name, _)| name)
    };
    let is_in_loop = |start: &&String| {
        let mut reached: BTreeSet<&String> = BTreeSet::new();
        let mut open: Vec<&String> = invoked_by(start).collect();
        while let Some(name) = open.pop() {
            if reached.insert(name) {
                open.extend(invoked_by(name));
            }
        }
        reached.contains(start)
    };
    flows.keys().filter(is_in_loop).collect()
}

fn flows() -> BTreeMap<String, Flow> {
    let flow = |function: crate::template::Function| {
        let sources = function.triggers.iter();
        let sources = sources.filter(|(kind, _)| kind == "SQS");
        let sends = function.permissions.into_iter();
        let sends = sends.filter(|(action, _)| action == "sqs:SendMessage");
        Flow {
            sources: sources
                .map(|(_, event)| referred(&event["Queue"]))
                .collect(),
            targets: sends.map(|(_, queue)| queue).collect(),
        }
    };
    let all = functions().into_values();
    all.map(|function| (function.name.clone(), flow(function)))
        .collect()
}

/// Whether an alarm watches the dropped invocations of a function.
fn has_alarm(function: &str) -> bool {
    of_type("AWS::CloudWatch::Alarm").iter().any(|(_, alarm)| {
        let dimensions = alarm["Dimensions"].as_array().into_iter().flatten();
        alarm["MetricName"] == "RecursiveInvocationsDropped"
            && dimensions
                .filter(|dimension| dimension["Name"] == "FunctionName")
                .any(|dimension| referred(&dimension["Value"]) == function)
    })
}

#[test]
fn a_function_invokes_itself_only_for_a_stated_reason() {
    let flows = flows();
    let in_loop = loops(&flows);
    for (name, resource) in resources() {
        let allowed = resource["Properties"]["RecursiveLoop"] == "Allow";
        let reason = &resource["Metadata"]["RecursiveLoop"];
        let stated = allowed && matches!(reason, Value::String(reason) if !reason.is_empty());
        if in_loop.contains(&name) {
            assert!(
                stated && has_alarm(&name),
                "{name} sends to a queue that invokes it. Write the row and let the relay enqueue it; or set `RecursiveLoop: \
                Allow`, state the reason in its Metadata, and add an alarm on RecursiveInvocationsDropped"
            );
        } else {
            assert!(!allowed, "{name} is in no loop");
        }
    }
    let workers = flows.values().filter(|flow| !flow.sources.is_empty());
    assert!(workers.count() >= 3, "callbacks, mails and imports");
}

#[test]
fn a_loop_through_several_queues_is_detected() {
    let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let flow = |(name, sources, targets): (&str, &[&str], &[&str])| {
        let (sources, targets) = (set(sources), set(targets));
        (name.to_owned(), Flow { sources, targets })
    };
    let flows = [
        flow(("own", &["a"], &["dead", "a"])),
        flow(("first", &["b"], &["c"])),
        flow(("second", &["c"], &["b"])),
        flow(("feeder", &[], &["a", "b", "c"])),
        flow(("end", &["c"], &["dead"])),
    ];
    let flows = flows.into_iter().collect();
    let found: Vec<&String> = loops(&flows).into_iter().collect();
    assert_eq!(found, ["first", "own", "second"]);
}

#[test]
fn a_function_behind_the_stream_does_not_write_to_the_table() {
    let mut behind = 0;
    for function in functions().into_values() {
        if function.triggers.iter().any(|(kind, _)| kind == "DynamoDB") {
            behind += 1;
            let mut table = function
                .permissions
                .iter()
                .filter(|(_, resource)| resource == "Table");
            let reads = [
                "DescribeStream",
                "GetRecords",
                "GetShardIterator",
                "ListStreams",
            ];
            assert!(
                table.all(|(action, _)| reads.iter().any(|read| action.ends_with(read))),
                "{}: Lambda does not end this loop",
                function.name
            );
        }
    }
    assert_eq!(behind, 1);
}
