//! Compares the routes of docs/openapi.yaml with template.yaml and the code: parameters, bodies, scopes and codes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tandem_api::Code;
use tandem_api::parameters::ROUTES;
use tandem_testing::Openapi;

use crate::source::{Sources, crate_of};
use crate::template::functions;
use crate::walker::Body;

// The authorizer's own rule of scopes.
#[path = "../../../../functions/authorize/src/routes.rs"]
mod scopes;

/// The functions that a route's code reaches; those of other routes of the same function do not count.
fn reached<'a>(sources: &'a Sources, function: &str, route: &str) -> BTreeMap<&'a str, &'a Body> {
    let arm = format!("{}::handle#{route}", crate_of(function));
    let (arm, _) = sources
        .beneath(&arm)
        .find(|(path, _)| *path == arm)
        .unwrap_or_else(|| panic!("no code for {route}"));
    sources.reach([arm], |_| false)
}

fn each_route(mut check: impl FnMut(&str, &Value, &BTreeMap<&str, &Body>)) {
    for (name, function) in functions() {
        for route in &function.routes {
            check(
                route,
                Openapi::get().operation(route),
                &reached(Sources::get(), &name, route),
            );
        }
    }
}

#[test]
fn the_document_has_the_deployed_routes() {
    let described: BTreeSet<String> = Openapi::get()
        .operations()
        .map(|(route, _)| route)
        .collect();
    let deployed: BTreeSet<String> = functions()
        .into_values()
        .flat_map(|function| function.routes)
        .collect();
    assert_eq!(described, deployed);
}

#[test]
fn each_function_matches_its_deployed_routes() {
    for (name, function) in functions() {
        let prefix = format!("{}::handle#", crate_of(&name));
        let answered = Sources::get()
            .beneath(&prefix)
            .map(|(path, _)| path[prefix.len()..].to_owned());
        assert_eq!(function.routes, answered.collect(), "{name}");
    }
}

#[test]
fn each_route_needs_the_caller_and_scope_that_it_names() {
    for (name, function) in functions()
        .into_iter()
        .filter(|(_, function)| !function.routes.is_empty())
    {
        let handle = format!("{}::handle", crate_of(&name));
        let (_, body) = Sources::get()
            .beneath(&handle)
            .find(|(path, _)| *path == handle)
            .expect("a handler");
        let asks = |method: &str| {
            body.methods
                .contains(&("Caller".to_owned(), method.to_owned()))
        };
        assert!(
            asks("operator") != asks("client"),
            "{name} must accept one kind of caller"
        );
        for route in &function.routes {
            let needed = match scopes::need_of(route) {
                Some(scopes::Need::Operator) if asks("operator") => json!([{"operatorKey": []}]),
                Some(scopes::Need::Scope(scope)) if asks("client") => {
                    json!([{"clientKey": [scope]}])
                }
                Some(scopes::Need::AnyKey) if asks("client") => json!([{"clientKey": []}]),
                need => panic!(
                    "{route}: its function and functions/authorize/src/routes.rs ({need:?}) disagree about the caller"
                ),
            };
            assert_eq!(
                Openapi::get().operation(route)["security"],
                needed,
                "{route}"
            );
        }
    }
}

#[test]
fn each_route_names_the_parameters_that_it_reads() {
    each_route(|route, operation, reached| {
        let read = |place: &str| match place {
            "path" => parts_in_braces(route),
            _ => texts(
                reached,
                &["Query::optional", "Query::number", "Query::flag"],
            ),
        };
        for place in ["path", "query"] {
            let named: Vec<&Value> = parameters(route, operation)
                .into_iter()
                .filter(|named| named["in"] == place)
                .collect();
            let names: BTreeSet<&str> = named
                .iter()
                .filter_map(|parameter| parameter["name"].as_str())
                .collect();
            assert_eq!(
                names.len(),
                named.len(),
                "{route}: {place} parameters repeat"
            );
            assert_eq!(
                names,
                read(place).iter().map(String::as_str).collect(),
                "{route}: {place} parameters"
            );
        }
    });
}

#[test]
fn a_route_rejects_the_parameters_that_it_does_not_read() {
    let mut reading = BTreeSet::new();
    each_route(|route, operation, reached| {
        let reaches = |path: &str| reached.keys().any(|reached| reached.ends_with(path));
        let takes_any = parameters(route, operation)
            .iter()
            .any(|named| named["in"] == "query");
        let listed = ROUTES.contains(&route);
        assert_eq!(listed, takes_any, "{route} in tandem_api::parameters");
        assert_eq!(listed, reaches("::Request::query"), "{route}");
        assert_eq!(listed, reaches("::Query::finish"), "{route}");
        if listed {
            assert!(reading.insert(route.to_owned()), "{route}");
        }
    });
    assert_eq!(reading.len(), ROUTES.len(), "a route that is not deployed");
}

#[test]
fn each_route_says_whether_it_takes_an_idempotency_key() {
    each_route(|route, operation, reached| {
        let reaches = |path: &str| reached.keys().any(|reached| reached.ends_with(path));
        let (taken, required) = (
            reaches("::IdempotencyKey::of") || reaches("::IdempotencyKey::of_edit"),
            reaches("::IdempotencyKey::required"),
        );
        let key = parameters(route, operation)
            .into_iter()
            .find(|parameter| parameter["name"] == "Idempotency-Key");
        assert_eq!(key.is_some(), taken, "{route}");
        assert_eq!(
            key.is_some_and(|key| key["required"] == true),
            required,
            "{route}"
        );
    });
}

#[test]
fn each_route_says_whether_it_takes_a_body() {
    each_route(|route, operation, reached| {
        let reaches = |path: &str| reached.keys().any(|reached| reached.ends_with(path));
        let body = operation
            .get("requestBody")
            .map(|body| Openapi::get().resolve(body));
        assert_eq!(body.is_some(), reaches("::Request::json_up_to"), "{route}");
        let required = body.is_some_and(|body| body["required"] == true);
        assert_eq!(
            required,
            body.is_some() && !reaches("::Request::json_or_empty"),
            "{route}"
        );
        let nothing = body.is_some_and(|body| {
            body["content"]["application/json"]["schema"]["$ref"]
                .as_str()
                .is_some_and(|name| name.ends_with("/Nothing"))
        });
        assert_eq!(nothing, reaches("::Request::empty_body"), "{route}");
    });
}

#[test]
fn each_route_lists_its_codes_under_their_statuses() {
    let mut listed_anywhere = BTreeSet::new();
    each_route(|route, operation, reached| {
        let listed = codes(route, operation);
        // These two modules serve all routes.
        let general = |path: &str| {
            ["tandem_api::problem", "tandem_api::refusals"]
                .iter()
                .any(|module| path.starts_with(module))
        };
        let impossible = [
            // Creating a customer with a known e-mail address finds that customer; only an edit is rejected.
            ("POST /v1/customers", Code::CustomerEmailTaken),
            // These routes have no body that could differ.
            (
                "DELETE /v1/clients/{clientId}/api-keys/{keyId}",
                Code::IdempotencyKeyReused,
            ),
            (
                "DELETE /v1/customers/{customerId}",
                Code::IdempotencyKeyReused,
            ),
            ("DELETE /v1/event-endpoint", Code::IdempotencyKeyReused),
        ];
        let own = reached.iter().filter(|(path, _)| !general(path));
        let mentioned =
            own.flat_map(|(_, body)| body.paths.iter().filter_map(|path| code_of(path)));
        for code in mentioned.filter(|code| !impossible.contains(&(route, *code))) {
            assert!(
                listed.contains(code.as_str()),
                "{route} may answer {}",
                code.as_str()
            );
        }
    });
    for (route, operation) in Openapi::get().operations() {
        listed_anywhere.extend(codes(&route, operation));
    }
    assert_eq!(
        listed_anywhere,
        Code::ALL
            .iter()
            .map(|code| code.as_str().to_owned())
            .collect()
    );
}

#[test]
fn the_document_lists_every_code() {
    let described = &Openapi::get().document()["components"]["schemas"]["Code"]["enum"];
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(described, &json!(codes));
}

/// All codes of an operation. Each must be listed under its status, except those of `default`.
fn codes(route: &str, operation: &Value) -> BTreeSet<String> {
    let responses = operation["responses"].as_object().expect("responses");
    let mut all = BTreeSet::new();
    for (status, response) in responses {
        let schema =
            &Openapi::get().resolve(response)["content"]["application/problem+json"]["schema"];
        for code in schema["properties"]["code"]["enum"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let code = code.as_str().expect("a code");
            let known = Code::ALL
                .iter()
                .find(|known| known.as_str() == code)
                .unwrap_or_else(|| panic!("{route}: {code}"));
            assert!(
                status == "default" || *status == known.status().to_string(),
                "{route}: {code} under {status}"
            );
            assert!(all.insert(code.to_owned()), "{route}: {code} twice");
        }
    }
    all
}

fn code_of(path: &str) -> Option<Code> {
    let name = path
        .strip_prefix("tandem_api::problem::Code::")
        .or_else(|| path.strip_prefix("tandem_api::Code::"))?;
    Code::ALL
        .iter()
        .find(|code| format!("{code:?}") == name)
        .copied()
}

/// An operation's parameters, including those of its path.
fn parameters<'a>(route: &str, operation: &'a Value) -> Vec<&'a Value> {
    let path = route.split(' ').nth(1).expect("METHOD /path");
    let shared: &'static Value = &Openapi::get().document()["paths"][path]["parameters"];
    let all = shared
        .as_array()
        .into_iter()
        .flatten()
        .chain(operation["parameters"].as_array().into_iter().flatten());
    all.map(|parameter| Openapi::get().resolve(parameter))
        .collect()
}

fn parts_in_braces(route: &str) -> BTreeSet<String> {
    route
        .split('{')
        .skip(1)
        .filter_map(|part| Some(part.split_once('}')?.0.to_owned()))
        .collect()
}

/// The first text argument of each call of these methods.
fn texts(reached: &BTreeMap<&str, &Body>, of: &[&str]) -> BTreeSet<String> {
    let calls = reached
        .values()
        .flat_map(|body| &body.calls)
        .filter(|(called, _)| of.contains(&called.as_str()));
    calls
        .filter_map(|(_, arguments)| arguments.first()?.clone())
        .collect()
}
