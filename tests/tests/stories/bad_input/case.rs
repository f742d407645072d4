//! The valid input of a route, and the checks derived from it.

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::{Api, Call};

use super::bodies;
use super::check::{Check, Fields};
use super::parameters::named;
use super::scene::Scene;

/// The caller.
#[derive(Debug, Clone, Copy)]
pub(super) enum Caller {
    Operator,
    Source,
    Target,
}

/// An invalid body, with its invalid fields and their codes.
type Wrong = (Value, &'static [(&'static str, &'static str)]);

/// A valid body and invalid ones.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) right: Value,
    pub(super) may_be_absent: bool,
    /// In octets.
    pub(super) largest: usize,
    wrong: Vec<Wrong>,
}

/// A list's parameters, each with an invalid value and its code.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) parameters: &'static [(&'static str, &'static str, &'static str)],
    pub(super) largest_limit: Option<usize>,
    pub(super) wrong: Vec<(String, &'static [(&'static str, &'static str)])>,
}

/// A route.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) route: &'static str,
    caller: Caller,
    /// The path's ids, each with the code for an unknown id.
    pub(super) ids: Vec<(String, &'static str)>,
    pub(super) body: Option<Body>,
    pub(super) query: Option<Query>,
    needs_key: bool,
}

impl Case {
    pub(super) fn new(route: &'static str, caller: Caller) -> Self {
        Self {
            route,
            caller,
            ids: Vec::new(),
            body: None,
            query: None,
            needs_key: false,
        }
    }

    /// An existing id in the path, and the code for an unknown one.
    pub(super) fn id(mut self, id: &str, missing: &'static str) -> Self {
        self.ids.push((id.to_owned(), missing));
        self
    }

    /// Requires a body; this one is valid.
    pub(super) fn body(self, right: Value) -> Self {
        Self {
            body: Some(Body {
                right,
                may_be_absent: false,
                largest: bodies::LARGEST,
                wrong: Vec::new(),
            }),
            ..self
        }
    }

    /// Accepts a body or none.
    pub(super) fn optional_body(self, right: Value) -> Self {
        Self {
            body: Some(Body {
                right,
                may_be_absent: true,
                largest: bodies::LARGEST,
                wrong: Vec::new(),
            }),
            ..self
        }
    }

    /// Accepts only an empty body.
    pub(super) fn no_body(self) -> Self {
        self.optional_body(json!({}))
    }

    /// Sets the largest body in octets.
    pub(super) fn up_to(mut self, largest: usize) -> Self {
        self.body
            .as_mut()
            .expect("a route that takes a body")
            .largest = largest;
        self
    }

    /// Adds a body with these invalid fields.
    pub(super) fn wrong(
        mut self,
        body: Value,
        fields: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.body
            .as_mut()
            .expect("a route that takes a body")
            .wrong
            .push((body, fields));
        self
    }

    /// Declares a list with these parameters besides `limit` and `cursor`.
    pub(super) fn list(
        self,
        parameters: &'static [(&'static str, &'static str, &'static str)],
    ) -> Self {
        Self {
            query: Some(Query {
                parameters,
                largest_limit: Some(100),
                wrong: Vec::new(),
            }),
            ..self
        }
    }

    /// Sets other page sizes.
    pub(super) fn limit(mut self, largest: Option<usize>) -> Self {
        self.query.as_mut().expect("a list").largest_limit = largest;
        self
    }

    /// Adds a query with these invalid parameters.
    pub(super) fn wrong_query(
        mut self,
        query: &str,
        fields: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.query
            .as_mut()
            .expect("a list")
            .wrong
            .push((query.to_owned(), fields));
        self
    }

    /// Requires an `Idempotency-Key`.
    pub(super) fn needs_key(self) -> Self {
        Self {
            needs_key: true,
            ..self
        }
    }

    pub(super) fn takes_a_body(&self) -> bool {
        self.body.is_some()
    }

    /// All checks of the route.
    pub(super) fn checks(&self, scene: &Scene) -> Vec<Check> {
        let api = match self.caller {
            Caller::Operator => &scene.operator,
            Caller::Source => &scene.source,
            Caller::Target => &scene.target,
        };
        let api = api.as_ref().expect("a prepared scene");
        let mut checks = self.ids_in_the_path(api);
        if let Some(body) = &self.body {
            checks.extend(self.bodies(api, body));
        }
        if !self.route.starts_with("GET") {
            checks.extend(self.idempotency_keys(api));
        }
        if let Some(query) = &self.query {
            checks.extend(self.queries(api, query));
        }
        checks.extend(self.parameters(api));
        checks
    }

    fn bodies(&self, api: &Api, body: &Body) -> Vec<Check> {
        let generic = bodies::generic(body).into_iter().map(|bad| {
            let call = self.call(api, &self.path());
            let call = match &bad.content_type {
                Some(content_type) => call.body(content_type, bad.bytes),
                None => call.untyped_body(bad.bytes),
            };
            self.check(bad.what, call, (bad.status, bad.code), bad.fields)
        });
        let wrong = body.wrong.iter().map(|(body, fields)| {
            let call = self.call(api, &self.path()).json(body);
            self.check(
                &format!("with the body {body}"),
                call,
                (422, "invalid_fields"),
                named(fields),
            )
        });
        generic.chain(wrong).collect()
    }

    /// Malformed and unknown ids are a 404.
    fn ids_in_the_path(&self, api: &Api) -> Vec<Check> {
        let mut checks = Vec::new();
        for (index, (id, code)) in self.ids.iter().enumerate() {
            let (prefix, rest) = id.split_once('_').unwrap_or(("", id));
            let bad = [
                "x".to_owned(),
                format!("{prefix}_"),
                format!("zzz_{rest}"),
                format!("{prefix}_{}", rest.to_uppercase()),
                format!("{prefix}_{rest}0"),
                format!("{prefix}_%E2%82%AC"),
                format!("{prefix}_{}", "0".repeat(3_000)),
                format!("{prefix}_0190b8f5c6f77c3ab0a1c2d3e4f50617"),
            ];
            for bad in bad.iter().filter(|bad| *bad != id) {
                let ids = self
                    .ids
                    .iter()
                    .enumerate()
                    .map(|(at, (id, _))| if at == index { bad } else { id });
                let call = self.call(api, &self.path_with(ids.map(String::as_str)));
                let call = match &self.body {
                    Some(body) => call.json(&body.right),
                    None => call,
                };
                let shown: String = bad.chars().take(50).collect();
                checks.push(self.check(
                    &format!("with {shown} for {id}"),
                    call,
                    (404, code),
                    Fields::new(),
                ));
            }
        }
        checks
    }

    fn idempotency_keys(&self, api: &Api) -> Vec<Check> {
        let call = || match &self.body {
            Some(body) => self.call(api, &self.path()).json(&body.right),
            None => self.call(api, &self.path()),
        };
        let mut checks = vec![self.check(
            "with an Idempotency-Key of 256 characters",
            call().idempotency_key(&"k".repeat(256)),
            (400, "idempotency_key_invalid"),
            Fields::new(),
        )];
        if self.needs_key {
            let call = call().without_idempotency_key();
            checks.push(self.check(
                "without Idempotency-Key",
                call,
                (400, "idempotency_key_required"),
                Fields::new(),
            ));
        }
        checks
    }

    pub(super) fn check(
        &self,
        what: &str,
        call: Call,
        (status, code): (u16, &'static str),
        fields: Fields,
    ) -> Check {
        Check {
            what: format!("{} {what}", self.route),
            call,
            status,
            code,
            fields,
        }
    }

    pub(super) fn call(&self, api: &Api, path: &str) -> Call {
        let method: Method = self
            .route
            .split_once(' ')
            .and_then(|(method, _)| method.parse().ok())
            .expect("METHOD /path");
        api.call(method, path)
    }

    pub(super) fn path(&self) -> String {
        self.path_with(self.ids.iter().map(|(id, _)| id.as_str()))
    }

    fn path_with<'a>(&self, mut ids: impl Iterator<Item = &'a str>) -> String {
        let (_, path) = self.route.split_once(' ').expect("METHOD /path");
        let segment = |segment: &str| {
            if segment.starts_with('{') {
                ids.next().expect("an id").to_owned()
            } else {
                segment.to_owned()
            }
        };
        path.split('/').map(segment).collect::<Vec<_>>().join("/")
    }
}
