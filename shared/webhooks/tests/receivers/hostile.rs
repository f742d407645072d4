//! Broken and hostile receivers: each attempt ends soon, with a bounded answer and a reason.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tandem_domain::callback::Outcome;
use tandem_webhooks::{Delivery, Reply, Sender};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use crate::support::{Receiver, hasty, local, send, sender, url};

/// Status, error, and whether the attempt succeeded. Every attempt must end soon.
async fn attempt(to: &str) -> (Option<u16>, String, bool) {
    let start = Instant::now();
    let Reply {
        outcome,
        status_code,
        error,
        answer,
        ..
    } = send(&Sender::new(hasty()), to).await;
    assert!(
        start.elapsed() < Duration::from_secs(4),
        "took {:?}",
        start.elapsed()
    );
    assert!(answer.is_none_or(|answer| answer.len() <= 4_096));
    (
        status_code,
        error.unwrap_or_default(),
        outcome == Outcome::Accepted,
    )
}

/// Writes `piece` until the other side closes; returns the number of octets written.
async fn write_forever(
    mut stream: TcpStream,
    head: &'static str,
    piece: Vec<u8>,
    pause: Duration,
) -> usize {
    let mut written = 0;
    if stream.write_all(head.as_bytes()).await.is_ok() {
        while stream.write_all(&piece).await.is_ok() {
            written += piece.len();
            sleep(pause).await;
        }
    }
    written
}

async fn writing(head: &'static str, piece: &str, pause: Duration) -> Receiver {
    let piece = piece.as_bytes().to_vec();
    Receiver::start(move |stream| {
        let piece = piece.clone();
        async move {
            write_forever(stream, head, piece, pause).await;
        }
    })
    .await
}

const SLOWLY: Duration = Duration::from_millis(100);

#[tokio::test]
async fn a_body_that_drips_is_cut_off_and_the_status_counts() {
    let receiver = writing(
        "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n",
        ".",
        SLOWLY,
    )
    .await;
    let slow = "the answer was not complete within 2 s".to_owned();
    assert_eq!(
        attempt(&receiver.url()).await,
        (Some(200), slow.clone(), true)
    );
    let receiver = writing(
        "HTTP/1.1 500 Oops\r\ncontent-length: 1000\r\n\r\n",
        ".",
        SLOWLY,
    )
    .await;
    assert_eq!(attempt(&receiver.url()).await, (Some(500), slow, false));
}

#[tokio::test]
async fn headers_that_drip_are_no_answer() {
    let receiver = writing("HTTP/1.1 200 OK\r\nx: ", "x", SLOWLY).await;
    assert_eq!(
        attempt(&receiver.url()).await,
        (None, "no answer within 1 s".into(), false)
    );
    let receiver = writing("HTTP/1.1 200 OK\r\n", "x: y\r\n", SLOWLY).await;
    assert_eq!(
        attempt(&receiver.url()).await,
        (None, "no answer within 1 s".into(), false)
    );
}

#[tokio::test]
async fn a_receiver_that_hangs_times_out() {
    let receiver = Receiver::start(|stream| async move {
        sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    assert_eq!(
        attempt(&receiver.url()).await,
        (None, "no answer within 1 s".into(), false)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn little_of_a_gigabyte_is_read() {
    static WRITTEN: AtomicUsize = AtomicUsize::new(0);
    let done = Arc::new(tokio::sync::Notify::new());
    let notify = Arc::clone(&done);
    let receiver = Receiver::start(move |stream| {
        let notify = Arc::clone(&notify);
        async move {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n";
            WRITTEN.store(
                write_forever(stream, head, vec![b'a'; 64 * 1024], Duration::ZERO).await,
                Ordering::SeqCst,
            );
            notify.notify_one();
        }
    })
    .await;
    assert_eq!(
        attempt(&receiver.url()).await,
        (Some(200), String::new(), true)
    );
    done.notified().await;
    // The buffers of the operating system hold more than is read. A unit test of the sender checks how much is read.
    assert!(
        WRITTEN.load(Ordering::SeqCst) < 32 * 1024 * 1024,
        "{WRITTEN:?}"
    );
}

#[tokio::test]
async fn another_protocol_is_no_answer() {
    let not_http =
        "the answer is not HTTP: its first line must be a status line such as HTTP/1.1 200 OK";
    let banner = Receiver::answering("SSH-2.0-OpenSSH_9.9\r\n\r\n").await;
    assert_eq!(
        attempt(&banner.url()).await,
        (None, not_http.to_owned(), false)
    );
}

#[tokio::test]
async fn the_reason_names_when_a_connection_broke() {
    let before = Receiver::answering("").await;
    let closed = "the receiver closed the connection before it answered".to_owned();
    assert_eq!(attempt(&before.url()).await, (None, closed.clone(), false));
    let within_head = Receiver::answering("HTTP/1.1 200 OK\r\nx:").await;
    assert_eq!(attempt(&within_head.url()).await, (None, closed, false));
    let within_body =
        Receiver::answering("HTTP/1.1 503 Busy\r\ncontent-length: 100\r\n\r\nso").await;
    let broken = "the connection broke before the answer was complete".to_owned();
    assert_eq!(
        attempt(&within_body.url()).await,
        (Some(503), broken, false)
    );
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let refused = "the receiver refused the connection".to_owned();
    assert_eq!(
        attempt(&format!("http://{address}/")).await,
        (None, refused, false)
    );
}

#[tokio::test]
async fn an_invalid_header_is_a_failed_attempt() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let to = url(&receiver.url(), &local());
    let (id, signature) = ("a\r\nb: c".to_owned(), String::new());
    let delivery = Delivery {
        id,
        url: &to,
        timestamp: 0,
        signature,
        headers: std::collections::BTreeMap::new(),
        body: Vec::new(),
    };
    let reply = sender().send(&delivery).await;
    assert_eq!(
        reply.error.as_deref(),
        Some("the exchange with the receiver failed")
    );
    assert!(receiver.requests().is_empty());
}
