//! The partner systems that get callbacks: one server on loopback for all endpoints of a world, each as good or bad as it is
//! told to be.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How an endpoint answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Manner {
    /// 200.
    #[default]
    Takes,
    /// 500.
    Fails,
    /// 429, and asks for half a minute.
    Busy,
    /// 410: it wants no more.
    Gone,
    /// It reads the callback, and closes the connection without an answer.
    Cuts,
    /// It reads the callback, and never answers.
    Silent,
    /// 200 and 500 in turn.
    Flaky,
}

/// A callback that came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// Its endpoint.
    pub(crate) endpoint: usize,
    /// Headers, in small letters.
    pub(crate) headers: BTreeMap<String, String>,
    /// The bytes that are signed.
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

/// The server. Clones share what came.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    /// Starts it on the runtime that calls.
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

    /// The address of an endpoint; another `version` is another address of the same endpoint.
    pub(crate) fn url(&self, endpoint: usize, version: usize) -> String {
        format!("http://127.0.0.1:{}/{endpoint}/{version}", self.port)
    }

    /// How an endpoint answers from now on.
    pub(crate) fn answers(&self, endpoint: usize, manner: Manner) {
        self.state().manners.insert(endpoint, manner);
    }

    /// Forgets what came, and lets every endpoint take everything.
    pub(crate) fn reset(&self) {
        *self.state() = State::default();
    }

    /// Lets every endpoint take everything.
    pub(crate) fn mend(&self) {
        self.state().manners.clear();
    }

    /// What came since the reset, in order.
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

    /// Keeps what came; how it is answered.
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

/// Endpoint, headers and body of a request; `None` if the connection ends before.
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
