//! Callers of the API.

use std::fmt;
use std::fmt::Display;
use std::sync::Arc;

use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::answer::Answer;
use crate::request::Request;
use crate::stage::Stage;

/// A caller with an API key, or without one.
#[derive(Clone)]
pub struct Api {
    stage: Arc<dyn Stage>,
    key: Option<String>,
    new_connections: bool,
}

impl Api {
    pub fn new(stage: Arc<dyn Stage>, key: Option<&str>) -> Self {
        Self {
            stage,
            key: key.map(str::to_owned),
            new_connections: false,
        }
    }

    pub fn stage(&self) -> &Arc<dyn Stage> {
        &self.stage
    }

    /// The same caller on another stage, which must hold the same rows.
    pub fn on(&self, stage: Arc<dyn Stage>) -> Self {
        Self {
            stage,
            ..self.clone()
        }
    }

    /// Another caller on the same stage.
    pub fn with_key(&self, key: &str) -> Self {
        Self::new(Arc::clone(&self.stage), Some(key))
    }

    /// The same caller, which opens a connection for each call.
    pub fn on_new_connections(&self) -> Self {
        Self {
            new_connections: true,
            ..self.clone()
        }
    }

    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// See [`Stage::settle`](crate::Stage#method.settle).
    pub async fn settle<T, E: Display>(
        &self,
        description: &str,
        check: impl AsyncFnMut() -> Result<T, E>,
    ) -> T {
        self.stage.settle(description, check).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).send().await
    }

    /// Posts JSON with a new `Idempotency-Key`.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path).json(&body).send().await
    }

    /// Posts JSON with this `Idempotency-Key`.
    pub async fn post_with_key(&self, path: &str, idempotency_key: &str, body: Value) -> Answer {
        let call = self.call(Method::POST, path).json(&body);
        call.idempotency_key(idempotency_key).send().await
    }

    /// Posts without a body, with a new `Idempotency-Key`.
    pub async fn act(&self, path: &str) -> Answer {
        self.call(Method::POST, path).send().await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path).json(&body).send().await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path).json(&body).send().await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path).send().await
    }

    /// All entries of a list, page by page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        self.pages(path).await.concat()
    }

    /// The entries of each page of a list.
    pub async fn pages(&self, path: &str) -> Vec<Vec<Value>> {
        const MAX_PAGES: usize = 1_000;
        let (mut pages, mut cursor) = (Vec::new(), None::<String>);
        for _ in 0..MAX_PAGES {
            let separator = if path.contains('?') { '&' } else { '?' };
            let target = cursor.map_or_else(
                || path.to_owned(),
                |cursor| format!("{path}{separator}cursor={cursor}"),
            );
            let page = self.get(&target).await.ok();
            let items = page["items"].as_array();
            pages.push(
                items
                    .unwrap_or_else(|| panic!("{target}: no items: {page}"))
                    .clone(),
            );
            match page["nextCursor"].as_str() {
                None => return pages,
                Some(next) => cursor = Some(next.to_owned()),
            }
        }
        panic!("{path} has more than {MAX_PAGES} pages");
    }

    /// Starts a call that needs other headers or another body. A POST has a new `Idempotency-Key`.
    pub fn call(&self, method: Method, target: &str) -> Call {
        let idempotency_key = (method == Method::POST).then(|| Uuid::now_v7().to_string());
        let mut request = Request::new(method, target, self.key.as_deref());
        request.new_connection = self.new_connections;
        Call {
            stage: Arc::clone(&self.stage),
            request,
            idempotency_key,
        }
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// A call before it is sent.
pub struct Call {
    stage: Arc<dyn Stage>,
    request: Request,
    idempotency_key: Option<String>,
}

impl Call {
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.header("content-type", content_type).untyped_body(body)
    }

    /// A body without a content type.
    pub fn untyped_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.request.body = Some(body.into());
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request
            .headers
            .push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn idempotency_key(self, key: &str) -> Self {
        Self {
            idempotency_key: Some(key.to_owned()),
            ..self
        }
    }

    pub fn without_idempotency_key(self) -> Self {
        Self {
            idempotency_key: None,
            ..self
        }
    }

    pub async fn send(mut self) -> Answer {
        if let Some(key) = self.idempotency_key {
            self.request
                .headers
                .push(("idempotency-key".to_owned(), key));
        }
        self.stage.send(self.request).await
    }
}
