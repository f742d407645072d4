//! A partner's system that receives callbacks: an HTTP server on loopback with scripted replies.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use uuid::Uuid;

use crate::stage::Stage;

/// A receiver accepts a signature that is at most this old, as Standard Webhooks advises.
const SIGNATURE_TOLERANCE_SECONDS: i64 = 300;

/// A reply of a receiver: an answer with a status, or none.
#[derive(Debug, Clone)]
pub struct Reply {
    end: End,
    headers: Vec<(String, String)>,
    body: String,
    delay: Duration,
}

#[derive(Debug, Clone)]
enum End {
    Status(u16),
    /// The status comes from a [`Release`].
    Held(watch::Receiver<Option<u16>>),
    /// The connection is closed without an answer.
    Cut,
    /// The connection stays open without an answer.
    Hang,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self::new(End::Status(status))
    }

    /// Closes the connection without an answer.
    pub fn cut() -> Self {
        Self::new(End::Cut)
    }

    /// Keeps the connection open, and never answers.
    pub fn hang() -> Self {
        Self::new(End::Hang)
    }

    /// Keeps the connection open until the test releases it.
    pub fn held() -> (Self, Release) {
        let (status, released) = watch::channel(None);
        (Self::new(End::Held(released)), Release(status))
    }

    fn new(end: End) -> Self {
        Self {
            end,
            headers: Vec::new(),
            body: String::new(),
            delay: Duration::ZERO,
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(self, text: &str) -> Self {
        Self {
            body: text.to_owned(),
            ..self
        }
    }

    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    fn is_success(&self) -> bool {
        matches!(self.end, End::Status(200..300))
    }
}

/// Answers the requests whose reply is [`Reply::held`].
#[derive(Debug)]
pub struct Release(watch::Sender<Option<u16>>);

impl Release {
    /// Answers all waiting and future requests with this status.
    pub fn answer(&self, status: u16) {
        self.0.send_replace(Some(status));
    }
}

/// A request to a receiver.
#[derive(Debug, Clone)]
pub struct Received {
    pub at: Timestamp,
    /// Path and query.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Whether the reply is a 2xx. False for a held reply.
    pub accepted: bool,
}

impl Received {
    #[track_caller]
    pub fn webhook_id(&self) -> &str {
        self.header("webhook-id")
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_else(|| panic!("no {name} among {:?}", self.headers))
    }

    /// The body as JSON, without a look at its signature.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a callback's body is JSON")
    }
}

/// The body of a callback, verified by the reference library.
#[track_caller]
pub fn verified(received: &Received, secret: &str) -> Value {
    assert!(
        is_signed_with(received, secret),
        "{} is not signed with {secret}: {:?}",
        received.webhook_id(),
        received.headers
    );
    let age = received.at.as_second() - signed_at(received);
    assert!(
        age.abs() <= SIGNATURE_TOLERANCE_SECONDS,
        "{} was signed {age} s before it came",
        received.webhook_id()
    );
    received.json()
}

/// Whether one of a callback's signatures is the reference library's, at the time when it was signed.
pub fn is_signed_with(received: &Received, secret: &str) -> bool {
    let webhook = Webhook::new(secret).expect("a secret of Standard Webhooks");
    // Not `verify`: it compares the time with this machine's clock, and the stage may have another.
    let expected = webhook
        .sign(received.webhook_id(), signed_at(received), &received.body)
        .expect("a signature");
    received
        .header("webhook-signature")
        .split(' ')
        .any(|signature| signature == expected)
}

fn signed_at(received: &Received) -> i64 {
    let signed = received.header("webhook-timestamp");
    signed.parse().expect("seconds")
}

type Responder = Box<dyn FnMut(&Received) -> Reply + Send>;

struct State {
    next: VecDeque<Reply>,
    then: Responder,
    received: Vec<Received>,
}

/// Records callbacks and replies as scripted; 204 without a script. Clones share the script and the record.
#[derive(Clone)]
pub struct Receiver {
    port: u16,
    /// Of its own: a late callback of another story to a reused port is not recorded.
    path: String,
    stage: Option<Arc<dyn Stage>>,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    /// Starts on a free port of 127.0.0.1.
    pub async fn start() -> Self {
        Self::listen(None).await
    }

    /// Starts a receiver that takes its time from a stage and can wait for callbacks of it.
    pub async fn start_on(stage: Arc<dyn Stage>) -> Self {
        Self::listen(Some(stage)).await
    }

    async fn listen(stage: Option<Arc<dyn Stage>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("a free loopback port");
        let receiver = Self {
            port: listener.local_addr().expect("a bound port").port(),
            path: format!("/callbacks/{}", Uuid::now_v7()),
            stage,
            state: Arc::new(Mutex::new(State {
                next: VecDeque::new(),
                then: Box::new(|_| Reply::status(204)),
                received: Vec::new(),
            })),
        };
        let server = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.serve(stream).await });
            }
        });
        receiver
    }

    /// The callback address. Requests to paths beneath it are recorded too.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.path)
    }

    /// Scripts the replies to the next requests.
    pub fn answer_next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state().next.extend(replies);
    }

    /// Scripts the reply to all requests after those of [`Receiver::answer_next`].
    pub fn answer_always(&self, reply: Reply) {
        self.answer_by(move |_| reply.clone());
    }

    /// Like [`Receiver::answer_always`], with a reply that depends on the request.
    pub fn answer_by(&self, responder: impl FnMut(&Received) -> Reply + Send + 'static) {
        self.state().then = Box::new(responder);
    }

    /// All requests so far, the oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.state().received.clone()
    }

    /// Forgets the requests so far.
    pub fn forget_received(&self) {
        self.state().received.clear();
    }

    /// Waits for at least `count` requests, and returns all so far.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let stage = self.stage.as_ref().expect("a receiver started on a stage");
        let description = format!("{count} request(s) to the receiver");
        let found = stage.settle(&description, async || {
            let received = self.received();
            if received.len() >= count {
                Ok(received)
            } else {
                Err(format!("{} came", received.len()))
            }
        });
        found.await
    }

    async fn serve(&self, mut stream: TcpStream) {
        let Some((target, headers, body)) = read(&mut stream).await else {
            return;
        };
        if !target.starts_with(&self.path) {
            let _ = stream.write_all(&answer(404, &Reply::status(404))).await;
            return;
        }
        let reply = self.record(target, headers, body);
        tokio::time::sleep(reply.delay).await;
        let status = match &reply.end {
            End::Status(status) => *status,
            End::Held(released) => {
                let mut released = released.clone();
                let Ok(Some(status)) = released.wait_for(Option::is_some).await.map(|s| *s) else {
                    return;
                };
                status
            }
            End::Cut => return,
            End::Hang => std::future::pending().await,
        };
        let _ = stream.write_all(&answer(status, &reply)).await;
        let _ = stream.shutdown().await;
    }

    fn record(&self, target: String, headers: HeaderMap, body: Vec<u8>) -> Reply {
        let now = match &self.stage {
            Some(stage) => stage.now(),
            None => Timestamp::now(),
        };
        let mut received = Received {
            at: now,
            target,
            headers,
            body,
            accepted: false,
        };
        let mut state = self.state();
        let reply = match state.next.pop_front() {
            Some(reply) => reply,
            None => (state.then)(&received),
        };
        received.accepted = reply.is_success();
        state.received.push(received);
        reply
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

fn answer(status: u16, reply: &Reply) -> Vec<u8> {
    let headers: String = reply
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let (length, body) = (reply.body.len(), &reply.body);
    let length = match status {
        // RFC 9110, 8.6: no Content-Length in a 204.
        204 => String::new(),
        _ => format!("content-length: {length}\r\n"),
    };
    format!("HTTP/1.1 {status} Scripted\r\n{headers}{length}connection: close\r\n\r\n{body}")
        .into_bytes()
}

/// The target, the headers and the body of a request; `None` if the connection ends early.
async fn read(stream: &mut TcpStream) -> Option<(String, HeaderMap, Vec<u8>)> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).ok()?;
    let mut lines = text.split("\r\n");
    let target = lines.next()?.split(' ').nth(1)?.to_owned();
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        let name: HeaderName = name.parse().ok()?;
        headers.append(name, HeaderValue::from_str(value.trim()).ok()?);
    }
    let length = headers.get("content-length")?.to_str().ok()?.parse().ok()?;
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((target, headers, body))
}
