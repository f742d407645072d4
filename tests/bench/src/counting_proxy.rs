//! A proxy in front of the in-process DynamoDB that counts calls and capacity.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpListener;

#[derive(Debug)]
pub struct CountingProxy {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    calls: AtomicU64,
    cancelled: AtomicU64,
    read_halves: AtomicU64,
    write_halves: AtomicU64,
}

#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub calls: u64,
    /// Transactions that a condition cancelled.
    pub cancelled: u64,
    /// Read capacity units.
    pub read: f64,
    /// Write capacity units.
    pub write: f64,
}

impl Usage {
    #[expect(clippy::float_arithmetic, reason = "units come in halves")]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            calls: self.calls - before.calls,
            cancelled: self.cancelled - before.cancelled,
            read: self.read - before.read,
            write: self.write - before.write,
        }
    }
}

#[derive(Clone)]
struct Proxy {
    database: Arc<str>,
    http: reqwest::Client,
    counts: Arc<Counts>,
}

impl CountingProxy {
    /// Starts a proxy in front of the database at a URL.
    pub async fn start(database: &str) -> Result<Self> {
        let counts = Arc::<Counts>::default();
        let proxy = Proxy {
            database: database.into(),
            http: reqwest::Client::new(),
            counts: counts.clone(),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let routes = Router::new()
            .fallback(forward)
            .layer(DefaultBodyLimit::disable())
            .with_state(proxy);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { url, counts })
    }

    #[expect(
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        reason = "units come in halves"
    )]
    pub fn usage(&self) -> Usage {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Usage {
            calls: read(&self.counts.calls),
            cancelled: read(&self.counts.cancelled),
            read: read(&self.counts.read_halves) as f64 / 2.0,
            write: read(&self.counts.write_halves) as f64 / 2.0,
        }
    }
}

async fn forward(State(proxy): State<Proxy>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let target = headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok())
        .unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    let answer = answer_of(&proxy.http, &proxy.database, &headers, rewritten(&body)).await;
    let (parts, body) = answer.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
        return plain(StatusCode::BAD_GATEWAY, Bytes::new());
    };
    proxy
        .counts
        .add(&operation, parts.status.is_success(), &body);
    Response::from_parts(parts, Body::from(body))
}

/// The answer of the database to a request.
pub(crate) async fn answer_of(
    http: &reqwest::Client,
    database: &str,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Response<Body> {
    let mut request = http.post(database).body(body);
    for name in [
        "x-amz-target",
        "content-type",
        "authorization",
        "x-amz-date",
    ] {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value);
        }
    }
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => return plain(StatusCode::BAD_GATEWAY, error.to_string().into()),
    };
    let (status, content_type) = (
        answer.status(),
        answer.headers().get("content-type").cloned(),
    );
    let Ok(body) = answer.bytes().await else {
        return plain(StatusCode::BAD_GATEWAY, Bytes::new());
    };
    let mut response = plain(status, body);
    if let Some(content_type) = content_type {
        response.headers_mut().insert("content-type", content_type);
    }
    response
}

/// Requests the consumed capacity, and removes the idempotency token: for each transaction the in-process database scans all
/// tokens of the last ten minutes, which DynamoDB does not.
fn rewritten(body: &Bytes) -> Vec<u8> {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(mut request)) => {
            request.remove("ClientRequestToken");
            request.insert("ReturnConsumedCapacity".to_owned(), "TOTAL".into());
            Value::Object(request).to_string().into_bytes()
        }
        _ => body.to_vec(),
    }
}

pub(crate) fn plain(status: StatusCode, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
}

impl Counts {
    fn add(&self, operation: &str, success: bool, body: &[u8]) {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Consumed {
            consumed_capacity: Option<Value>,
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        let writes = matches!(operation, "TransactWriteItems" | "PutItem");
        if writes && !success {
            self.cancelled.fetch_add(1, Ordering::Relaxed);
        }
        let consumed = serde_json::from_slice::<Consumed>(body)
            .ok()
            .and_then(|answer| answer.consumed_capacity);
        let tables = match &consumed {
            Some(Value::Array(tables)) => tables.as_slice(),
            Some(table) => std::slice::from_ref(table),
            None => &[],
        };
        let halves = tables
            .iter()
            .filter_map(|used| used["CapacityUnits"].as_f64())
            .map(halves)
            .sum();
        let of = if writes {
            &self.write_halves
        } else {
            &self.read_halves
        };
        of.fetch_add(halves, Ordering::Relaxed);
    }
}

#[expect(
    clippy::float_arithmetic,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "small and positive"
)]
fn halves(units: f64) -> u64 {
    (units * 2.0).round() as u64
}
