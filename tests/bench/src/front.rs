//! Stands before the in-process DynamoDB and counts what comes through.

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

/// A way to the database that counts.
#[derive(Debug)]
pub struct Front {
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

/// What came through.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// Requests.
    pub calls: u64,
    /// Transactions that a condition cancelled, among them.
    pub cancelled: u64,
    /// Read capacity units.
    pub read: f64,
    /// Write capacity units.
    pub write: f64,
}

impl Counted {
    /// What came through since an earlier look.
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
struct Passing {
    database: Arc<str>,
    http: reqwest::Client,
    counts: Arc<Counts>,
}

impl Front {
    /// Opens a way to the database at a URL.
    ///
    /// # Errors
    /// No port is free.
    pub async fn open(database: &str) -> Result<Self> {
        let counts = Arc::<Counts>::default();
        let passing = Passing {
            database: database.into(),
            http: reqwest::Client::new(),
            counts: counts.clone(),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let routes = Router::new()
            .fallback(pass)
            .layer(DefaultBodyLimit::disable())
            .with_state(passing);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { url, counts })
    }

    /// What came through so far.
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        reason = "units come in halves"
    )]
    pub fn counted(&self) -> Counted {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counted {
            calls: read(&self.counts.calls),
            cancelled: read(&self.counts.cancelled),
            read: read(&self.counts.read_halves) as f64 / 2.0,
            write: read(&self.counts.write_halves) as f64 / 2.0,
        }
    }
}

async fn pass(State(passing): State<Passing>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let target = headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok())
        .unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    let mut request = passing.http.post(&*passing.database).body(asking(&body));
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
    passing.counts.note(&operation, status.is_success(), &body);
    let mut response = plain(status, body);
    if let Some(content_type) = content_type {
        response.headers_mut().insert("content-type", content_type);
    }
    response
}

/// The request with the wish to be told the capacity, and without the token by which a try is recognised that is sent again: with
/// each transaction the in-process database looks through all tokens of the last ten minutes, which DynamoDB does not.
fn asking(body: &Bytes) -> Vec<u8> {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(mut request)) => {
            request.remove("ClientRequestToken");
            request.insert("ReturnConsumedCapacity".to_owned(), "TOTAL".into());
            Value::Object(request).to_string().into_bytes()
        }
        _ => body.to_vec(),
    }
}

fn plain(status: StatusCode, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
}

impl Counts {
    fn note(&self, operation: &str, success: bool, body: &[u8]) {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Told {
            consumed_capacity: Option<Value>,
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        let writes = operation == "TransactWriteItems";
        if writes && !success {
            self.cancelled.fetch_add(1, Ordering::Relaxed);
        }
        let told = serde_json::from_slice::<Told>(body)
            .ok()
            .and_then(|told| told.consumed_capacity);
        let all = match &told {
            Some(Value::Array(all)) => all.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let halves = all
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
