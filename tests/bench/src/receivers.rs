//! Partners' endpoints: HTTP servers on loopback, some requests or endpoints of which fail as a seed says.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use axum::body::{Body, to_bytes};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;

use crate::ledger::{Entry, Ledger};

/// For how long a request that hangs is held; longer than any worker waits.
pub const HANG: Duration = Duration::from_secs(15);
/// One of so many endpoints is dead, where any is.
const DEAD_EACH: usize = 10;
/// What chooses the requests that fail.
const SEED: u64 = 0x7a6e_64d3_5eed_0001;

/// Whether an endpoint is one of those that can be dead.
pub fn can_be_dead(endpoint: usize) -> bool {
    endpoint.is_multiple_of(DEAD_EACH)
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// Of a thousand requests to any endpoint, how many are answered with 500; as many hang, and as many are dropped.
    pub thousandths: u64,
    /// Whether every request to one of ten endpoints hangs.
    pub dead: bool,
}

/// How requests were met.
#[derive(Debug, Default)]
pub struct Met {
    /// Answered with 2xx.
    pub taken: AtomicU64,
    /// Answered with 500.
    pub failed: AtomicU64,
    /// Not answered.
    pub hung: AtomicU64,
    /// Cut off before any answer.
    pub dropped: AtomicU64,
    /// Of which the signature was wrong.
    pub forged: AtomicU64,
    /// Milliseconds for which callers waited in vain.
    pub held: AtomicU64,
    /// The most requests under way at a time at one endpoint that is dead.
    pub most_at_dead: AtomicUsize,
}

/// One run: what is expected, what goes wrong, and how requests were met.
#[derive(Debug, Default)]
pub struct Round {
    /// What is expected.
    pub ledger: Ledger,
    /// What went.
    pub met: Met,
    faults: Mutex<Faults>,
}

/// All endpoints.
#[derive(Debug)]
pub struct Receivers {
    endpoints: Vec<Arc<Endpoint>>,
    round: Arc<Mutex<Arc<Round>>>,
}

#[derive(Debug)]
struct Endpoint {
    url: String,
    number: usize,
    secret: OnceLock<String>,
    under_way: AtomicUsize,
    round: Arc<Mutex<Arc<Round>>>,
}

/// The caller is cut off without an answer.
#[derive(Debug, thiserror::Error)]
#[error("dropped on purpose")]
struct Dropped;

impl Receivers {
    /// Starts so many endpoints, each on a port of its own, which take everything.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(endpoints: usize) -> Result<Self> {
        let round = Arc::<Mutex<Arc<Round>>>::default();
        let mut all = Vec::with_capacity(endpoints);
        for number in 0..endpoints {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            let url = format!("http://{}/tandem", listener.local_addr()?);
            let (secret, under_way, round) = (OnceLock::new(), AtomicUsize::new(0), round.clone());
            let endpoint = Arc::new(Endpoint {
                url,
                number,
                secret,
                under_way,
                round,
            });
            tokio::spawn(serve(listener, endpoint.clone()));
            all.push(endpoint);
        }
        Ok(Self {
            endpoints: all,
            round,
        })
    }

    /// Where an endpoint is reached.
    pub fn url(&self, endpoint: usize) -> &str {
        &self.endpoints[endpoint].url
    }

    /// From now on an endpoint looks at signatures.
    pub fn know_secret(&self, endpoint: usize, secret: String) {
        let _ = self.endpoints[endpoint].secret.set(secret);
    }

    /// Begins a run.
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
    /// Endpoints that were dead are there again.
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

async fn serve(listener: TcpListener, endpoint: Arc<Endpoint>) {
    while let Ok((stream, _)) = listener.accept().await {
        let endpoint = endpoint.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| endpoint.answer(request));
            // A caller that gives up is what this is about.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
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
        let Some(entry) = round.ledger.arrived(&id) else {
            return Ok(answer(StatusCode::OK));
        };
        let faults = round.faults();
        let choice = chance(SEED ^ ((entry.number as u64) << 8) ^ u64::from(entry.attempts))
            % 1_000
            / faults.thousandths.max(1);
        match choice {
            _ if faults.dead && can_be_dead(self.number) => return self.hang(&round).await,
            0 if faults.thousandths > 0 => {
                round.met.failed.fetch_add(1, Ordering::Relaxed);
                return Ok(answer(StatusCode::INTERNAL_SERVER_ERROR));
            }
            1 if faults.thousandths > 0 => return self.hang(&round).await,
            2 if faults.thousandths > 0 => {
                round.met.dropped.fetch_add(1, Ordering::Relaxed);
                return Err(Dropped);
            }
            _ => {}
        }
        self.take(request, &round, &id, entry).await
    }

    async fn take(
        &self,
        request: Request<Incoming>,
        round: &Round,
        id: &str,
        entry: Entry,
    ) -> Result<Response<Body>, Dropped> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(Body::new(body), usize::MAX)
            .await
            .map_err(|_| Dropped)?;
        let verified = self.secret.get().is_some_and(|secret| {
            Webhook::new(secret).is_ok_and(|webhook| webhook.verify(&body, &parts.headers).is_ok())
        });
        if !verified || entry.endpoint != self.number {
            round.met.forged.fetch_add(1, Ordering::Relaxed);
            return Ok(answer(StatusCode::UNAUTHORIZED));
        }
        round.met.taken.fetch_add(1, Ordering::Relaxed);
        round.ledger.taken(id);
        Ok(answer(StatusCode::OK))
    }

    async fn hang(&self, round: &Round) -> Result<Response<Body>, Dropped> {
        round.met.hung.fetch_add(1, Ordering::Relaxed);
        let under_way = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        if can_be_dead(self.number) {
            round
                .met
                .most_at_dead
                .fetch_max(under_way, Ordering::Relaxed);
        }
        let _held = Held {
            since: Instant::now(),
            endpoint: self,
            round,
        };
        tokio::time::sleep(HANG).await;
        Err(Dropped)
    }
}

/// Counts for how long a caller waited, also one that gives up.
struct Held<'a> {
    since: Instant,
    endpoint: &'a Endpoint,
    round: &'a Round,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.endpoint.under_way.fetch_sub(1, Ordering::Relaxed);
        let held = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.round.met.held.fetch_add(held, Ordering::Relaxed);
    }
}

fn answer(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A number that looks random, always the same for the same seed (SplitMix64).
pub fn chance(seed: u64) -> u64 {
    let mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
