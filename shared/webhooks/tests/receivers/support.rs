//! Receivers with a behaviour for each test, and senders that may call them.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tandem_domain::callback_url::{CallbackUrl, LocalTargets};
use tandem_webhooks::{Delivery, Reply, Sender, SenderSettings};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The time of all attempts: 2026-11-21T12:00:00Z.
pub(crate) const NOON: i64 = 1_795_262_400;

/// A receiver on loopback. It reads the request of each connection, then runs the behaviour.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    pub(crate) async fn start<F>(behaviour: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::start_at(Ipv4Addr::LOCALHOST, 0, behaviour).await
    }

    pub(crate) async fn start_at<F>(
        host: Ipv4Addr,
        port: u16,
        behaviour: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((host, port)).await.expect("a free port");
        let receiver = Self {
            address: listener.local_addr().expect("bound"),
            requests: Arc::default(),
        };
        let requests = Arc::clone(&receiver.requests);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read_request(&mut stream).await;
                requests.lock().expect("unlocked").push(request);
                tokio::spawn(behaviour(stream));
            }
        });
        receiver
    }

    /// Gives the same answer to every request, then closes the connection.
    pub(crate) async fn answering(answer: impl Into<String>) -> Self {
        let answer: Arc<str> = answer.into().into();
        Self::start(move |mut stream| {
            let answer = Arc::clone(&answer);
            async move { stream.write_all(answer.as_bytes()).await.expect("written") }
        })
        .await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/callbacks", self.address)
    }

    /// The requests so far, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("unlocked").clone()
    }
}

pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    while !is_complete(&bytes) && stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {}
    String::from_utf8(bytes).expect("UTF-8")
}

fn is_complete(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse::<usize>().expect("a number"));
    bytes.len() >= head.len() + 4 + length
}

pub(crate) fn local() -> LocalTargets {
    LocalTargets::parse("127.0.0.1, localhost, receiver.test")
}

/// The deadlines of production.
pub(crate) fn sender() -> Sender {
    Sender::new(SenderSettings {
        local_targets: local(),
        ..SenderSettings::default()
    })
}

/// Short deadlines, but long enough for a busy machine.
pub(crate) fn hasty() -> SenderSettings {
    SenderSettings {
        local_targets: local(),
        connect_timeout: Duration::from_millis(800),
        first_byte_timeout: Duration::from_secs(1),
        total_timeout: Duration::from_secs(2),
    }
}

pub(crate) fn url(text: &str, local: &LocalTargets) -> CallbackUrl {
    CallbackUrl::parse(text, local).expect(text)
}

/// Sends `{}` to a local target.
pub(crate) async fn send(sender: &Sender, to: &str) -> Reply {
    send_to(sender, &url(to, &local()), "{}").await
}

pub(crate) async fn send_to(sender: &Sender, url: &CallbackUrl, body: &str) -> Reply {
    let (id, signature) = ("cbk_1".to_owned(), "v1,c2lnbmF0dXJl".to_owned());
    sender
        .send(&Delivery {
            id,
            url,
            timestamp: NOON,
            signature,
            headers: std::collections::BTreeMap::new(),
            body: body.into(),
        })
        .await
}
