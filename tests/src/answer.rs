//! What the API answered.

use reqwest::header::HeaderMap;
use serde_json::Value;
use tandem_testing::Openapi;

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body, if it is JSON; else null.
    pub body: Value,
    /// The body as it came.
    pub text: String,
    call: String,
}

impl Answer {
    pub(crate) fn new(call: String, status: u16, headers: HeaderMap, text: String) -> Self {
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self {
            status,
            headers,
            body,
            text,
            call,
        }
    }

    /// The body of a 200.
    ///
    /// # Panics
    /// The answer is another one.
    #[track_caller]
    pub fn ok(self) -> Value {
        self.expect(200, "application/json")
    }

    /// The body of a 201 that says where the new thing is.
    ///
    /// # Panics
    /// The answer is another one.
    #[track_caller]
    pub fn created(self) -> Value {
        assert!(
            self.status != 201 || self.headers.contains_key("location"),
            "{self}: no Location"
        );
        self.expect(201, "application/json")
    }

    /// The body of a 202.
    ///
    /// # Panics
    /// The answer is another one.
    #[track_caller]
    pub fn accepted(self) -> Value {
        self.expect(202, "application/json")
    }

    /// The body of a refusal with this status and code.
    ///
    /// # Panics
    /// The answer is another one, or no proper problem.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        let shown = self.to_string();
        let body = self.expect(status, "application/problem+json");
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

    /// Goes on if a purchase was refused for one position, named by its number, for a reason that holds some words.
    ///
    /// # Panics
    /// The answer is another one.
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

    /// The wrong fields of a refusal with their codes, in the order of the answer.
    pub fn fields(&self) -> Vec<(String, String)> {
        let text = |error: &Value, name: &str| error[name].as_str().unwrap_or_default().to_owned();
        let errors = self.body["errors"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        errors
            .iter()
            .map(|error| (text(error, "field"), text(error, "code")))
            .collect()
    }

    /// A header, if it is there once and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Goes on if docs/openapi.yaml describes such an answer. Where there is no route, the gateway answers.
    #[track_caller]
    pub(crate) fn is_described(&self) {
        let (method, target) = self.call.split_once(' ').unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default();
        let Some(route) = Openapi::get().route_of(method, path) else {
            return;
        };
        let content_type = self.header("content-type").unwrap_or_default();
        let errors = Openapi::get().errors_of_answer(&route, self.status, content_type, &self.body);
        assert!(
            errors.is_empty(),
            "{self}\ndocs/openapi.yaml, {route}: {errors:#?}"
        );
    }

    #[track_caller]
    fn expect(self, status: u16, content_type: &str) -> Value {
        assert_eq!(self.status, status, "{self}");
        assert_eq!(self.header("content-type"), Some(content_type), "{self}");
        self.body
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} -> {} {}", self.call, self.status, self.text)
    }
}

/// The id of a thing that was answered.
///
/// # Panics
/// It has none.
#[track_caller]
pub fn id(thing: &Value) -> &str {
    thing["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id: {thing}"))
}
