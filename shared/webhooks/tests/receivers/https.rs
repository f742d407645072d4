//! Receivers with certificates.

use std::env;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tandem_domain::callback::Outcome;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

use crate::support::{Receiver, read_request, send, sender};

/// The certificate of `localhost`, signed by itself, as PEM, and the settings of a receiver that presents it.
pub(crate) fn certificate() -> (String, ServerConfig) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("they fit");
    (made.cert.pem(), config)
}

/// A receiver at `localhost` that reads each request, then runs the behaviour; returns its port.
pub(crate) async fn serve<F>(
    config: ServerConfig,
    behaviour: impl Fn(TlsStream<TcpStream>) -> F + Send + 'static,
) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            read_request(&mut stream).await;
            tokio::spawn(behaviour(stream));
        }
    });
    port
}

async fn answer(mut stream: TlsStream<TcpStream>) {
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        .await
        .expect("written");
    stream.shutdown().await.expect("closed");
}

const PORTS: &str = "TANDEM_TEST_PORTS";

/// The receivers' ports, if this process is the child of a test.
pub(crate) fn ports_of_parent() -> Option<Vec<u16>> {
    let ports = env::var(PORTS).ok()?;
    let ports = ports.split(',').map(|port| port.parse().expect("a port"));
    Some(ports.collect())
}

/// A process reads its trusted certificates and its proxy from the environment, so a test runs itself again, in a process
/// with an environment of its own, to send.
pub(crate) async fn run_in_child(test: &str, ports: &[u16], pem: &str, proxy: Option<&Receiver>) {
    let trusted = env::temp_dir().join(format!(
        "tandem-trusted-{}-{}.pem",
        std::process::id(),
        ports[0]
    ));
    std::fs::write(&trusted, pem).expect("written");
    let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
    let mut child = Command::new(env::current_exe().expect("this test"));
    child
        .args(["--exact", test])
        .env(PORTS, ports.join(","))
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
        match proxy {
            Some(proxy) => child.env(name, format!("http://{}", proxy.address)),
            None => child.env_remove(name),
        };
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
}

#[tokio::test]
async fn an_untrusted_certificate_is_refused() {
    let port = serve(certificate().1, answer).await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trusted_certificate_is_accepted_without_a_proxy() {
    if let Some(ports) = ports_of_parent() {
        let reply = send(&sender(), &format!("https://localhost:{}/", ports[0])).await;
        assert_eq!(
            (reply.outcome, reply.answer.as_deref(), reply.error),
            (Outcome::Accepted, Some("ok"), None)
        );
        return;
    }
    let (pem, config) = certificate();
    let port = serve(config, answer).await;
    let proxy = Receiver::answering("HTTP/1.1 502 Bad Gateway\r\n\r\n").await;
    let test = "https::a_trusted_certificate_is_accepted_without_a_proxy";
    run_in_child(test, &[port], &pem, Some(&proxy)).await;
    assert!(proxy.requests().is_empty());
}
