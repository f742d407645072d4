//! Requests in the form in which the HTTP API sends them to a function.

use std::collections::BTreeMap;
use std::fmt::Display;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::Request;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

/// The id of each request, in the form of the HTTP API's.
pub const REQUEST: &str = "Yx3kWhO_FiAEJ1g=";

/// Builds the event of an API Gateway HTTP API, payload version 2.0, which `lambda_http` turns into a request as in
/// production.
///
/// ```
/// # use tandem_testing::HttpCall;
/// let request = HttpCall::new("GET /v1/offers/{offerId}")
///     .path("offerId", "off_1")
///     .query("limit", 10)
///     .client("cli_1", "cco_1")
///     .request();
/// assert_eq!(request.uri().path(), "/v1/offers/off_1");
/// ```
#[derive(Debug, Clone)]
pub struct HttpCall {
    route_key: String,
    path: BTreeMap<String, String>,
    query: Vec<(String, String)>,
    is_default_route: bool,
    headers: BTreeMap<String, String>,
    body: Option<Vec<u8>>,
    authorizer: Option<Map<String, Value>>,
}

impl HttpCall {
    /// `route_key` is spelled as in `template.yaml`: `GET /v1/offers/{offerId}`. There is no authorizer context yet.
    pub fn new(route_key: impl Into<String>) -> Self {
        Self {
            route_key: route_key.into(),
            path: BTreeMap::new(),
            query: Vec::new(),
            is_default_route: false,
            headers: BTreeMap::from([("host".to_owned(), "api.example.com".to_owned())]),
            body: None,
            authorizer: None,
        }
    }

    /// A call for which the API has no route, by method and path.
    pub fn without_route(method: impl Display, path: impl Display) -> Self {
        Self {
            is_default_route: true,
            ..Self::new(format!("{method} {path}"))
        }
    }

    /// Sets a parameter of the route's path.
    pub fn path(mut self, name: &str, value: impl Display) -> Self {
        self.path.insert(name.to_owned(), value.to_string());
        self
    }

    /// Adds a query parameter; the same name may be added again.
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    pub fn header(mut self, name: &str, value: impl Display) -> Self {
        self.headers
            .insert(name.to_ascii_lowercase(), value.to_string());
        self
    }

    /// Sets a JSON body and its content type.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    /// Sets the body without a content type, for invalid bodies.
    pub fn body(self, body: impl Into<String>) -> Self {
        self.bytes(body.into().into_bytes())
    }

    /// Sets the body without a content type. A body that is not text is sent in base64, as by the HTTP API.
    pub fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Authenticates the call as a client.
    pub fn client(self, client_id: impl Display, company_id: impl Display) -> Self {
        self.authorizer(json!({
            "role": "client",
            "clientId": client_id.to_string(),
            "companyId": company_id.to_string(),
            "keyId": "testkey",
        }))
    }

    /// Authenticates the call as the operator.
    pub fn operator(self) -> Self {
        self.authorizer(json!({"role": "operator"}))
    }

    /// Sets the authorizer's context, which must be an object.
    pub fn authorizer(mut self, context: Value) -> Self {
        let Value::Object(context) = context else {
            panic!("an authorizer's context is an object, not {context}")
        };
        self.authorizer = Some(context);
        self
    }

    /// The event, payload version 2.0.
    pub fn event(&self) -> Value {
        let (method, template) = self
            .route_key
            .split_once(' ')
            .expect("a route is a method and a path");
        let path = self.raw_path(template);
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.query)
            .finish();
        let route_key = if self.is_default_route {
            "$default"
        } else {
            &self.route_key
        };
        let mut event = json!({
            "version": "2.0",
            "routeKey": route_key,
            "rawPath": path,
            "rawQueryString": query,
            "headers": self.headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "testapi",
                "domainName": "api.example.com",
                "domainPrefix": "api",
                "http": {
                    "method": method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1",
                    "userAgent": "test",
                },
                "requestId": REQUEST,
                "routeKey": route_key,
                "stage": "$default",
                "time": "01/Jul/2026:12:00:00 +0000",
                "timeEpoch": 1_782_907_200_000_i64,
            },
            "isBase64Encoded": false,
        });
        // The gateway omits empty members.
        if !self.query.is_empty() {
            event["queryStringParameters"] = json!(self.joined_query());
        }
        if !self.path.is_empty() {
            event["pathParameters"] = json!(self.path);
        }
        if let Some(body) = &self.body {
            match std::str::from_utf8(body) {
                Ok(text) => event["body"] = json!(text),
                Err(_) => {
                    event["body"] = json!(STANDARD.encode(body));
                    event["isBase64Encoded"] = json!(true);
                }
            }
        }
        if let Some(context) = &self.authorizer {
            event["requestContext"]["authorizer"] = json!({"lambda": context});
        }
        event
    }

    pub fn request(&self) -> Request {
        lambda_http::request::from_str(&self.event().to_string())
            .expect("the event is a payload 2.0 event")
    }

    fn raw_path(&self, template: &str) -> String {
        let path = self
            .path
            .iter()
            .fold(template.to_owned(), |path, (name, value)| {
                path.replace(&format!("{{{name}}}"), value)
            });
        assert!(
            !path.contains('{'),
            "{} lacks a path parameter",
            self.route_key
        );
        path
    }

    // The gateway joins the values of a repeated name with commas.
    fn joined_query(&self) -> BTreeMap<&str, String> {
        let mut joined = BTreeMap::<&str, String>::new();
        for (name, value) in &self.query {
            let values = joined.entry(name).or_default();
            if !values.is_empty() {
                values.push(',');
            }
            values.push_str(value);
        }
        joined
    }
}
