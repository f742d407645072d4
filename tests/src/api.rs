//! Callers of the API.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::answer::Answer;
use crate::said;
use crate::stack::Stack;

/// Longer than the HTTP API itself waits for a function.
const LONGEST_CALL: Duration = Duration::from_secs(40);

/// How often a call is repeated that got no proper answer where AWS is broken on purpose; nowhere else is it repeated.
const MOST_REPEATS: usize = 5;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(500);

/// Someone who calls the API.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    key: Option<String>,
}

impl Api {
    /// The operator of the stack.
    ///
    /// # Panics
    /// There is no stack.
    pub fn as_operator() -> Self {
        Self {
            key: Some(Stack::get().operator_key.clone()),
            ..Self::as_nobody()
        }
    }

    /// A client with one of its API keys.
    ///
    /// # Panics
    /// There is no stack.
    pub fn as_client(key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..Self::as_nobody()
        }
    }

    /// Someone without a key.
    ///
    /// # Panics
    /// The HTTP client cannot be built.
    pub fn as_nobody() -> Self {
        // A client of its own: its connections live in the runtime of one test.
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(LONGEST_CALL)
            .build();
        Self {
            http: http.expect("an HTTP client"),
            key: None,
        }
    }

    /// The same caller over new connections.
    pub fn afresh(&self) -> Self {
        Self {
            key: self.key.clone(),
            ..Self::as_nobody()
        }
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).send().await
    }

    /// Posts JSON with a fresh `Idempotency-Key`.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path).json(&body).send().await
    }

    /// Posts without a body, as `accept` and its like take it, with a fresh `Idempotency-Key`.
    pub async fn act(&self, path: &str) -> Answer {
        self.call(Method::POST, path).send().await
    }

    /// Edits.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path).json(&body).send().await
    }

    /// Deletes.
    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path).send().await
    }

    /// All entries of a list, page by page.
    ///
    /// # Panics
    /// A page is refused, or the list does not end within 1,000 pages.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let (mut entries, mut cursor) = (Vec::new(), None::<String>);
        for _ in 0..1_000 {
            let more = if path.contains('?') { '&' } else { '?' };
            let asked = cursor.map_or_else(
                || path.to_owned(),
                |cursor| format!("{path}{more}cursor={cursor}"),
            );
            let page = self.get(&asked).await.ok();
            entries.extend(
                page["items"]
                    .as_array()
                    .unwrap_or_else(|| panic!("{asked}: no items: {page}"))
                    .iter()
                    .cloned(),
            );
            match page["nextCursor"].as_str() {
                None => return entries,
                Some(next) => cursor = Some(next.to_owned()),
            }
        }
        panic!("{path} does not come to an end");
    }

    /// A call to be put together: other headers, other bodies.
    pub fn call(&self, method: Method, path: &str) -> Call {
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", Stack::get().api_url));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let idempotency_key = (method == Method::POST).then(|| Uuid::now_v7().to_string());
        Call {
            name: format!("{method} {path}"),
            request,
            idempotency_key,
        }
    }
}

/// A call that is put together.
#[derive(Debug)]
pub struct Call {
    name: String,
    request: reqwest::RequestBuilder,
    idempotency_key: Option<String>,
}

impl Call {
    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        Self {
            request: self.request.json(body),
            ..self
        }
    }

    /// With any body.
    pub fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            request: self
                .request
                .header("content-type", content_type)
                .body(body.into()),
            ..self
        }
    }

    /// With a body whose type is not told.
    pub fn untyped_body(self, body: impl Into<Vec<u8>>) -> Self {
        Self {
            request: self.request.body(body.into()),
            ..self
        }
    }

    /// With another header.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self {
            request: self.request.header(name, value),
            ..self
        }
    }

    /// With an `Idempotency-Key` of the story's own instead of a fresh one.
    pub fn idempotency_key(self, key: &str) -> Self {
        Self {
            idempotency_key: Some(key.to_owned()),
            ..self
        }
    }

    /// Without an `Idempotency-Key`.
    pub fn without_idempotency_key(self) -> Self {
        Self {
            idempotency_key: None,
            ..self
        }
    }

    /// Calls. Where AWS is broken on purpose, it does what callers are told to: repeats what was answered by a 5xx, with the same
    /// `Idempotency-Key`.
    ///
    /// # Panics
    /// The API does not answer at all, or not as docs/openapi.yaml says.
    pub async fn send(self) -> Answer {
        let request = match &self.idempotency_key {
            Some(key) => self.request.header("idempotency-key", key),
            None => self.request,
        };
        let mut repeats = if Stack::get().faults { MOST_REPEATS } else { 0 };
        loop {
            let again = request.try_clone().expect("a body in memory");
            let answer = Self::once(self.name.clone(), again).await;
            if answer.status < 500 || repeats == 0 {
                answer.is_described();
                return answer;
            }
            repeats -= 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn once(name: String, request: reqwest::RequestBuilder) -> Answer {
        let (http, request) = request.build_split();
        let request = request.unwrap_or_else(|error| panic!("{name}: no request: {error:?}"));
        let said = request.try_clone().expect("a body in memory");
        let response = http
            .execute(request)
            .await
            .unwrap_or_else(|error| panic!("{name}: no answer: {error:?}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response
            .text()
            .await
            .unwrap_or_else(|error| panic!("{name}: the answer broke off: {error:?}"));
        said::note(&said, &text);
        Answer::new(name, status, headers, text)
    }
}
