//! A request to the API.

use std::fmt;

use reqwest::Method;

/// A request before any stage has sent it.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: Method,
    /// Path and query: `/v1/offers?limit=1`.
    pub target: String,
    /// Without `Authorization`.
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
    /// The API key of `Authorization: Bearer`.
    pub key: Option<String>,
    /// Asks a deployed stage for a TCP connection that no other request has used.
    pub new_connection: bool,
}

impl Request {
    pub fn new(method: Method, target: &str, key: Option<&str>) -> Self {
        Self {
            method,
            target: target.to_owned(),
            headers: Vec::new(),
            body: None,
            key: key.map(str::to_owned),
            new_connection: false,
        }
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target)
    }
}
