//! Stand-ins for Secrets Manager and SQS, of which functions use one operation each.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::fair_queue::FairQueue;

/// Both, at one address.
#[derive(Debug)]
pub struct Services {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    /// What was sent to the one queue that is looked at.
    pub queue: Arc<FairQueue>,
}

#[derive(Clone)]
struct Answering {
    secret: Arc<str>,
    name: &'static str,
    queue: Arc<FairQueue>,
}

impl Services {
    /// Starts them with the text of every secret, and a queue with the last part of its URL. What is sent to other queues is
    /// taken and forgotten.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(secret: &str, name: &'static str, queue: FairQueue) -> Result<Self> {
        let queue = Arc::new(queue);
        let answering = Answering {
            secret: secret.into(),
            name,
            queue: queue.clone(),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let routes = Router::new()
            .fallback(answer)
            .layer(DefaultBodyLimit::disable())
            .with_state(answering);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { url, queue })
    }
}

async fn answer(
    State(service): State<Answering>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, Json<Value>) {
    let operation = headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok())
        .unwrap_or_default();
    let asked: Value = serde_json::from_str(&body).unwrap_or_default();
    match operation {
        "secretsmanager.GetSecretValue" => {
            let id = &asked["SecretId"];
            (
                StatusCode::OK,
                Json(json!({"ARN": id, "Name": id, "SecretString": &*service.secret})),
            )
        }
        "AmazonSQS.SendMessageBatch" => match asked["Entries"].as_array() {
            Some(entries) if !entries.is_empty() => (
                StatusCode::OK,
                Json(service.take(&asked["QueueUrl"], entries)),
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

impl Answering {
    fn take(&self, url: &Value, entries: &[Value]) -> Value {
        let is_kept = url
            .as_str()
            .is_some_and(|url| url.rsplit('/').next() == Some(self.name));
        let taken = entries.iter().map(|entry| {
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
        json!({"Successful": taken.collect::<Vec<_>>(), "Failed": []})
    }
}
