//! Validates requests and answers against `docs/openapi.yaml`.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

const DOCUMENT: &str = include_str!("../../../docs/openapi.yaml");
const PROBLEM: &str = "application/problem+json";

#[derive(Debug)]
pub struct Openapi {
    document: Value,
    /// Compiled schemas by their source.
    validators: Mutex<HashMap<String, std::sync::Arc<Validator>>>,
}

impl Openapi {
    /// Parsed once for all tests of a process.
    pub fn get() -> &'static Self {
        static READ: LazyLock<Openapi> = LazyLock::new(|| Openapi {
            document: serde_yaml_ng::from_str(DOCUMENT).expect("docs/openapi.yaml is YAML"),
            validators: Mutex::default(),
        });
        &READ
    }

    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Follows a value's `$ref`, if it has one.
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let Some(reference) = value["$ref"].as_str() else {
            return value;
        };
        let pointer = reference
            .strip_prefix('#')
            .unwrap_or_else(|| panic!("{reference} is in another document"));
        let found = self
            .document
            .pointer(pointer)
            .unwrap_or_else(|| panic!("{reference} leads nowhere"));
        // A schema with a reference and more members is final; a bare reference leads on.
        if found.as_object().is_some_and(|members| members.len() == 1) {
            self.resolve(found)
        } else {
            found
        }
    }

    /// Each route, spelled as in the template (`GET /v1/offers/{offerId}`), with its operation.
    pub fn operations(&self) -> impl Iterator<Item = (String, &Value)> {
        const METHODS: [&str; 5] = ["get", "post", "patch", "put", "delete"];
        let paths = self.document["paths"].as_object().expect("paths");
        paths.iter().flat_map(|(path, item)| {
            let operations = METHODS
                .iter()
                .filter_map(move |method| Some((method, item.get(method)?)));
            operations.map(move |(method, operation)| {
                (format!("{} {path}", method.to_uppercase()), operation)
            })
        })
    }

    /// The route of a path; of two, the one with fewer parameters.
    pub fn route_of(&self, method: &str, path: &str) -> Option<String> {
        let fits = |pattern: &str| {
            let same = |(pattern, part): (&str, &str)| {
                (pattern.starts_with('{') && !part.is_empty()) || pattern == part
            };
            pattern.split('/').count() == path.split('/').count()
                && pattern.split('/').zip(path.split('/')).all(same)
        };
        let routes = self.operations().map(|(route, _)| route);
        let fitting = routes.filter(|route| {
            route
                .split_once(' ')
                .is_some_and(|(verb, pattern)| verb == method && fits(pattern))
        });
        fitting.min_by_key(|route| route.matches('{').count())
    }

    pub fn operation(&self, route: &str) -> &Value {
        let mut all = self.operations();
        all.find(|(name, _)| name == route)
            .unwrap_or_else(|| panic!("docs/openapi.yaml has no route {route}"))
            .1
    }

    /// The deviations of a value from a schema, a sentence each. Unknown members are errors too, although callers must ignore
    /// them.
    pub fn errors(&self, schema: &Value, value: &Value) -> Vec<String> {
        let validator = self.validator(schema);
        let mut errors: Vec<_> = validator
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        self.note_unknown(&self.parts(schema), value, "", &mut errors);
        errors
    }

    /// The deviations of an accepted request's body. Members that are `null` count as absent.
    pub fn errors_of_request(&self, route: &str, body: &Value) -> Vec<String> {
        let asked = self.resolve(&self.operation(route)["requestBody"]);
        match asked.pointer("/content/application~1json/schema") {
            Some(schema) => self.errors(schema, &without_nulls(body)),
            None => vec![format!("{route} takes no body")],
        }
    }

    /// The deviations of an answer: status, content type, members, code. A problem's status must be listed with its code; `body` is
    /// `null` for an answer that is not JSON.
    pub fn errors_of_answer(
        &self,
        route: &str,
        status: u16,
        content_type: &str,
        body: &Value,
    ) -> Vec<String> {
        let responses = &self.operation(route)["responses"];
        let answers = |response: &&Value| {
            self.resolve(response)["content"]
                .get(content_type)
                .is_some()
        };
        let by_status = responses
            .get(status.to_string())
            .filter(|_| !self.is_general(content_type, body))
            .filter(answers);
        let response = self.resolve(by_status.unwrap_or(&responses["default"]));
        let Some(media) = response["content"].get(content_type) else {
            return vec![format!("{route} does not answer {status} {content_type}")];
        };
        if body.is_null() {
            Vec::new()
        } else {
            self.errors(&media["schema"], body)
        }
    }

    /// Whether every route may answer with this problem.
    fn is_general(&self, content_type: &str, body: &Value) -> bool {
        let code = "/components/responses/AnyTime/content/application~1problem+json/schema/properties/code/enum";
        let general = self
            .document
            .pointer(code)
            .and_then(Value::as_array)
            .expect("the codes of AnyTime");
        content_type == PROBLEM && general.contains(&body["code"])
    }

    /// A schema with the schemas of its `$ref`, `allOf` and `oneOf`.
    fn parts<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let referred = schema.get("$ref").map(|_| self.resolve(schema));
        let lists = ["allOf", "oneOf"]
            .into_iter()
            .filter_map(|name| schema[name].as_array());
        let inner = referred
            .into_iter()
            .chain(lists.flatten())
            .flat_map(|part| self.parts(part));
        std::iter::once(schema).chain(inner).collect()
    }

    fn note_unknown(&self, parts: &[&Value], value: &Value, path: &str, errors: &mut Vec<String>) {
        let beneath = |name: &str, member: &str| -> Vec<&Value> {
            let schemas = parts
                .iter()
                .filter_map(|part| part.get(name))
                .map(|schema| {
                    if member.is_empty() {
                        schema
                    } else {
                        &schema[member]
                    }
                });
            schemas
                .filter(|schema| !schema.is_null())
                .flat_map(|schema| self.parts(schema))
                .collect()
        };
        match value {
            Value::Object(members) if parts.iter().any(|part| part.get("properties").is_some()) => {
                for (name, value) in members {
                    let known = beneath("properties", name);
                    if known.is_empty() {
                        errors.push(format!("{path}/{name}: not described"));
                    }
                    self.note_unknown(&known, value, &format!("{path}/{name}"), errors);
                }
            }
            Value::Array(items) => {
                let known = beneath("items", "");
                items.iter().enumerate().for_each(|(index, item)| {
                    self.note_unknown(&known, item, &format!("{path}/{index}"), errors)
                });
            }
            _ => {}
        }
    }

    fn validator(&self, schema: &Value) -> std::sync::Arc<Validator> {
        let mut known = self
            .validators
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let make = || std::sync::Arc::new(self.compile(schema));
        known.entry(schema.to_string()).or_insert_with(make).clone()
    }

    fn compile(&self, schema: &Value) -> Validator {
        // The schema's references point into the document's components.
        let mut root = schema.as_object().cloned().unwrap_or_else(Map::new);
        root.insert(
            "components".to_owned(),
            json!({"schemas": self.document["components"]["schemas"]}),
        );
        let options = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true);
        options
            .build(&Value::Object(root))
            .unwrap_or_else(|error| panic!("docs/openapi.yaml: {error}"))
    }
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            members
                .map(|(name, value)| (name.clone(), without_nulls(value)))
                .collect()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::Openapi;

    #[test]
    fn a_call_finds_its_route() {
        let route =
            |method: &str, path: &str| Openapi::get().route_of(method, path).unwrap_or_default();
        assert_eq!(route("GET", "/v1/offers/off_1"), "GET /v1/offers/{offerId}");
        assert_eq!(route("GET", "/v1/offers/shared"), "GET /v1/offers/shared");
        assert_eq!(
            route("POST", "/v1/callbacks/replay"),
            "POST /v1/callbacks/replay"
        );
        assert_eq!(route("PUT", "/v1/offers/off_1"), "");
        assert_eq!(route("GET", "/v1/offer"), "");
    }
}
