//! Receivers with certificates.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tandem_domain::callback::Outcome;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::support::{Receiver, read_request, send, sender};

/// A receiver at `localhost` with a certificate that it signed itself: its port, and the certificate as PEM.
async fn start() -> (u16, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("they fit");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            read_request(&mut stream).await;
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                .await
                .expect("written");
            stream.shutdown().await.expect("closed");
        }
    });
    (port, made.cert.pem())
}

#[tokio::test]
async fn an_untrusted_certificate_is_refused() {
    let (port, _) = start().await;
    let reply = send(&sender(), &format!("https://localhost:{port}/")).await;
    assert_eq!(reply.outcome, Outcome::Failed { retry_after: None });
    assert_eq!(
        reply.error.as_deref(),
        Some("the receiver's certificate is not valid: UnknownIssuer")
    );
}

#[tokio::test]
async fn a_receiver_without_tls_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .expect("written");
        tokio::time::sleep(Duration::from_secs(5)).await;
    });
    let reply = send(&sender(), &format!("https://localhost:{port}/")).await;
    assert_eq!(
        reply.error.as_deref(),
        Some("the TLS handshake with the receiver failed")
    );
}

/// A process reads its trusted certificates and its proxy from the environment, so this test runs itself again, in a
/// process with an environment of its own, to send.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trusted_certificate_is_accepted_without_a_proxy() {
    if let Ok(port) = std::env::var("TANDEM_TEST_PORT") {
        let reply = send(&sender(), &format!("https://localhost:{port}/")).await;
        assert_eq!(
            (reply.outcome, reply.answer.as_deref(), reply.error),
            (Outcome::Accepted, Some("ok"), None)
        );
        return;
    }
    let (port, pem) = start().await;
    let trusted = std::env::temp_dir().join(format!("tandem-trusted-{}.pem", std::process::id()));
    std::fs::write(&trusted, pem).expect("written");
    let proxy = Receiver::answering("HTTP/1.1 502 Bad Gateway\r\n\r\n").await;
    let mut child = Command::new(std::env::current_exe().expect("this test"));
    child.args([
        "--exact",
        "https::a_trusted_certificate_is_accepted_without_a_proxy",
    ]);
    child
        .env("TANDEM_TEST_PORT", port.to_string())
        .env("SSL_CERT_FILE", &trusted)
        .env_remove("SSL_CERT_DIR");
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ] {
        child.env(name, format!("http://{}", proxy.address));
    }
    let output = tokio::task::spawn_blocking(move || child.output().expect("started"))
        .await
        .expect("ran");
    std::fs::remove_file(trusted).expect("removed");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
    assert!(proxy.requests().is_empty());
}
