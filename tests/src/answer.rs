//! An answer of the API.

use std::fmt;

use reqwest::header::HeaderMap;
use serde_json::Value;
use tandem_testing::Openapi;

use crate::request::Request;

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// Null if the body is not JSON.
    pub body: Value,
    pub text: String,
    /// Method and target of the request.
    call: String,
}

impl Answer {
    pub(crate) fn new(request: &Request, status: u16, headers: HeaderMap, text: String) -> Self {
        Self {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
            call: request.to_string(),
        }
    }

    /// The body of a 200.
    #[track_caller]
    pub fn ok(self) -> Value {
        self.body_of(200, JSON)
    }

    /// The body of a 201 that has a `Location`.
    #[track_caller]
    pub fn created(self) -> Value {
        assert!(
            self.status != 201 || self.headers.contains_key("location"),
            "{self}: no Location"
        );
        self.body_of(201, JSON)
    }

    /// The body of a 202.
    #[track_caller]
    pub fn accepted(self) -> Value {
        self.body_of(202, JSON)
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self}");
        self.body
    }

    /// The body of a problem with this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        let shown = self.to_string();
        let body = self.body_of(status, PROBLEM);
        assert_eq!(body["code"], code, "{shown}");
        assert_eq!(body["status"], status, "{shown}");
        assert!(
            ["type", "title", "detail"]
                .iter()
                .all(|name| body[name].is_string()),
            "{shown}"
        );
        body
    }

    /// The `code` of a problem; empty for any other answer.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Asserts that a purchase was rejected because of this one position, with a detail that contains `reason`.
    #[track_caller]
    pub fn not_sellable(self, position: u8, reason: &str) {
        let (fields, shown) = (self.fields(), self.to_string());
        let named = format!("position {position}");
        assert_eq!(
            fields,
            [(named.clone(), "offer_not_available".to_owned())],
            "{shown}"
        );
        let problem = self.problem(409, "cart_not_sellable");
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(
            detail.contains(&named) && detail.contains(reason),
            "{shown}"
        );
    }

    /// The `field` and `code` of each entry of `errors`, in order.
    pub fn fields(&self) -> Vec<(String, String)> {
        let text = |error: &Value, name: &str| error[name].as_str().unwrap_or_default().to_owned();
        let errors = self.body["errors"].as_array();
        errors
            .into_iter()
            .flatten()
            .map(|error| (text(error, "field"), text(error, "code")))
            .collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether this is the stored answer of an earlier request with the same `Idempotency-Key`.
    pub fn is_repeated(&self) -> bool {
        self.header("idempotency-replayed") == Some("true")
    }

    /// Asserts that docs/openapi.yaml describes the answer and, if the request was accepted, its body.
    #[track_caller]
    pub(crate) fn assert_described(&self, request: &Request) {
        // The gateway itself answers where the API has no route.
        let Some(route) = Openapi::get().route_of(request.method.as_str(), request.path()) else {
            return;
        };
        let content_type = self.header("content-type").unwrap_or_default();
        let mut errors =
            Openapi::get().errors_of_answer(&route, self.status, content_type, &self.body);
        let body = request.body.as_deref().filter(|body| !body.is_empty());
        if let (200..300, Some(body)) = (self.status, body) {
            let body = serde_json::from_slice(body).expect("only JSON is accepted");
            errors.extend(Openapi::get().errors_of_request(&route, &body));
        }
        assert!(
            errors.is_empty(),
            "{self}\ndocs/openapi.yaml, {route}: {errors:#?}"
        );
    }

    #[track_caller]
    fn body_of(self, status: u16, content_type: &str) -> Value {
        assert_eq!(self.status, status, "{self}");
        assert_eq!(self.header("content-type"), Some(content_type), "{self}");
        self.body
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {} {}", self.call, self.status, self.text)
    }
}

/// The `id` of a body.
#[track_caller]
pub fn id(body: &Value) -> &str {
    body["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id: {body}"))
}
