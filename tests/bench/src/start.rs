//! Starts a function's binary and measures it until it polls for its first invocation.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::lambda::peak_memory_of;

/// The time that each service takes to answer.
#[derive(Debug, Clone, Copy)]
pub struct Delays {
    pub dynamodb: Duration,
    pub secrets_manager: Duration,
    pub sqs: Duration,
}

/// One start, until the first poll.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// User and system time of all threads.
    pub processor: Duration,
    pub duration: Duration,
    /// In KiB.
    pub memory: u64,
}

/// A Lambda Runtime API that never gives an invocation, and stand-ins for the services that functions connect to.
pub struct Lambda {
    runtime_api: String,
    services: String,
    polls: Mutex<UnboundedReceiver<Result<Instant, String>>>,
}

impl Lambda {
    /// `secret` is the value of every secret.
    pub async fn start(delays: Delays, secret: &str) -> Result<Self> {
        let (polled, polls) = unbounded_channel();
        let runtime = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/init/error", post(failed))
            .with_state(polled);
        let secret = json!({"ARN": "secret", "Name": "secret", "SecretString": secret});
        let services = Router::new().fallback(answer).with_state((delays, secret));
        Ok(Self {
            runtime_api: serve(runtime).await?,
            services: serve(services).await?,
            polls: Mutex::new(polls),
        })
    }

    /// Starts a binary, and ends it when it polls.
    pub async fn measure(&self, binary: &Path) -> Result<Start> {
        let before = Instant::now();
        let mut child = self.spawn(binary)?;
        let polled = self.polled().await;
        let polled = polled.with_context(|| binary.display().to_string());
        // The process sleeps by then, so the kernel has added up its time.
        tokio::time::sleep(Duration::from_millis(2)).await;
        let start = polled.and_then(|polled| {
            Ok(Start {
                processor: processor_time_of(&child)?,
                duration: polled - before,
                memory: peak_memory_of(child.id())?,
            })
        });
        child.kill()?;
        child.wait()?;
        start
    }

    async fn polled(&self) -> Result<Instant> {
        let mut polls = self.polls.lock().await;
        let polled = tokio::time::timeout(Duration::from_secs(20), polls.recv());
        match polled.await.context("the function does not poll")? {
            Some(Ok(polled)) => Ok(polled),
            Some(Err(error)) => bail!("the function cannot start: {error}"),
            None => bail!("the Runtime API has ended"),
        }
    }

    fn spawn(&self, binary: &Path) -> Result<Child> {
        let url = format!("http://{}", self.services);
        let mut command = Command::new(binary);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", &self.runtime_api)
            .env("AWS_LAMBDA_FUNCTION_NAME", "benchmark")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "benchmark")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "benchmark")
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "benchmark")
            .env("AWS_SECRET_ACCESS_KEY", "benchmark")
            .env("AWS_SESSION_TOKEN", "benchmark")
            .env("RUST_LOG", "info")
            .env("STAGE", "production")
            .env("TABLE_NAME", "table");
        for service in ["DYNAMODB", "SECRETS_MANAGER", "SQS"] {
            command.env(format!("AWS_ENDPOINT_URL_{service}"), &url);
        }
        for secret in ["DATA_KEY", "OPERATOR_KEY"] {
            command.env(format!("{secret}_SECRET_ARN"), "secret");
        }
        for queue in ["CALLBACK", "MAIL", "IMPORT", "DEAD_LETTER"] {
            command.env(format!("{queue}_QUEUE_URL"), format!("{url}/{queue}"));
        }
        command
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("{} cannot be started; use make", binary.display()))
    }
}

async fn serve(routes: Router) -> Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}

type Polled = UnboundedSender<Result<Instant, String>>;

async fn next(State(polled): State<Polled>) {
    // The receiver lives as long as this server.
    let _ = polled.send(Ok(Instant::now()));
    std::future::pending().await
}

async fn failed(State(polled): State<Polled>, error: String) -> StatusCode {
    let _ = polled.send(Err(error));
    StatusCode::ACCEPTED
}

async fn answer(
    State((delays, secret)): State<(Delays, Value)>,
    headers: HeaderMap,
) -> (StatusCode, Json<Value>) {
    let target = headers.get("x-amz-target");
    let target = target
        .and_then(|target| target.to_str().ok())
        .unwrap_or_default();
    let (delay, status, body) = match target.split('.').next() {
        Some("DynamoDB_20120810") => (delays.dynamodb, StatusCode::OK, json!({})),
        Some("secretsmanager") => (delays.secrets_manager, StatusCode::OK, secret),
        // A start sends an empty batch.
        _ => {
            let error = json!({"__type": "com.amazonaws.sqs#EmptyBatchRequest"});
            (delays.sqs, StatusCode::BAD_REQUEST, error)
        }
    };
    // Tokio's timer rounds up to milliseconds.
    let _ = tokio::task::spawn_blocking(move || std::thread::sleep(delay)).await;
    (status, Json(body))
}

/// Source: <https://docs.kernel.org/scheduler/sched-stats.html>; the first number of `schedstat` is in nanoseconds.
fn processor_time_of(child: &Child) -> Result<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{}/task", child.id()))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let first = text.split(' ').next().context("schedstat is empty")?;
        nanoseconds += first.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}
