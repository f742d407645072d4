//! A partner's system that takes callbacks: a real HTTP server on a port of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use serde_json::Value;
use standardwebhooks::Webhook;
use uuid::Uuid;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::wait::eventually;

/// What a receiver is to answer.
#[derive(Debug, Clone)]
pub struct Reply(ResponseTemplate);

impl Reply {
    /// A status with nothing else.
    pub fn status(status: u16) -> Self {
        Self(ResponseTemplate::new(status))
    }

    /// With a header.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.insert_header(name, value))
    }

    /// With a body.
    pub fn body(self, text: &str) -> Self {
        Self(self.0.set_body_string(text))
    }

    /// After a while.
    pub fn after(self, delay: Duration) -> Self {
        Self(self.0.set_delay(delay))
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// When.
    pub at: Timestamp,
    /// Headers.
    pub headers: HeaderMap,
    /// The very bytes of the body.
    pub body: Vec<u8>,
}

impl Received {
    /// The header `webhook-id`.
    ///
    /// # Panics
    /// It is missing.
    #[track_caller]
    pub fn webhook_id(&self) -> &str {
        let header = self
            .headers
            .get("webhook-id")
            .and_then(|value| value.to_str().ok());
        header.unwrap_or_else(|| panic!("no webhook-id among {:?}", self.headers))
    }
}

/// The body of a callback whose signature another library than ours found to be right.
///
/// # Panics
/// The signature is wrong, or the body is no JSON.
#[track_caller]
pub fn verified(received: &Received, secret: &str) -> Value {
    let webhook = Webhook::new(secret).expect("a secret of Standard Webhooks");
    if let Err(error) = webhook.verify(&received.body, &received.headers) {
        panic!(
            "the signature of {} is not verified: {error}; headers: {:?}",
            received.webhook_id(),
            received.headers
        );
    }
    serde_json::from_slice(&received.body).expect("a callback's body is JSON")
}

#[derive(Debug)]
struct Script {
    next: VecDeque<Reply>,
    then: Reply,
    received: Vec<Received>,
}

#[derive(Debug, Clone)]
struct Shared(Arc<Mutex<Script>>);

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Respond for Shared {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut script = self.script();
        let (headers, body) = (request.headers.clone(), request.body.clone());
        script.received.push(Received {
            at: Timestamp::now(),
            headers,
            body,
        });
        script
            .next
            .pop_front()
            .unwrap_or_else(|| script.then.clone())
            .0
    }
}

/// Takes callbacks, answers as it is told (204 if it is told nothing), and remembers.
#[derive(Debug)]
pub struct Receiver {
    server: MockServer,
    path: String,
    shared: Shared,
}

impl Receiver {
    /// Starts on a free port of 127.0.0.1.
    pub async fn start() -> Self {
        // Built, not taken from wiremock's pool, and with a path of its own: what another story still sends to this port
        // is not taken for this story's.
        let server = MockServer::builder().start().await;
        let path_of_its_own = format!("/callbacks/{}", Uuid::now_v7());
        let script = Script {
            next: VecDeque::new(),
            then: Reply::status(204),
            received: Vec::new(),
        };
        let shared = Shared(Arc::new(Mutex::new(script)));
        server
            .register(Mock::given(path(path_of_its_own.as_str())).respond_with(shared.clone()))
            .await;
        Self {
            server,
            path: path_of_its_own,
            shared,
        }
    }

    /// Where it takes callbacks.
    pub fn url(&self) -> String {
        format!("{}{}", self.server.uri(), self.path)
    }

    /// Answers the next requests so, one by one, before it goes on as it was told by [`Self::answer_always`].
    pub fn answer_next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.script().next.extend(replies);
    }

    /// Answers every request so that [`Self::answer_next`] does not speak of.
    pub fn answer_always(&self, reply: Reply) {
        self.shared.script().then = reply;
    }

    /// What came so far, the oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.shared.script().received.clone()
    }

    /// Waits until `count` requests have come, and gives all that have.
    ///
    /// # Panics
    /// They do not come in time.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        eventually(&format!("{count} request(s) to the receiver"), async || {
            let received = self.received();
            if received.len() >= count {
                Ok(received)
            } else {
                Err(format!("{} came", received.len()))
            }
        })
        .await
    }
}
