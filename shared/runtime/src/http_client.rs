//! The HTTP client of all AWS clients: one pool of connections, one set of trusted certificates.
//!
//! Each AWS client would otherwise have its own, and load the system's certificates for it.

use anyhow::{Context as _, Result};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};

use crate::aws::CONNECT_TIMEOUT;

/// The roots of the certificates of AWS's endpoints.
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ats-certs.html>
const AMAZON_ROOTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/amazon-roots.pem"));
/// Names a file with the certificates to trust instead: for endpoints or proxies with others. The SDKs of other languages read
/// the same variable.
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

pub(crate) fn shared() -> Result<SharedHttpClient> {
    let bundle = std::env::var_os(CA_BUNDLE).filter(|path| !path.is_empty());
    let trusted = match bundle {
        Some(path) => std::fs::read(path).context(CA_BUNDLE)?,
        None => AMAZON_ROOTS.to_vec(),
    };
    trusting(trusted)
}

/// A connector of its own, also for addresses without TLS.
pub(crate) fn connector() -> Result<SharedHttpConnector> {
    connector_trusting(AMAZON_ROOTS.to_vec())
}

fn trusting(pem: Vec<u8>) -> Result<SharedHttpClient> {
    let connector = connector_trusting(pem)?;
    Ok(http_client_fn(move |_, _| connector.clone()))
}

fn connector_trusting(pem: Vec<u8>) -> Result<SharedHttpConnector> {
    let trusted = TrustStore::empty().with_pem_certificate(pem);
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT);
    let connector = Connector::builder()
        .connector_settings(settings.build())
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::rustls(CryptoMode::AwsLc))
        .tls_context(TlsContext::builder().with_trust_store(trusted).build()?)
        .build();
    Ok(SharedHttpConnector::new(connector))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aws_sdk_dynamodb::config::retry::RetryConfig;
    use aws_sdk_dynamodb::config::{Credentials, Region};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::crypto::aws_lc_rs;
    use tokio_rustls::rustls::pki_types::PrivateKeyDer;

    use super::*;

    /// If this fails, compare the list with <https://www.amazontrust.com/repository/>: Mozilla's has changed.
    #[test]
    fn the_roots_are_those_of_amazon() {
        let names = [
            "Amazon Root CA 1",
            "Amazon Root CA 2",
            "Amazon Root CA 3",
            "Amazon Root CA 4",
            "Starfield Services Root Certificate Authority - G2",
        ];
        let pem = std::str::from_utf8(AMAZON_ROOTS).expect("text");
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        let mut found: Vec<&str> = lines
            .map(|line| {
                let certificate = STANDARD.decode(line).expect("base64");
                let is_in = |name: &&&str| {
                    let mut windows = certificate.windows(name.len());
                    windows.any(|window| window == name.as_bytes())
                };
                *names.iter().find(is_in).expect("a root of Amazon")
            })
            .collect();
        found.sort_unstable();
        assert_eq!(found, names);
    }

    #[tokio::test]
    async fn only_the_given_certificates_are_trusted() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
        let url = serve(&made).await;
        assert!(call(&url, made.cert.pem().into_bytes()).await);
        assert!(!call(&url, AMAZON_ROOTS.to_vec()).await);
    }

    /// Whether a call to an endpoint succeeds.
    async fn call(url: &str, trusted: Vec<u8>) -> bool {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version_latest()
            .http_client(trusting(trusted).expect("certificates"))
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .endpoint_url(url);
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        let called = client.list_tables().send().await;
        called.is_ok()
    }

    /// A DynamoDB without tables at `localhost`; returns its URL.
    async fn serve(made: &rcgen::CertifiedKey<rcgen::KeyPair>) -> String {
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
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
                let mut request = [0; 8192];
                let _ = stream.read(&mut request).await.expect("a request");
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                stream.write_all(answer).await.expect("written");
            }
        });
        format!("https://localhost:{port}")
    }
}
