//! Connects to a receiver: lookup, TCP, and TLS unless the URL is a local target with plain http.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service as _;
use url::{Host, Url};

use crate::bounded::Metered;
use crate::failure::Failure;
use crate::resolver::CheckingResolver;

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
    /// Gives the next attempt on this connection the bounds of a new one.
    fn renew(&mut self);
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for Metered<S> {
    fn renew(&mut self) {
        self.renew();
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for TlsStream<Metered<S>> {
    fn renew(&mut self) {
        self.get_mut().0.renew();
    }
}

#[derive(Clone)]
pub(crate) struct Connector {
    tcp: HttpConnector<CheckingResolver>,
    tls: Tls,
}

/// TLS with the certificates that the system trusts. They are loaded at their first use. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Tls(Arc<OnceLock<TlsConnector>>);

impl Tls {
    pub(crate) fn load(&self) -> Result<&TlsConnector, rustls::Error> {
        if let Some(connector) = self.0.get() {
            return Ok(connector);
        }
        let connector = connector()?;
        Ok(self.0.get_or_init(|| connector))
    }
}

fn connector() -> Result<TlsConnector, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config).into())
}

impl Connector {
    pub(crate) fn new(resolver: CheckingResolver, tls: Tls, timeout: Duration) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Divided among the addresses.
        tcp.set_connect_timeout(Some(timeout));
        Self { tcp, tls }
    }

    pub(crate) async fn connect(&self, url: &Url) -> Result<Box<dyn Stream>, Failure> {
        let origin = origin(url).ok_or(Failure::Other)?;
        let connected = self.tcp.clone().call(origin).await;
        let stream = connected.map_err(|error| Failure::find(&error).unwrap_or(Failure::Other))?;
        let stream = Metered::new(stream.into_inner());
        if url.scheme() == "http" {
            return Ok(Box::new(stream));
        }
        let name = server_name(url).ok_or(Failure::Other)?;
        let tls = self.tls.load().map_err(|_| Failure::Tls)?;
        match tls.connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(Failure::find(&error).unwrap_or(Failure::Tls)),
        }
    }
}

pub(crate) fn origin(url: &Url) -> Option<Uri> {
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    format!("{}://{host}:{port}/", url.scheme()).parse().ok()
}

/// The name that the certificate must have.
pub(crate) fn server_name(url: &Url) -> Option<ServerName<'static>> {
    match url.host()? {
        Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_owned()).ok(),
        Host::Ipv4(address) => Some(ServerName::IpAddress(address.into())),
        Host::Ipv6(address) => Some(ServerName::IpAddress(address.into())),
    }
}
