//! The partners' callback receivers: one loopback server for all endpoints, each with its own behaviour.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// An endpoint's behaviour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Manner {
    /// 200.
    #[default]
    Takes,
    /// 500.
    Fails,
    /// 429 with `Retry-After: 30`.
    Busy,
    /// 410.
    Gone,
    /// Reads the callback and closes the connection without an answer.
    Cuts,
    /// Reads the callback and never answers.
    Silent,
    /// Alternates 200 and 500.
    Flaky,
}

/// A received callback.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// Its endpoint.
    pub(crate) endpoint: usize,
    /// Headers, with lower-case names.
    pub(crate) headers: BTreeMap<String, String>,
    /// The signed bytes.
    pub(crate) body: Vec<u8>,
    /// Whether the answer was 200.
    pub(crate) taken: bool,
}

impl Received {
    /// The `webhook-id`.
    pub(crate) fn id(&self) -> &str {
        self.headers.get("webhook-id").map_or("", String::as_str)
    }
}

#[derive(Debug, Default)]
struct State {
    manners: BTreeMap<usize, Manner>,
    received: Vec<Received>,
}

/// The server. Clones share their state.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    /// Starts on the caller's runtime.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a loopback port is free");
        let port = listener.local_addr().expect("the port is known").port();
        let receiver = Self {
            port,
            state: Arc::default(),
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

    /// The URL of an endpoint; each `version` is another URL of the same endpoint.
    pub(crate) fn url(&self, endpoint: usize, version: usize) -> String {
        format!("http://127.0.0.1:{}/{endpoint}/{version}", self.port)
    }

    /// Sets an endpoint's behaviour from now on.
    pub(crate) fn answers(&self, endpoint: usize, manner: Manner) {
        self.state().manners.insert(endpoint, manner);
    }

    /// Forgets received callbacks; every endpoint answers 200.
    pub(crate) fn reset(&self) {
        *self.state() = State::default();
    }

    /// Every endpoint answers 200 from now on.
    pub(crate) fn heal(&self) {
        self.state().manners.clear();
    }

    /// Callbacks received since the reset, in order.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.state().received.clone()
    }

    async fn serve(&self, mut stream: TcpStream) {
        let Some((endpoint, headers, body)) = read(&mut stream).await else {
            return;
        };
        let manner = self.note(endpoint, headers, body);
        let head = match manner {
            Manner::Takes | Manner::Flaky => "200 OK",
            Manner::Fails => "500 Internal Server Error",
            Manner::Busy => "429 Too Many Requests\r\nretry-after: 30",
            Manner::Gone => "410 Gone",
            Manner::Cuts => return,
            Manner::Silent => return std::future::pending().await,
        };
        let answer =
            format!("HTTP/1.1 {head}\r\ncontent-length: 4\r\nconnection: close\r\n\r\nsaid");
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    }

    /// Records a callback; returns the behaviour for its answer.
    fn note(&self, endpoint: usize, headers: BTreeMap<String, String>, body: Vec<u8>) -> Manner {
        let mut state = self.state();
        let before = state
            .received
            .iter()
            .filter(|received| received.endpoint == endpoint)
            .count();
        let manner = match state.manners.get(&endpoint).copied().unwrap_or_default() {
            Manner::Flaky if before.is_multiple_of(2) => Manner::Fails,
            manner => manner,
        };
        let taken = matches!(manner, Manner::Takes | Manner::Flaky);
        state.received.push(Received {
            endpoint,
            headers,
            body,
            taken,
        });
        manner
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Endpoint, headers and body of a request; `None` if the connection closes early.
async fn read(stream: &mut TcpStream) -> Option<(usize, BTreeMap<String, String>, Vec<u8>)> {
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
    let endpoint = lines.next()?.split('/').nth(1)?.parse().ok()?;
    let header = |line: &str| {
        line.split_once(':')
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers: BTreeMap<String, String> = lines.filter_map(header).collect();
    let length: usize = headers.get("content-length")?.parse().ok()?;
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((endpoint, headers, body))
}
