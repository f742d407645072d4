//! The dashboard shows exactly the business metrics that the code emits, each of the function that counts it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tandem_runtime::metrics::{Metric, NAMESPACE};

use crate::source::root;
use crate::template::{functions, of_type, resources, text};

/// The widgets' lists of metrics, with the logical names of resources left in `${…}`.
fn widgets() -> Vec<Value> {
    let dashboards = of_type("AWS::CloudWatch::Dashboard");
    let [(_, dashboard)] = dashboards.as_slice() else {
        panic!("one dashboard: {dashboards:?}");
    };
    let body = text(&dashboard["DashboardBody"]["Fn::Sub"]);
    let body: Value = serde_json::from_str(&body).expect("JSON");
    let widgets = body["widgets"].as_array().expect("widgets").clone();
    let lists = widgets
        .iter()
        .map(|widget| widget["properties"]["metrics"].as_array().expect("metrics"));
    lists.flat_map(|list| spelled_out(list)).collect()
}

/// The metrics of a list: `...` repeats the beginning of the metric before.
fn spelled_out(list: &[Value]) -> Vec<Value> {
    let mut spelled: Vec<Value> = Vec::with_capacity(list.len());
    for metric in list {
        let parts = metric.as_array().expect("a metric");
        let metric = match (parts.split_first(), spelled.last()) {
            (Some((first, rest)), Some(before)) if first == "..." => {
                let before = before.as_array().expect("a metric");
                let kept = before.len() - rest.len();
                Value::Array([&before[..kept], rest].concat())
            }
            _ => metric.clone(),
        };
        spelled.push(metric);
    }
    spelled
}

/// Name and function of each business metric on the dashboard.
fn shown() -> BTreeSet<(String, String)> {
    let mut shown = BTreeSet::new();
    for metric in widgets() {
        let listed: Vec<&str> = metric
            .as_array()
            .expect("a metric")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        if let [NAMESPACE, name, "Function", function] = listed.as_slice() {
            let _ = shown.insert(((*name).to_owned(), (*function).to_owned()));
        } else if let Some(search) = metric[0]["expression"]
            .as_str()
            .filter(|search| search.contains(&format!("{{{NAMESPACE},")))
        {
            let part = |before: &str| {
                let rest = search.split_once(before).expect(before).1;
                rest.split('"').next().expect("a value").to_owned()
            };
            let _ = shown.insert((part(" MetricName=\""), part(" Function=\"")));
        } else {
            assert_ne!(listed.first(), Some(&NAMESPACE), "{metric}");
        }
    }
    shown
}

#[test]
fn the_dashboard_shows_exactly_the_metrics_of_the_code() {
    let functions = functions();
    let emitted: BTreeSet<(String, String)> = Metric::ALL
        .iter()
        .flat_map(|metric| {
            metric
                .functions()
                .iter()
                .map(|function| (*metric, *function))
        })
        .map(|(metric, function)| {
            let function = &functions[function].name;
            (metric.name().to_owned(), format!("${{{function}}}"))
        })
        .collect();
    assert_eq!(shown(), emitted);
}

#[test]
fn each_function_counts_its_metrics_and_no_others() {
    let mut counted = BTreeSet::new();
    for function in functions().keys() {
        let folder = root().join("functions").join(function).join("src");
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let source = std::fs::read_to_string(entry.expect("an entry").path()).expect("a file");
            let uses = source.split("Metric::").skip(1);
            counted.extend(uses.map(|after| {
                let name: String = after
                    .chars()
                    .take_while(char::is_ascii_alphabetic)
                    .collect();
                (name, function.clone())
            }));
        }
    }
    let declared: BTreeSet<(String, String)> = Metric::ALL
        .iter()
        .filter(|metric| **metric != Metric::ThrottledCalls)
        .flat_map(|metric| {
            metric
                .functions()
                .iter()
                .map(|function| (*metric, *function))
        })
        .map(|(metric, function)| (metric.name().to_owned(), function.to_owned()))
        .collect();
    assert_eq!(counted, declared);
}

/// The crates that count throttled calls for a function, by what its own source calls.
const COUNTING: [&str; 3] = ["metrics::throttled(", "batch::process", "tandem_api::serve"];

#[test]
fn each_function_with_a_table_counts_its_throttled_calls() {
    let counting = functions().into_keys().filter(|function| {
        let folder = root().join("functions").join(function).join("src");
        let sources = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).expect("a file"));
        let sources: String = sources.collect();
        COUNTING.iter().any(|call| sources.contains(call))
    });
    let counting: BTreeSet<String> = counting.collect();
    let declared = Metric::ThrottledCalls.functions().iter();
    assert_eq!(counting, declared.map(|name| (*name).to_owned()).collect());
    let without: Vec<String> = functions()
        .into_keys()
        .filter(|function| !counting.contains(function))
        .collect();
    assert_eq!(without, ["relay-outbox"]);
}

/// A metric without a line of its own is read from lines of the log.
#[test]
fn first_attempts_are_measured_by_their_lines() {
    let filters = of_type("AWS::Logs::MetricFilter");
    let of = |name: &str| {
        let named = |(_, filter): &&(String, Value)| {
            filter["MetricTransformations"][0]["MetricName"] == name
        };
        let filter = filters.iter().find(named).expect("a filter").1.clone();
        let read = filter["MetricTransformations"][0].clone();
        (
            filter["FilterPattern"].clone(),
            read["MetricValue"].clone(),
            read["MetricNamespace"].clone(),
        )
    };
    let (pattern, value, namespace) = of("CallbacksDeliveredAtFirstAttempt");
    assert_eq!(
        (pattern, value),
        (json!(r#"{ $.message = "delivered" }"#), json!("1"))
    );
    let (pattern, value, _) = of("CallbackStartDelay");
    assert_eq!(
        (pattern, value),
        (json!("{ $.delay_ms = * }"), json!("$.delay_ms"))
    );
    let namespace = text(&namespace["Fn::Sub"]);
    let shown = widgets()
        .into_iter()
        .filter(|metric| metric[0] == namespace);
    let shown: BTreeSet<String> = shown.map(|metric| text(&metric[1]).to_owned()).collect();
    let read = filters
        .iter()
        .map(|(_, filter)| text(&filter["MetricTransformations"][0]["MetricName"]).to_owned());
    assert_eq!(shown, read.collect());
    // `a_first_delivery_logs_one_line_below_180_octets` compares the line.
    let worker = root().join("functions/deliver-callbacks/src");
    let sources: String = std::fs::read_dir(worker)
        .expect("a folder")
        .map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).expect("a file"))
        .collect();
    let lines = |text: &str| sources.matches(text).count();
    assert_eq!(lines("\"delivered\""), 1, "one line has this message");
    assert_eq!(
        lines(" delay_ms,\n"),
        2,
        "the lines of both outcomes have the delay"
    );
}

/// By their names: a search for a quoted part of a name finds none, since quotes ask for the whole.
#[test]
fn the_dashboard_shows_each_function() {
    let widgets = widgets();
    let deployed: BTreeSet<String> = functions()
        .into_values()
        .map(|function| format!("${{{}}}", function.name))
        .collect();
    for name in ["Errors", "Throttles", "Duration"] {
        let named = |metric: &&Value| metric[0] == "AWS/Lambda" && metric[1] == name;
        let shown = widgets.iter().filter(named);
        let shown: BTreeSet<String> = shown.map(|metric| text(&metric[3]).to_owned()).collect();
        assert_eq!(shown, deployed, "{name}");
    }
}

#[test]
fn the_dashboard_names_only_resources_of_the_template() {
    let body = text(&of_type("AWS::CloudWatch::Dashboard")[0].1["DashboardBody"]["Fn::Sub"]);
    let (resources, template) = (resources(), tandem_testing::template());
    let parameters = template["Parameters"].as_object().expect("parameters");
    for after in body.split("${").skip(1) {
        let name = after.split(['.', '}']).next().expect("a name");
        let known = resources.contains_key(name) || parameters.contains_key(name);
        assert!(known || name.starts_with("AWS::"), "{name}");
    }
}
