//! Sloppy receivers: the status line decides, and the rest is read leniently.

use jiff::SignedDuration;
use tandem_domain::callback::Outcome;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{Receiver, send, sender};

#[tokio::test]
async fn a_sloppy_header_does_not_fail_a_good_answer() {
    let many = "x: y\r\n".repeat(101);
    let long = format!("x: {}\r\n", "y".repeat(100_000));
    for headers in [
        "x: a\r\n folded\r\n\tand again\r\n",
        " folded from nothing\r\n",
        "x : y\r\nContent-Type\t: text/plain\r\n",
        "no colon\r\n",
        ": no name\r\n",
        "x\u{0}y: \u{1}\u{7f}\r\n",
        "\u{e4}: \u{e4}\r\n",
        "x: y\n",
        "content-length: 2\r\ncontent-length: 2\r\n",
        "transfer-encoding: identity\r\ncontent-length: 2\r\n",
        &many,
        &long,
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{headers}\r\nok");
        let receiver = Receiver::answering(answer).await;
        let reply = send(&sender(), &receiver.url()).await;
        let shown = &headers[..headers.floor_char_boundary(80)];
        assert_eq!(
            (reply.outcome, reply.status_code, reply.error),
            (Outcome::Accepted, Some(200), None),
            "{shown:?}"
        );
        assert_eq!(reply.answer.as_deref(), Some("ok"), "{shown:?}");
    }
}

#[tokio::test]
async fn a_body_with_an_unusable_length_is_not_read() {
    for length in ["two", "-2", "2\r\ncontent-length: 3", "2; 3", ""] {
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\nok");
        let receiver = Receiver::answering(answer).await;
        let reply = send(&sender(), &receiver.url()).await;
        assert_eq!(
            (reply.outcome, reply.answer, reply.error),
            (Outcome::Accepted, None, None),
            "{length:?}"
        );
    }
}

#[tokio::test]
async fn a_sloppy_status_line_is_read() {
    for line in [
        "HTTP/1.1 200",
        "HTTP/1.0 200 OK",
        "HTTP/1.1  200  OK",
        "HTTP/1.1 200 \u{e4}",
        "\r\nHTTP/1.1 200 OK",
    ] {
        let receiver = Receiver::answering(format!("{line}\r\n\r\n")).await;
        let reply = send(&sender(), &receiver.url()).await;
        assert_eq!(reply.outcome, Outcome::Accepted, "{line:?}");
    }
}

#[tokio::test]
async fn a_head_without_its_last_line_is_read() {
    for head in ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nx: y\r\n"] {
        let receiver = Receiver::answering(head).await;
        let reply = send(&sender(), &receiver.url()).await;
        assert_eq!(
            (reply.outcome, reply.error),
            (Outcome::Accepted, None),
            "{head:?}"
        );
    }
}

#[tokio::test]
async fn a_wait_is_read_among_sloppy_headers() {
    let many = "x: y\r\n".repeat(200) + "Retry-After: 120\r\n";
    for headers in [
        "broken\r\nRetry-After: 120\r\n",
        "Retry-After : 120\r\n",
        "Retry-After:\r\n 120\r\n",
        "Retry-After: soon\r\nRetry-After: 120\r\n",
        &many,
    ] {
        let receiver = Receiver::answering(format!("HTTP/1.1 503 Busy\r\n{headers}\r\n")).await;
        let retry_after = Some(SignedDuration::from_secs(120));
        let reply = send(&sender(), &receiver.url()).await;
        assert_eq!(
            reply.outcome,
            Outcome::Failed { retry_after },
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_may_arrive_before_the_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let to = format!("http://{}/", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.expect("written");
        let mut request = Vec::new();
        let _ = stream.read_to_end(&mut request).await;
    });
    assert_eq!(send(&sender(), &to).await.outcome, Outcome::Accepted);
}
