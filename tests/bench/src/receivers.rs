//! Partners' endpoints: HTTP servers on loopback. A seed selects the requests and endpoints that fail.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Error, Result};
use axum::body::{Body, to_bytes};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use standardwebhooks::Webhook;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::deliveries::{Deliveries, Delivery};

/// How long a request hangs; longer than any worker waits.
pub const HANG: Duration = Duration::from_secs(15);
/// One of so many endpoints is dead, in runs with dead endpoints.
const DEAD_EACH: usize = 10;
/// Selects the requests that fail.
const SEED: u64 = 0x7a6e_64d3_5eed_0001;

pub fn can_be_dead(endpoint: usize) -> bool {
    endpoint.is_multiple_of(DEAD_EACH)
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// Requests of a thousand that are answered with 500; as many hang, and as many are dropped.
    pub thousandths: u64,
    /// Whether every request to one of ten endpoints hangs.
    pub dead: bool,
}

#[derive(Debug, Default)]
pub struct RequestCounts {
    /// Answered with 2xx.
    pub accepted: AtomicU64,
    /// Answered with 500.
    pub failed: AtomicU64,
    /// Without any answer.
    pub hung: AtomicU64,
    /// Closed before any answer.
    pub dropped: AtomicU64,
    /// With a wrong signature or endpoint.
    pub forged: AtomicU64,
    /// Milliseconds that callers waited for hanging requests.
    pub hung_ms: AtomicU64,
    /// The most concurrent requests at one dead endpoint.
    pub max_at_dead: AtomicUsize,
}

/// The receivers' side of one run.
#[derive(Debug, Default)]
pub struct Round {
    pub deliveries: Deliveries,
    pub counts: RequestCounts,
    faults: Mutex<Faults>,
}

#[derive(Debug)]
pub struct Receivers {
    endpoints: Vec<Arc<Endpoint>>,
    round: Arc<Mutex<Arc<Round>>>,
    connections: Arc<AtomicU64>,
    /// The file with the certificate of all endpoints, as PEM.
    trusted: String,
}

#[derive(Debug)]
struct Endpoint {
    /// The addresses without and with TLS.
    addresses: [SocketAddr; 2],
    number: usize,
    secret: OnceLock<String>,
    in_flight: AtomicUsize,
    round: Arc<Mutex<Arc<Round>>>,
}

/// Closes the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("dropped on purpose")]
struct Dropped;

impl Receivers {
    /// Starts endpoints, each on its own port, that accept every request.
    pub async fn start(endpoints: usize) -> Result<Self> {
        let (round, connections) = (
            Arc::<Mutex<Arc<Round>>>::default(),
            Arc::<AtomicU64>::default(),
        );
        let (trusted, tls) = certificate()?;
        let mut all = Vec::with_capacity(endpoints);
        for number in 0..endpoints {
            let plain = TcpListener::bind(("127.0.0.1", 0)).await?;
            let secure = TcpListener::bind(("127.0.0.1", 0)).await?;
            let (secret, in_flight, round) = (OnceLock::new(), AtomicUsize::new(0), round.clone());
            let endpoint = Arc::new(Endpoint {
                addresses: [plain.local_addr()?, secure.local_addr()?],
                number,
                secret,
                in_flight,
                round,
            });
            let (one, other) = (endpoint.clone(), endpoint.clone());
            tokio::spawn(serve(plain, None, one, connections.clone()));
            tokio::spawn(serve(secure, Some(tls.clone()), other, connections.clone()));
            all.push(endpoint);
        }
        Ok(Self {
            endpoints: all,
            round,
            connections,
            trusted,
        })
    }

    /// With or without TLS.
    pub fn url(&self, endpoint: usize, tls: bool) -> String {
        let scheme = if tls { "https" } else { "http" };
        let address = self.endpoints[endpoint].addresses[usize::from(tls)];
        format!("{scheme}://{address}/tandem")
    }

    /// The file of the certificate that the workers must trust.
    pub fn trusted(&self) -> &str {
        &self.trusted
    }

    /// The connections so far.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Sets the secret by which an endpoint verifies signatures.
    pub fn set_secret(&self, endpoint: usize, secret: String) {
        let _ = self.endpoints[endpoint].secret.set(secret);
    }

    pub fn begin(&self, faults: Faults) -> Arc<Round> {
        let round = Arc::new(Round {
            faults: Mutex::new(faults),
            ..Round::default()
        });
        *self.round.lock().unwrap_or_else(PoisonError::into_inner) = round.clone();
        round
    }
}

impl Round {
    /// Dead endpoints answer again.
    pub fn recover(&self) {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .dead = false;
    }

    fn faults(&self) -> Faults {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The certificate of all endpoints: the path of its file, and the settings of a server that presents it.
fn certificate() -> Result<(String, TlsAcceptor)> {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(Error::msg)?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let file = std::env::temp_dir().join(format!("tandem-bench-{}.pem", std::process::id()));
    std::fs::write(&file, made.cert.pem())?;
    Ok((file.display().to_string(), Arc::new(config).into()))
}

async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    endpoint: Arc<Endpoint>,
    connections: Arc<AtomicU64>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        connections.fetch_add(1, Ordering::Relaxed);
        let (endpoint, tls) = (endpoint.clone(), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => converse(stream, endpoint).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        converse(stream, endpoint).await;
                    }
                }
            }
        });
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    endpoint: Arc<Endpoint>,
) {
    let service = service_fn(|request| endpoint.answer(request));
    // Callers that time out are part of the benchmark.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Endpoint {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
        let round = self
            .round
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let id = request
            .headers()
            .get("webhook-id")
            .and_then(|id| id.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let Some(delivery) = round.deliveries.attempted(&id) else {
            return Ok(answer(StatusCode::OK));
        };
        let faults = round.faults();
        let choice = chance(SEED ^ ((delivery.number as u64) << 8) ^ u64::from(delivery.attempts))
            % 1_000
            / faults.thousandths.max(1);
        match choice {
            _ if faults.dead && can_be_dead(self.number) => return self.hang(&round).await,
            0 if faults.thousandths > 0 => {
                round.counts.failed.fetch_add(1, Ordering::Relaxed);
                return Ok(answer(StatusCode::INTERNAL_SERVER_ERROR));
            }
            1 if faults.thousandths > 0 => return self.hang(&round).await,
            2 if faults.thousandths > 0 => {
                round.counts.dropped.fetch_add(1, Ordering::Relaxed);
                return Err(Dropped);
            }
            _ => {}
        }
        self.accept(request, &round, &id, delivery).await
    }

    async fn accept(
        &self,
        request: Request<Incoming>,
        round: &Round,
        id: &str,
        delivery: Delivery,
    ) -> Result<Response<Body>, Dropped> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(Body::new(body), usize::MAX)
            .await
            .map_err(|_| Dropped)?;
        let verified = self.secret.get().is_some_and(|secret| {
            Webhook::new(secret).is_ok_and(|webhook| webhook.verify(&body, &parts.headers).is_ok())
        });
        if !verified || delivery.endpoint != self.number {
            round.counts.forged.fetch_add(1, Ordering::Relaxed);
            return Ok(answer(StatusCode::UNAUTHORIZED));
        }
        round.counts.accepted.fetch_add(1, Ordering::Relaxed);
        round.deliveries.accepted(id);
        Ok(answer(StatusCode::OK))
    }

    async fn hang(&self, round: &Round) -> Result<Response<Body>, Dropped> {
        round.counts.hung.fetch_add(1, Ordering::Relaxed);
        let in_flight = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        if can_be_dead(self.number) {
            round
                .counts
                .max_at_dead
                .fetch_max(in_flight, Ordering::Relaxed);
        }
        let _wait = HangingRequest {
            since: Instant::now(),
            endpoint: self,
            round,
        };
        tokio::time::sleep(HANG).await;
        Err(Dropped)
    }
}

/// Counts how long the caller waited, even if it times out.
struct HangingRequest<'a> {
    since: Instant,
    endpoint: &'a Endpoint,
    round: &'a Round,
}

impl Drop for HangingRequest<'_> {
    fn drop(&mut self) {
        self.endpoint.in_flight.fetch_sub(1, Ordering::Relaxed);
        let waited = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.round
            .counts
            .hung_ms
            .fetch_add(waited, Ordering::Relaxed);
    }
}

fn answer(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A pseudo-random number: the same for the same seed (SplitMix64).
pub fn chance(seed: u64) -> u64 {
    let mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
