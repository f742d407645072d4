//! A proxy in front of the in-process DynamoDB that lets the indexes of payout rows look long: a query of a partition is
//! answered with its real entries, repeated until a page is full, and with as many pages as wanted.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::counting_proxy::{answer_of, plain};

/// DynamoDB ends a page when it has read a mebibyte.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>
const PAGE: usize = 1024 * 1024;

/// The length of each partition.
#[derive(Debug, Clone, Copy)]
pub struct Length {
    pub pages: usize,
    /// On each page.
    pub entries: usize,
}

impl Length {
    /// Partitions that have at least `entries` together, each entry with its octets.
    pub fn of(entries: usize, octets: usize, partitions: usize) -> Self {
        let of_page = PAGE / octets;
        Self {
            pages: entries.div_ceil(partitions).div_ceil(of_page),
            entries: of_page,
        }
    }
}

#[derive(Debug)]
pub struct LongIndex {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    queries: Arc<AtomicU64>,
}

#[derive(Clone)]
struct Proxy {
    database: Arc<str>,
    http: reqwest::Client,
    length: Length,
    partitions: Arc<Mutex<HashMap<String, Partition>>>,
    queries: Arc<AtomicU64>,
}

/// The entries of a page as JSON, and how many pages were read.
#[derive(Debug, Clone)]
struct Partition {
    entries: Bytes,
    last: Bytes,
    read: usize,
}

impl LongIndex {
    /// Starts a proxy in front of the database at a URL.
    pub async fn start(database: &str, length: Length) -> Result<Self> {
        let queries = Arc::<AtomicU64>::default();
        let proxy = Proxy {
            database: database.into(),
            http: reqwest::Client::new(),
            length,
            partitions: Arc::default(),
            queries: queries.clone(),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let routes = Router::new()
            .fallback(answer)
            .layer(DefaultBodyLimit::disable())
            .with_state(proxy);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { url, queries })
    }

    /// The queries of payout rows.
    pub fn queries(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }
}

async fn answer(State(proxy): State<Proxy>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let partition = request["ExpressionAttributeValues"][":pk"]["S"].as_str();
    let Some(partition) = partition.filter(|name| name.contains("#payouts#")) else {
        return answer_of(&proxy.http, &proxy.database, &headers, body.to_vec()).await;
    };
    proxy.queries.fetch_add(1, Ordering::Relaxed);
    if let Some(page) = proxy.next_page(partition) {
        return plain_json(page);
    }
    let real = answer_of(&proxy.http, &proxy.database, &headers, body.to_vec()).await;
    let Ok(real) = axum::body::to_bytes(real.into_body(), PAGE).await else {
        return plain(axum::http::StatusCode::BAD_GATEWAY, Bytes::new());
    };
    proxy.repeat(partition, &real);
    proxy.next_page(partition).map_or_else(
        || plain(axum::http::StatusCode::BAD_GATEWAY, real),
        plain_json,
    )
}

impl Proxy {
    /// `None` until the real entries of the partition are known.
    fn next_page(&self, name: &str) -> Option<Bytes> {
        let mut partitions = self.lock();
        let partition = partitions.get_mut(name)?;
        partition.read += 1;
        if partition.read < self.length.pages {
            return Some(partition.entries.clone());
        }
        partition.read = 0;
        Some(partition.last.clone())
    }

    fn repeat(&self, name: &str, real: &[u8]) {
        let answer: Value = serde_json::from_slice(real).unwrap_or_default();
        let entries = answer["Items"].as_array().cloned().unwrap_or_default();
        if entries.is_empty() {
            return;
        }
        let page: Vec<_> = entries.iter().cycle().take(self.length.entries).collect();
        let key = json!({"pk": {"S": name}, "sk": {"S": "payout"}, "gsisk": {"S": name}});
        let more = json!({"Items": page, "Count": page.len(), "LastEvaluatedKey": key});
        let last = json!({"Items": page, "Count": page.len()});
        let partition = Partition {
            entries: more.to_string().into(),
            last: last.to_string().into(),
            read: 0,
        };
        self.lock().insert(name.to_owned(), partition);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Partition>> {
        self.partitions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn plain_json(body: Bytes) -> Response<Body> {
    let mut response = plain(axum::http::StatusCode::OK, body);
    let content_type = axum::http::HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert("content-type", content_type);
    response
}
