//! Receivers that write as fast as they can, without an end: each attempt reads a bounded number of octets, and an attempt
//! beside them has its answer in time. No test measures time: the sender's own deadlines judge.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures::future::join_all;
use tandem_domain::callback::Outcome;
use tandem_webhooks::Reply;
use tokio::io::AsyncWriteExt as _;
use tokio::time::sleep;

use crate::https::{certificate, ports_of_parent, run_in_child, serve};
use crate::support::{Receiver, send, sender};

const INTERIM: &str = "more than 20 interim answers (1xx) preceded the answer";
const LONG_HEAD: &str = "the answer's headers do not end within 256 KB";
const LONG_BODY: &str = "the answer's body was cut off after 256 KB";
const BROKEN: &str = "the connection broke before the answer was complete";
const FLOOD: &str = "the receiver sent more than 1024 KB, or more than 10000 pieces";

const TLS: &str = "the TLS handshake with the receiver failed";

/// The start of an answer, the piece that repeats, and the status and error of the attempt.
type Flood = (
    &'static str,
    &'static str,
    (Option<u16>, Option<&'static str>),
);

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const TRAILERS: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n";

const FLOODS: [Flood; 9] = [
    ("", "HTTP/1.1 100 \r\n\r\n", (None, Some(INTERIM))),
    (
        "",
        "HTTP/1.1 103 Hints\r\nx: y\r\n\r\n",
        (None, Some(INTERIM)),
    ),
    ("HTTP/1.1 200 OK\r\n", "x: y\r\n", (None, Some(LONG_HEAD))),
    ("HTTP/1.1 200 OK\r\nx: ", "y", (None, Some(LONG_HEAD))),
    (
        "HTTP/1.1 200 OK\r\nx: y\r\n",
        " z\r\n",
        (None, Some(LONG_HEAD)),
    ),
    (CHUNKED, "0", (Some(200), Some(LONG_BODY))),
    (CHUNKED, "1;x=y\r\na\r\n", (Some(200), Some(BROKEN))),
    (TRAILERS, "x: y\r\n", (Some(200), Some(BROKEN))),
    ("HTTP/1.1 200 OK\r\n\r\n", "a", (Some(200), None)),
];

/// Floods every connection from a thread of its own, in pieces of `size` octets; returns the URL.
fn flooding(start: &'static str, repeated: &'static str, size: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    let piece: Arc<[u8]> = repeated
        .as_bytes()
        .iter()
        .copied()
        .cycle()
        .take(size)
        .collect();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, piece) = (stream.expect("a connection"), Arc::clone(&piece));
            thread::spawn(move || {
                let _ = stream.set_nodelay(true);
                let _ = stream.read(&mut [0; 4_096]);
                let _ = stream.write_all(start.as_bytes());
                while stream.write_all(&piece).is_ok() {}
            });
        }
    });
    url
}

async fn healthy() -> Receiver {
    Receiver::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await
}

fn result(reply: &Reply) -> (Option<u16>, Option<&str>) {
    (reply.status_code, reply.error.as_deref())
}

/// As the worker handles a batch: ten attempts in one task on one thread, the healthy one last.
#[tokio::test]
async fn an_attempt_beside_nine_floods_has_its_answer_in_time() {
    let (sender, healthy) = (sender(), healthy().await);
    let urls: Vec<_> = FLOODS
        .iter()
        .map(|(start, repeated, _)| flooding(start, repeated, repeated.len() * 4_096))
        .chain([healthy.url()])
        .collect();
    for _ in 0..3 {
        let mut replies = join_all(urls.iter().map(|url| send(&sender, url))).await;
        let beside = replies.pop().expect("ten");
        assert_eq!(
            (beside.outcome, result(&beside)),
            (Outcome::Accepted, (Some(200), None))
        );
        for ((start, repeated, expected), reply) in FLOODS.iter().zip(&replies) {
            assert_eq!(result(reply), *expected, "{start}{repeated}");
        }
    }
}

/// The harshest flood, on nine connections of one receiver.
#[tokio::test]
async fn an_attempt_beside_nine_interim_floods_is_in_time() {
    let (sender, healthy) = (sender(), healthy().await);
    let interim = "HTTP/1.1 100 \r\n\r\n";
    let flood = flooding("", interim, interim.len() * 4_096);
    let urls: Vec<_> = std::iter::repeat_n(flood, 9)
        .chain([healthy.url()])
        .collect();
    for _ in 0..6 {
        let mut replies = join_all(urls.iter().map(|url| send(&sender, url))).await;
        assert_eq!(replies.pop().expect("ten").outcome, Outcome::Accepted);
        for reply in &replies {
            assert_eq!(result(reply), (None, Some(INTERIM)));
        }
    }
}

#[tokio::test]
async fn a_flood_of_single_octets_ends() {
    let (sender, healthy) = (sender(), healthy().await);
    let (flood, healthy) = (flooding("HTTP/1.1 200 OK\r\nx: ", "y", 1), healthy.url());
    let (flooded, beside) = tokio::join!(send(&sender, &flood), send(&sender, &healthy));
    assert_eq!(beside.outcome, Outcome::Accepted);
    let (status, error) = result(&flooded);
    // The system may join the octets of several writes.
    assert!(
        status.is_none() && [LONG_HEAD, FLOOD].map(Some).contains(&error),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_above_and_within_tls_end() {
    if let Some(ports) = ports_of_parent() {
        // Tickets exceed a limit of the TLS library first.
        for (port, error) in ports.into_iter().zip([INTERIM, TLS]) {
            let reply = send(&sender(), &format!("https://localhost:{port}/")).await;
            assert_eq!(result(&reply), (None, Some(error)));
        }
        return;
    }
    let (pem, config) = certificate();
    // Session tickets carry no octet of an answer.
    let mut with_tickets = config.clone();
    with_tickets.send_tls13_tickets = 20_000;
    let interim = serve(config, |mut stream| async move {
        let piece = "HTTP/1.1 100 \r\n\r\n".repeat(1_000);
        while stream.write_all(piece.as_bytes()).await.is_ok() {}
    });
    let tickets = serve(with_tickets, |stream| async move {
        sleep(Duration::from_secs(60)).await;
        drop(stream);
    });
    let ports = [interim.await, tickets.await];
    run_in_child(
        "floods::floods_above_and_within_tls_end",
        &ports,
        &pem,
        None,
    )
    .await;
}
