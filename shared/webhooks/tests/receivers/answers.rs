//! The request that is sent, and the meaning of each answer.

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use standardwebhooks::Webhook;
use tandem_domain::callback::Outcome;
use tandem_webhooks::{Delivery, signature_header};

use crate::support::{Receiver, local, send, send_to, sender, url};

const REFUSED: Outcome = Outcome::Failed { retry_after: None };

#[tokio::test]
async fn a_2xx_answer_is_success_and_is_kept() {
    let receiver =
        Receiver::answering("HTTP/1.1 202 Accepted\r\ncontent-length: 5\r\n\r\nDanke").await;
    let reply = send(&sender(), &receiver.url()).await;
    assert_eq!(
        (reply.outcome, reply.status_code, reply.error),
        (Outcome::Accepted, Some(202), None)
    );
    assert_eq!(reply.answer.as_deref(), Some("Danke"));
    assert!(!reply.duration.is_zero());
}

#[tokio::test]
async fn the_request_is_a_post_with_standard_webhooks_headers() {
    let receiver = Receiver::answering("HTTP/1.1 204 No Content\r\nset-cookie: a=b\r\n\r\n").await;
    let (sender, to) = (sender(), url(&receiver.url(), &local()));
    for _ in 0..2 {
        let reply = send_to(&sender, &to, "{\"name\": \"Jörg\"}").await;
        assert_eq!((reply.outcome, reply.answer), (Outcome::Accepted, None));
    }
    let requests = receiver.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").expect("a head");
    let mut lines: Vec<&str> = head.lines().collect();
    lines[1..].sort_unstable();
    let expected = [
        "POST /callbacks HTTP/1.1".to_owned(),
        "accept-encoding: identity".to_owned(),
        "accept: */*".to_owned(),
        "content-length: 17".to_owned(),
        "content-type: application/json".to_owned(),
        format!("host: {}", receiver.address),
        format!("user-agent: Tandem/{}", env!("CARGO_PKG_VERSION")),
        "webhook-id: cbk_1".to_owned(),
        "webhook-signature: v1,c2lnbmF0dXJl".to_owned(),
        "webhook-timestamp: 1795262400".to_owned(),
    ];
    assert_eq!(lines, expected);
    assert_eq!(body, "{\"name\": \"Jörg\"}");
    assert_eq!(requests[0], requests[1], "the second request has no cookie");
}

#[tokio::test]
async fn an_independent_library_verifies_the_received_requests() {
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    for body in [
        "{\"name\": \"Jörg Müßiggänger 👩‍👩‍👧\"}".to_owned(),
        format!("\"{}\"", "ä".repeat(50 * 1024)),
    ] {
        let timestamp = Timestamp::now().as_second();
        let signature = signature_header(
            &[SecretString::from(SECRET)],
            "cbk_1",
            timestamp,
            body.as_bytes(),
        );
        let (signature, to) = (
            signature.expect("valid secret"),
            url(&receiver.url(), &local()),
        );
        let delivery = Delivery {
            id: "cbk_1".into(),
            url: &to,
            timestamp,
            signature,
            headers: std::collections::BTreeMap::new(),
            body: body.into(),
        };
        assert_eq!(sender().send(&delivery).await.outcome, Outcome::Accepted);
    }
    for request in receiver.requests() {
        let (head, body) = request.split_once("\r\n\r\n").expect("a head");
        let lines = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        let headers =
            lines.map(|(name, value)| (name.parse().expect("name"), value.parse().expect("value")));
        let headers: HeaderMap = headers.collect();
        Webhook::new(SECRET)
            .expect("valid secret")
            .verify(body.as_bytes(), &headers)
            .expect("verified");
    }
}

#[tokio::test]
async fn any_other_status_is_a_failure_without_an_error_text() {
    let receiver = Receiver::answering("HTTP/1.1 500 Oops\r\ncontent-length: 4\r\n\r\noops").await;
    let reply = send(&sender(), &receiver.url()).await;
    assert_eq!(
        (reply.outcome, reply.status_code, reply.error),
        (REFUSED, Some(500), None)
    );
    assert_eq!(reply.answer.as_deref(), Some("oops"));
}

#[tokio::test]
async fn a_410_means_that_the_receiver_is_gone() {
    let receiver = Receiver::answering("HTTP/1.1 410 Gone\r\nretry-after: 5\r\n\r\n").await;
    let reply = send(&sender(), &receiver.url()).await;
    assert_eq!(
        (reply.outcome, reply.status_code),
        (Outcome::Gone, Some(410))
    );
}

#[tokio::test]
async fn retry_after_is_read_as_seconds_or_as_a_date() {
    for (answer, seconds) in [
        ("HTTP/1.1 503 Busy\r\nretry-after: 120\r\n\r\n", 120),
        (
            "HTTP/1.1 429 Slowly\r\nRetry-After: Sat, 21 Nov 2026 12:01:00 GMT\r\n\r\n",
            60,
        ),
    ] {
        let receiver = Receiver::answering(answer).await;
        let reply = send(&sender(), &receiver.url()).await;
        assert_eq!(
            reply.outcome,
            Outcome::Failed {
                retry_after: Some(SignedDuration::from_secs(seconds))
            }
        );
    }
    let receiver = Receiver::answering("HTTP/1.1 503 Busy\r\nretry-after: \u{e4}\r\n\r\n").await;
    assert_eq!(send(&sender(), &receiver.url()).await.outcome, REFUSED);
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let target = Receiver::answering("HTTP/1.1 200 OK\r\n\r\n").await;
    for status in [301, 302, 303, 307, 308] {
        let answer = format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: {}\r\n\r\n",
            target.url()
        );
        let receiver = Receiver::answering(answer).await;
        let reply = send(&sender(), &receiver.url()).await;
        assert_eq!((reply.outcome, reply.status_code), (REFUSED, Some(status)));
        assert!(
            reply
                .error
                .expect("an error")
                .starts_with("the receiver redirects")
        );
    }
    assert!(target.requests().is_empty());
}

#[tokio::test]
async fn a_compressed_answer_is_not_expanded() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 8\r\n\r\nnot gzip";
    let receiver = Receiver::answering(answer).await;
    let reply = send(&sender(), &receiver.url()).await;
    assert_eq!(
        (reply.answer.as_deref(), reply.error),
        (Some("not gzip"), None)
    );
}
