//! Callers, routes and answers of the handler tests.

use std::collections::BTreeMap;

use serde_json::Value;

/// Who calls.
#[derive(Debug, Clone)]
pub enum Who {
    /// The operator.
    Operator,
    /// A client with its contracting company.
    Client(String, String),
}

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Whether it was marked `Idempotency-Replayed: true`.
    pub replayed: bool,
    /// All headers.
    pub headers: BTreeMap<String, String>,
    /// `content-type`.
    pub content_type: String,
    /// `Link`.
    pub link: Option<String>,
    /// `Retry-After`.
    pub retry_after: Option<String>,
    /// The body as text.
    pub text: String,
    /// The body as JSON, `null` if it is none.
    pub body: Value,
}

impl Answer {
    /// The body, if the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    /// The `code` of a problem, if the status is this one.
    #[track_caller]
    pub fn problem(self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.content_type, "application/problem+json");
        self.body["code"].as_str().unwrap_or_default().to_owned()
    }
}
