//! The examples of docs/openapi.yaml are what Tandem reads and answers.

use std::collections::BTreeSet;

use serde_json::Value;
use tandem_testing::Openapi;

use crate::fields::PARSERS;
use crate::story::{Story, example};

#[test]
fn every_reference_leads_somewhere() {
    fn look(value: &Value) {
        let _ = Openapi::get().resolve(value);
        match value {
            Value::Object(members) => members.values().for_each(look),
            Value::Array(items) => items.iter().for_each(look),
            _ => {}
        }
    }
    look(Openapi::get().document());
}

#[test]
fn every_example_of_an_answer_is_what_the_code_answers() {
    for (name, shown) in Story::tell().shown {
        assert_eq!(example(name), &shown, "{name}");
    }
}

#[test]
fn every_example_is_of_its_schema() {
    let mut seen = BTreeSet::new();
    let components = &Openapi::get().document()["components"];
    let bodies = ["requestBodies", "responses"]
        .map(|kind| components[kind].as_object().expect("components").values());
    let hooks = Openapi::get().document()["webhooks"]
        .as_object()
        .expect("webhooks")
        .values();
    let hooks = hooks.map(|hook| &hook["post"]["requestBody"]);
    let operations = Openapi::get().operations().flat_map(|(_, operation)| {
        operation["responses"]
            .as_object()
            .expect("responses")
            .values()
    });
    for body in bodies.into_iter().flatten().chain(hooks).chain(operations) {
        for (kind, media) in body["content"].as_object().into_iter().flatten() {
            for (_, named) in media["examples"].as_object().into_iter().flatten() {
                let errors = Openapi::get()
                    .errors(&media["schema"], &Openapi::get().resolve(named)["value"]);
                assert_eq!(errors, Vec::<String>::new(), "{named} as {kind}");
                seen.extend(
                    named["$ref"]
                        .as_str()
                        .and_then(|name| name.rsplit('/').next()),
                );
            }
        }
    }
    let all = components["examples"].as_object().expect("examples");
    assert_eq!(
        seen,
        all.keys().map(String::as_str).collect(),
        "examples that are used, and those there are"
    );
}

#[test]
fn every_example_of_a_body_is_taken() {
    for (name, parse) in PARSERS {
        let body = &Openapi::get().document()["components"]["requestBodies"][*name]["content"]["application/json"];
        for (_, named) in body["examples"]
            .as_object()
            .unwrap_or_else(|| panic!("{name} has no example"))
        {
            let value = &Openapi::get().resolve(named)["value"];
            assert!(parse(value).is_ok(), "{name}: {value}");
        }
    }
}
