//! Answers.

use lambda_http::Body;
use lambda_http::http::{Response, StatusCode, header};
use serde::Serialize;
use serde_json::Value;
use tandem_domain::callback::Concerned;
use tandem_sealing::Sealer;

/// A proper answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Location` header.
    pub location: Option<String>,
    /// `Link` header: where the next part of a long text is.
    pub link: Option<String>,
    /// The customer whose data the body holds, with the key that seals them wherever they are kept.
    pub about: Option<(Concerned, Sealer)>,
    /// Whether this repeats the answer of an earlier request.
    pub replayed: bool,
    /// The body.
    pub body: Content,
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// JSON.
    Json(Value),
    /// Comma-separated values, RFC 4180.
    Csv(String),
}

impl Answer {
    /// 200 with JSON.
    pub fn ok(body: impl Serialize) -> Self {
        Self::json(200, body)
    }

    /// 201 with JSON and where it is from now on.
    pub fn created(location: String, body: impl Serialize) -> Self {
        Self {
            location: Some(location),
            ..Self::json(201, body)
        }
    }

    /// Any status with JSON.
    pub fn json(status: u16, body: impl Serialize) -> Self {
        // A view is made of strings, numbers and lists; it cannot fail to become JSON.
        let body = serde_json::to_value(body).unwrap_or(Value::Null);
        Self {
            status,
            location: None,
            link: None,
            about: None,
            replayed: false,
            body: Content::Json(body),
        }
    }

    /// 200 with CSV.
    pub fn csv(text: String, link: Option<String>) -> Self {
        Self {
            status: 200,
            location: None,
            link,
            about: None,
            replayed: false,
            body: Content::Csv(text),
        }
    }

    /// The HTTP response.
    pub fn into_response(self) -> Response<Body> {
        let (content_type, body) = match self.body {
            Content::Json(value) => ("application/json", value.to_string()),
            Content::Csv(text) => ("text/csv; charset=utf-8", text),
        };
        let mut response = Response::builder()
            .status(StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK))
            .header(header::CONTENT_TYPE, content_type)
            .header(header::CACHE_CONTROL, "no-store");
        if let Some(location) = self.location {
            response = response.header(header::LOCATION, location);
        }
        if let Some(link) = self.link {
            response = response.header(header::LINK, link);
        }
        if self.replayed {
            response = response.header("idempotency-replayed", "true");
        }
        response
            .body(Body::Text(body))
            .unwrap_or_else(|_| Response::new(Body::Empty))
    }
}
