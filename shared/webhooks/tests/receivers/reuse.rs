//! Connections that the attempts of one invocation share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tandem_domain::callback::{Endpoint, Outcome};
use tandem_domain::ids::ConnectionId;
use tandem_webhooks::{Connections, Delivery, Reply, Sender};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::https::{certificate, ports_of_parent, run_in_child, serve};
use crate::support::{NOON, hasty, local, read_request, sender, url};

/// A receiver that counts its connections, and answers the requests of each one by one.
struct Lasting {
    url: String,
    connections: Arc<AtomicUsize>,
}

/// The time between the parts of an answer.
const BETWEEN: Duration = Duration::from_millis(30);

impl Lasting {
    /// Answers the first request with `first`, in parts that arrive one after another, and all others well.
    async fn answering(first: &'static [&'static str]) -> Self {
        let (answered, connections) =
            (Arc::new(AtomicUsize::new(0)), Arc::<AtomicUsize>::default());
        let counted = Arc::clone(&connections);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("bound"));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(converse(stream, Arc::clone(&answered), first));
            }
        });
        Self { url, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn converse(mut stream: TcpStream, answered: Arc<AtomicUsize>, first: &[&str]) {
    while !read_request(&mut stream).await.is_empty() {
        if answered.fetch_add(1, Ordering::Relaxed) > 0 {
            well(&mut stream).await;
            continue;
        }
        for (number, part) in first.iter().enumerate() {
            if number > 0 {
                sleep(BETWEEN).await;
            }
            let _ = stream.write_all(part.as_bytes()).await;
        }
    }
}

async fn well(stream: &mut (impl AsyncWrite + Unpin)) {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwell";
    let _ = stream.write_all(answer).await;
}

fn endpoint(last: char) -> Endpoint {
    let id = format!("con_0190b8f5c6f77c3ab0a100000000000{last}");
    Endpoint::Connection(id.parse::<ConnectionId>().expect("an id"))
}

async fn send(connections: &Connections, endpoint: Endpoint, to: &str) -> Reply {
    let url = url(to, &local());
    let (id, signature) = ("cbk_1".to_owned(), "v1,c2lnbmF0dXJl".to_owned());
    let delivery = Delivery {
        id,
        url: &url,
        timestamp: NOON,
        signature,
        headers: std::collections::BTreeMap::new(),
        body: b"{}".to_vec(),
    };
    connections.send(endpoint, &delivery).await
}

/// Sends three times; returns the last reply.
async fn three_times(connections: &Connections, to: &str) -> Reply {
    let _ = send(connections, endpoint('1'), to).await;
    // A hostile receiver has sent all that it sends.
    sleep(2 * BETWEEN).await;
    let _ = send(connections, endpoint('1'), to).await;
    send(connections, endpoint('1'), to).await
}

#[tokio::test]
async fn attempts_at_one_endpoint_share_a_connection() {
    for first in [
        &["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"][..],
        &["HTTP/1.1 204 No Content\r\n\r\n"],
        &["HTTP/1.1 500 Oops\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"],
        &[
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
            "0\r\n\r\n",
        ],
    ] {
        let receiver = Lasting::answering(first).await;
        let reply = three_times(&sender().connections(), &receiver.url).await;
        assert_eq!(reply.answer.as_deref(), Some("well"));
        assert_eq!(receiver.connections(), 1, "{first:?}");
    }
}

#[tokio::test]
async fn a_doubtful_answer_ends_its_connection() {
    const NEXT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled";
    for first in [
        &["HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"][..],
        &["HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"],
        &["HTTP/1.1 200 OK\r\nConnection: keep-alive, Close\r\ncontent-length: 2\r\n\r\nok"],
        &["HTTP/1.1 200 OK\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\nok"],
        &["HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok"],
        &["HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nok"],
        &["HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"],
        &["HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
        &["HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
        &["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx: y\r\n\r\n"],
        &["HTTP/1.1 200 OK\r\ntrailer: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
        &["HTTP/1.1 200 OK\ncontent-length: 2\n\nok"],
        &["\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"],
        &["HTTP/1.1  200 OK\r\ncontent-length: 2\r\n\r\nok"],
        &["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n folded\r\n\r\nok"],
        &["HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\nok"],
        &["HTTP/1.1 200 OK\r\nno colon\r\ncontent-length: 2\r\n\r\nok"],
        &["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"],
        &[
            "HTTP/1.1 103 Hints\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        ],
        // Octets beyond the answer: at once, later, and as a whole answer.
        &["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok\r\n"],
        &["HTTP/1.1 204 No Content\r\n\r\n\r\n"],
        &["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", "!"],
        &["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", NEXT],
        &[
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            NEXT,
        ],
        &["HTTP/1.1 204 No Content\r\ncontent-length: 8\r\n\r\nsmuggled"],
    ] {
        let receiver = Lasting::answering(first).await;
        let reply = three_times(&sender().connections(), &receiver.url).await;
        assert_eq!(
            (reply.outcome, reply.answer.as_deref()),
            (Outcome::Accepted, Some("well")),
            "{first:?}"
        );
        assert_eq!(receiver.connections(), 2, "{first:?}");
    }
}

#[tokio::test]
async fn a_failed_attempt_ends_its_connection() {
    let long = Box::leak(
        format!(
            "HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n{}",
            "a".repeat(70_000)
        )
        .into_boxed_str(),
    );
    for first in [
        Vec::leak(vec![&*long]) as &'static [&'static str],
        &["HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nshort"],
        &["HTTP/1.1 200 OK\r\n"],
        &[],
    ] {
        let receiver = Lasting::answering(first).await;
        let connections = Sender::new(hasty()).connections();
        let _ = send(&connections, endpoint('1'), &receiver.url).await;
        let reply = send(&connections, endpoint('1'), &receiver.url).await;
        assert_eq!(reply.outcome, Outcome::Accepted);
        assert_eq!(receiver.connections(), 2);
    }
}

#[tokio::test]
async fn endpoints_and_invocations_share_no_connection() {
    let receiver = Lasting::answering(&["HTTP/1.1 204 No Content\r\n\r\n"]).await;
    let (sender, to) = (sender(), &receiver.url);
    let invocation = sender.connections();
    let _ = send(&invocation, endpoint('1'), to).await;
    let _ = send(&invocation, endpoint('2'), to).await;
    let _ = send(&invocation, endpoint('1'), &format!("{to}other")).await;
    let _ = send(&sender.connections(), endpoint('1'), to).await;
    assert_eq!(receiver.connections(), 4);
}

/// Answers the first request of each connection, and closes it when another one arrives.
async fn closing(late: bool) -> Lasting {
    let connections = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&connections);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let _ = read_request(&mut stream).await;
                well(&mut stream).await;
                if late {
                    let _ = read_request(&mut stream).await;
                }
            });
        }
    });
    Lasting { url, connections }
}

#[tokio::test]
async fn a_connection_that_was_closed_costs_no_attempt() {
    for late in [false, true] {
        let receiver = closing(late).await;
        let reply = three_times(&sender().connections(), &receiver.url).await;
        assert_eq!(reply.answer.as_deref(), Some("well"), "late: {late}");
        assert_eq!(receiver.connections(), 3, "late: {late}");
    }
}

#[tokio::test]
async fn each_attempt_on_a_connection_has_the_bounds_of_a_new_one() {
    let large = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n{}",
        "a".repeat(60_000)
    );
    let connections = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&connections);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let to = format!("http://{}/", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            while !read_request(&mut stream).await.is_empty() {
                let _ = stream.write_all(large.as_bytes()).await;
            }
        }
    });
    let invocation = sender().connections();
    // More than a megabyte together, which no single attempt may send.
    for _ in 0..20 {
        let reply = send(&invocation, endpoint('1'), &to).await;
        assert_eq!((reply.outcome, reply.error), (Outcome::Accepted, None));
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn concurrent_attempts_are_all_answered() {
    let receiver = Lasting::answering(&["HTTP/1.1 204 No Content\r\n\r\n"]).await;
    let invocation = sender().connections();
    let sent = (0..10).map(|_| send(&invocation, endpoint('1'), &receiver.url));
    let replies = futures::future::join_all(sent).await;
    assert!(
        replies
            .iter()
            .all(|reply| reply.outcome == Outcome::Accepted)
    );
    assert!(receiver.connections() <= 10);
}

#[tokio::test]
async fn attempts_over_tls_share_a_connection() {
    let this = "reuse::attempts_over_tls_share_a_connection";
    if let Some(ports) = ports_of_parent() {
        let to = format!("https://localhost:{}/", ports[0]);
        let invocation = sender().connections();
        for _ in 0..5 {
            let reply = send(&invocation, endpoint('1'), &to).await;
            assert_eq!(reply.answer.as_deref(), Some("well"), "{reply:?}");
        }
        return;
    }
    let (pem, config) = certificate();
    let connections = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&connections);
    // It has read the first request.
    let port = serve(config, move |mut stream| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move {
            well(&mut stream).await;
            while !read_request(&mut stream).await.is_empty() {
                well(&mut stream).await;
            }
        }
    })
    .await;
    run_in_child(this, &[port], &pem, None).await;
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}
