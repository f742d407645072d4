//! The examples of docs/openapi.yaml: the parsers accept the requests, and the code computes the answers.

use std::collections::BTreeSet;

use serde_json::Value;
use tandem_testing::Openapi;

use crate::fields::PARSERS;
use crate::snapshot;
use crate::source::root;
use crate::story::Story;

#[test]
fn every_reference_resolves() {
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

/// Computes the examples of answers and compares them with the document. Writes them instead if `UPDATE_EXAMPLES` is set.
#[test]
fn examples_of_answers_are_those_that_the_code_computes() {
    let path = root().join("docs/openapi.yaml");
    let before = std::fs::read_to_string(&path).expect("docs/openapi.yaml");
    let examples = Story::play().examples;
    let after = examples
        .iter()
        .fold(before.clone(), |document, (name, value)| {
            snapshot::with_example(&document, name, value)
        });
    let written: Value = serde_yaml_ng::from_str(&after).expect("YAML");
    for (name, value) in &examples {
        assert_eq!(&written["components"]["examples"][name]["value"], value);
    }
    if std::env::var_os("UPDATE_EXAMPLES").is_some() {
        std::fs::write(&path, after).expect("docs/openapi.yaml is writable");
        return;
    }
    let mut lines = before.lines().zip(after.lines()).enumerate();
    let stale = lines.find(|(_, (before, after))| before != after);
    assert!(
        before == after,
        "examples in docs/openapi.yaml are out of date: {stale:?}; to rewrite them, run\n  \
         UPDATE_EXAMPLES=1 cargo test -p tandem-api --test contract examples_of_answers"
    );
}

#[test]
fn every_example_matches_its_schema() {
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
        "left: examples in use; right: examples in components"
    );
}

#[test]
fn the_parsers_accept_every_example_of_a_body() {
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
