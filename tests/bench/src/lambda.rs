//! The Lambda Runtime API, and the processes that poll it.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path as InPath, State};
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde_json::json;
use tandem_store::outbox::Beside;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};

use crate::fair_queue::Message;

/// Lambda's default, in MiB.
pub const MEMORY: u64 = 128;
/// Of one invocation.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// An event of SQS.
pub fn event_of(messages: &[Message]) -> String {
    let record = |message: &Message| {
        let attributes = json!({"ApproximateReceiveCount": message.received.to_string()});
        json!({"messageId": message.number.to_string(), "body": message.body, "attributes": attributes, "messageAttributes": {}})
    };
    json!({"Records": messages.iter().map(record).collect::<Vec<_>>()}).to_string()
}

/// An event of the table's stream for new rows, given by partition key and sort key.
pub fn records_of(rows: impl Iterator<Item = (String, String)>) -> String {
    let record = |(pk, sk): (String, String)| {
        json!({"eventID": "1", "eventName": "INSERT", "awsRegion": "eu-central-1", "eventSource": "aws:dynamodb",
               "dynamodb": {"ApproximateCreationDateTime": 0, "Keys": {"pk": {"S": pk}, "sk": {"S": sk}}, "SizeBytes": 1}})
    };
    json!({"Records": rows.map(record).collect::<Vec<_>>()}).to_string()
}

/// An event of the table's stream for new callbacks, given by partition key and the members that the relay reads.
pub fn records_of_callbacks<'a>(rows: impl Iterator<Item = (String, &'a Beside)>) -> String {
    let text = |text: &Option<String>| text.as_ref().map(|text| json!({"S": text}));
    let record = |(pk, beside): (String, &Beside)| {
        let mut image = json!({"status": {"S": "waiting"}});
        for (name, value) in [
            ("connectionId", text(&beside.connection)),
            ("concerned", text(&beside.concerned)),
        ] {
            if let Some(value) = value {
                image[name] = value;
            }
        }
        json!({"eventID": "1", "eventName": "INSERT", "awsRegion": "eu-central-1", "eventSource": "aws:dynamodb",
               "dynamodb": {"ApproximateCreationDateTime": 0, "Keys": {"pk": {"S": pk}, "sk": {"S": "callback"}},
                            "NewImage": image, "SizeBytes": 1}})
    };
    json!({"Records": rows.map(record).collect::<Vec<_>>()}).to_string()
}

type Outcome = Result<String, String>;

/// Copies of one binary that take invocations in turn. Dropping the function ends them.
pub struct Function {
    name: String,
    api: Arc<RuntimeApi>,
    copies: Vec<Child>,
    logged: Arc<AtomicU64>,
}

struct RuntimeApi {
    number: AtomicU64,
    polls: AtomicUsize,
    invoke: mpsc::UnboundedSender<(u64, String)>,
    next: AsyncMutex<mpsc::UnboundedReceiver<(u64, String)>>,
    open: Mutex<HashMap<u64, oneshot::Sender<Outcome>>>,
}

impl Function {
    pub async fn start(binary: &Path, copies: usize, environment: &[(&str, &str)]) -> Result<Self> {
        let name = binary
            .file_name()
            .context("a binary has a name")?
            .to_string_lossy()
            .into_owned();
        let (invoke, next) = mpsc::unbounded_channel();
        let api = Arc::new(RuntimeApi {
            number: AtomicU64::new(1),
            polls: AtomicUsize::new(0),
            invoke,
            next: AsyncMutex::new(next),
            open: Mutex::default(),
        });
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next_invocation))
            .route(
                "/2018-06-01/runtime/invocation/{id}/response",
                post(response),
            )
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::disable())
            .with_state(api.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?.to_string();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let start = |_| {
            Command::new(binary)
                .env_clear()
                .envs(environment.iter().copied())
                .env("AWS_LAMBDA_RUNTIME_API", &address)
                .env("AWS_LAMBDA_FUNCTION_NAME", &name)
                .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
                .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", MEMORY.to_string())
                .env("AWS_LAMBDA_LOG_GROUP_NAME", "benchmark")
                .env("AWS_LAMBDA_LOG_STREAM_NAME", "benchmark")
                .stdout(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .with_context(|| format!("{} cannot be started", binary.display()))
        };
        let mut copies: Vec<Child> = (0..copies).map(start).collect::<Result<_>>()?;
        let logged = Arc::<AtomicU64>::default();
        for copy in &mut copies {
            let lines = copy.stdout.take().context("it is piped")?;
            tokio::spawn(count(lines, logged.clone()));
        }
        Ok(Self {
            name,
            api,
            copies,
            logged,
        })
    }

    /// The octets of all lines that the copies have logged.
    pub fn logged(&self) -> u64 {
        self.logged.load(Ordering::Relaxed)
    }

    /// The time that the copies have spent on a processor.
    pub fn cpu(&self) -> Duration {
        self.copies.iter().filter_map(cpu_of).sum()
    }

    /// Waits until every copy polls for its first invocation.
    pub async fn ready(&self) -> Result<()> {
        let all_poll = async {
            while self.api.polls.load(Ordering::Relaxed) < self.copies.len() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(TIME_LIMIT, all_poll)
            .await
            .with_context(|| format!("{} did not start in {TIME_LIMIT:?}", self.name))
    }

    /// Invokes one of the copies and returns its answer.
    pub async fn invoke(&self, event: String) -> Result<String> {
        let number = self.api.number.fetch_add(1, Ordering::Relaxed);
        let (done, answer) = oneshot::channel();
        self.api.open().insert(number, done);
        self.api
            .invoke
            .send((number, event))
            .map_err(|_| anyhow!("no process takes invocations"))?;
        let answer = tokio::time::timeout(TIME_LIMIT, answer).await;
        let answer =
            answer.with_context(|| format!("{} did not answer in {TIME_LIMIT:?}", self.name))??;
        answer.map_err(|error| anyhow!("{} answered with an error: {error}", self.name))
    }

    /// The peak memory of the largest copy, in KiB (`VmHWM`).
    pub fn peak_memory(&self) -> Result<u64> {
        let peaks = self.copies.iter().map(|copy| {
            let peak = copy.id().context("it ended").and_then(peak_memory_of);
            peak.with_context(|| format!("a copy of {} has ended", self.name))
        });
        Ok(peaks
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .max()
            .unwrap_or_default())
    }

    pub fn copies(&self) -> usize {
        self.copies.len()
    }
}

/// The peak memory of a process, in KiB.
pub(crate) fn peak_memory_of(id: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("no VmHWM")?;
    Ok(peak.trim().trim_end_matches(" kB").parse()?)
}

impl RuntimeApi {
    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<u64, oneshot::Sender<Outcome>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, number: u64, outcome: Outcome) -> StatusCode {
        match self.open().remove(&number) {
            Some(done) => {
                // The caller may have timed out.
                let _ = done.send(outcome);
                StatusCode::ACCEPTED
            }
            None => StatusCode::BAD_REQUEST,
        }
    }
}

async fn next_invocation(State(api): State<Arc<RuntimeApi>>) -> Response<Body> {
    api.polls.fetch_add(1, Ordering::Relaxed);
    let Some((number, event)) = api.next.lock().await.recv().await else {
        return Response::builder()
            .status(StatusCode::GONE)
            .body(Body::empty())
            .expect("a response");
    };
    let deadline = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        + TIME_LIMIT;
    Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", number.to_string())
        .header(
            "lambda-runtime-deadline-ms",
            deadline.as_millis().to_string(),
        )
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:123456789012:function:benchmark",
        )
        .body(Body::from(event))
        .expect("a response")
}

async fn response(
    State(api): State<Arc<RuntimeApi>>,
    InPath(number): InPath<u64>,
    answer: String,
) -> StatusCode {
    api.end(number, Ok(answer))
}

async fn error(
    State(api): State<Arc<RuntimeApi>>,
    InPath(number): InPath<u64>,
    answer: String,
) -> StatusCode {
    api.end(number, Err(answer))
}

async fn init_error(State(api): State<Arc<RuntimeApi>>, answer: String) -> StatusCode {
    let open: Vec<u64> = api.open().keys().copied().collect();
    for number in open {
        api.end(number, Err(format!("it cannot start: {answer}")));
    }
    StatusCode::ACCEPTED
}

async fn count(mut lines: ChildStdout, logged: Arc<AtomicU64>) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = lines.read(&mut piece).await {
        logged.fetch_add(read as u64, Ordering::Relaxed);
    }
}

/// The first number of `schedstat`, in nanoseconds, of each thread.
fn cpu_of(process: &Child) -> Option<Duration> {
    let threads = std::fs::read_dir(format!("/proc/{}/task", process.id()?)).ok()?;
    let of_thread = |thread: std::io::Result<std::fs::DirEntry>| -> Option<u64> {
        let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse().ok()
    };
    Some(Duration::from_nanos(threads.filter_map(of_thread).sum()))
}
