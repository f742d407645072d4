//! Stand-ins for Secrets Manager and SQS; functions use one operation of each.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::fair_queue::FairQueue;

/// Both services, at one address.
#[derive(Debug)]
pub struct Services {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    /// The one queue that is kept.
    pub queue: Arc<FairQueue>,
}

#[derive(Clone)]
struct Service {
    secret: Arc<str>,
    name: &'static str,
    queue: Arc<FairQueue>,
}

impl Services {
    /// `secret` is the value of every secret, `name` the last part of the URL of `queue`. Messages to other queues are accepted
    /// and dropped.
    pub async fn start(secret: &str, name: &'static str, queue: FairQueue) -> Result<Self> {
        let queue = Arc::new(queue);
        let service = Service {
            secret: secret.into(),
            name,
            queue: queue.clone(),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let routes = Router::new()
            .fallback(answer)
            .layer(DefaultBodyLimit::disable())
            .with_state(service);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { url, queue })
    }
}

async fn answer(
    State(service): State<Service>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, Json<Value>) {
    let operation = headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok())
        .unwrap_or_default();
    let request: Value = serde_json::from_str(&body).unwrap_or_default();
    match operation {
        "secretsmanager.GetSecretValue" => {
            let id = &request["SecretId"];
            (
                StatusCode::OK,
                Json(json!({"ARN": id, "Name": id, "SecretString": &*service.secret})),
            )
        }
        "AmazonSQS.SendMessageBatch" => match request["Entries"].as_array() {
            Some(entries) if !entries.is_empty() => (
                StatusCode::OK,
                Json(service.send(&request["QueueUrl"], entries)),
            ),
            _ => (
                StatusCode::BAD_REQUEST,
                Json(json!({"__type": "com.amazonaws.sqs#EmptyBatchRequest"})),
            ),
        },
        _ => (
            StatusCode::BAD_REQUEST,
            Json(json!({"__type": "UnknownOperationException"})),
        ),
    }
}

impl Service {
    fn send(&self, url: &Value, entries: &[Value]) -> Value {
        let is_kept = url
            .as_str()
            .is_some_and(|url| url.rsplit('/').next() == Some(self.name));
        let sent = entries.iter().map(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default();
            if is_kept {
                let delay = Duration::from_secs(entry["DelaySeconds"].as_u64().unwrap_or(0));
                self.queue.push(
                    text("MessageGroupId"),
                    text("MessageBody").to_owned(),
                    delay,
                );
            }
            json!({"Id": text("Id"), "MessageId": text("Id"), "MD5OfMessageBody": ""})
        });
        json!({"Successful": sent.collect::<Vec<_>>(), "Failed": []})
    }
}
