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
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT);
    let connector = Connector::builder()
        .connector_settings(settings.build())
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::rustls(CryptoMode::AwsLc))
        .tls_context(TlsContext::builder().with_trust_store(trusted()?).build()?)
        .build();
    let connector = SharedHttpConnector::new(connector);
    Ok(http_client_fn(move |_, _| connector.clone()))
}

fn trusted() -> Result<TrustStore> {
    let bundle = std::env::var_os(CA_BUNDLE).filter(|path| !path.is_empty());
    let pem = match bundle {
        Some(path) => std::fs::read(path).context(CA_BUNDLE)?,
        None => AMAZON_ROOTS.to_vec(),
    };
    Ok(TrustStore::empty().with_pem_certificate(pem))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

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

    #[test]
    fn the_roots_are_accepted() {
        assert!(shared().is_ok());
    }
}
