//! Successful answers and their HTTP form.

use lambda_http::Body;
use lambda_http::http::{Response, StatusCode, header};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use tandem_domain::callback::Concerned;
use tandem_sealing::Sealer;

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    /// `Link` header: names the next part of a long CSV.
    pub link: Option<String>,
    /// The customer whose data the body holds, with the key that seals a stored copy of it.
    pub sealed_for: Option<(Concerned, Sealer)>,
    /// The secret in the body. A stored copy of the body is deflated without it.
    pub secret: Option<SecretString>,
    /// Whether this is the stored answer of an earlier request.
    pub repeated: bool,
    /// The ids of the rows that the request wrote, for the log.
    pub written: Vec<String>,
    pub body: Content,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Json(Value),
    /// Comma-separated values, RFC 4180.
    Csv(String),
}

impl Answer {
    pub fn ok(body: impl Serialize) -> Self {
        Self::json(200, body)
    }

    /// 201 with the path of the created resource.
    pub fn created(location: String, body: impl Serialize) -> Self {
        Self {
            location: Some(location),
            ..Self::json(201, body)
        }
    }

    pub fn json(status: u16, body: impl Serialize) -> Self {
        // Views consist of strings, numbers and lists, so they always serialize.
        let body = serde_json::to_value(body).unwrap_or(Value::Null);
        Self {
            status,
            location: None,
            link: None,
            sealed_for: None,
            secret: None,
            repeated: false,
            written: Vec::new(),
            body: Content::Json(body),
        }
    }

    /// Names the secret that the body shows. Each answer with a secret must name it.
    pub fn showing(self, secret: &SecretString) -> Self {
        Self {
            secret: Some(secret.clone()),
            ..self
        }
    }

    pub fn csv(text: String, link: Option<String>) -> Self {
        Self {
            status: 200,
            location: None,
            link,
            sealed_for: None,
            secret: None,
            repeated: false,
            written: Vec::new(),
            body: Content::Csv(text),
        }
    }

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
        if self.repeated {
            response = response.header("idempotency-replayed", "true");
        }
        response
            .body(Body::Text(body))
            .unwrap_or_else(|_| Response::new(Body::Empty))
    }
}
