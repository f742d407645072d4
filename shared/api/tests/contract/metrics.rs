//! The dashboard shows exactly the business metrics that the code emits, each of the function that counts it.

use std::collections::BTreeSet;

use serde_json::Value;
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
    lists.flatten().cloned().collect()
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
        .map(|metric| {
            let function = &functions[metric.function()].name;
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
        .map(|metric| (metric.name().to_owned(), metric.function().to_owned()))
        .collect();
    assert_eq!(counted, declared);
}

/// A metric without a line of its own counts a line of the log.
#[test]
fn deliveries_at_the_first_attempt_are_counted_by_their_lines() {
    let filters = of_type("AWS::Logs::MetricFilter");
    let [(_, filter)] = filters.as_slice() else {
        panic!("one filter: {filters:?}");
    };
    assert_eq!(filter["FilterPattern"], r#"{ $.message = "delivered" }"#);
    let counted = &filter["MetricTransformations"][0];
    let namespace = text(&counted["MetricNamespace"]["Fn::Sub"]);
    let shown = widgets()
        .into_iter()
        .filter(|metric| metric[0] == namespace);
    let names: Vec<_> = shown.map(|metric| metric[1].clone()).collect();
    assert_eq!(names, [counted["MetricName"].clone()]);
    // `a_first_delivery_logs_one_line_below_150_octets` compares the line.
    let worker = root().join("functions/deliver-callbacks/src");
    let lines = std::fs::read_dir(worker)
        .expect("a folder")
        .map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).expect("a file"))
        .map(|source| source.matches("\"delivered\"").count());
    assert_eq!(lines.sum::<usize>(), 1, "one line has this message");
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
