//! Sends callbacks.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use tandem_domain::callback::Endpoint;
use tandem_domain::callback_url::{CallbackUrl, LocalTargets};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use url::{Position, Url};

use crate::connector::{Connector, Tls};
use crate::exchange::{Answered, Exchanged, exchange};
use crate::failure::Failure;
use crate::pool::{Kept, Place, Pool};
use crate::reply::Reply;
use crate::resolver::{CheckingResolver, Resolver, SystemResolver};
use crate::settings::SenderSettings;

/// The request of one attempt.
#[derive(Debug, Clone)]
pub struct Delivery<'a> {
    /// `webhook-id`: the same over retries and replays.
    pub id: String,
    pub url: &'a CallbackUrl,
    /// `webhook-timestamp`: the time of this attempt, in seconds since 1970. A date in `Retry-After` is relative to it.
    pub timestamp: i64,
    /// `webhook-signature`, over id, timestamp and body; see [`crate::signature_header`].
    pub signature: String,
    /// Headers of the receiver's own, which authenticate Tandem.
    pub headers: BTreeMap<String, String>,
    /// The exact bytes that were signed; JSON.
    pub body: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
#[error("callbacks cannot be sent: the system's trusted certificates cannot be loaded")]
pub struct SenderError(#[from] rustls::Error);

/// Sends callbacks. Cheap to clone.
#[derive(Clone)]
pub struct Sender(Arc<Parts>);

struct Parts {
    settings: SenderSettings,
    tls: Tls,
    /// For public addresses.
    public: Connector,
    /// For local targets, if there are any.
    local: Option<Connector>,
}

impl Sender {
    /// Resolves names by the operating system.
    pub fn new(settings: SenderSettings) -> Self {
        Self::with_resolver(settings, SystemResolver)
    }

    pub fn with_resolver(settings: SenderSettings, resolver: impl Resolver) -> Self {
        let (resolver, tls): (Arc<dyn Resolver>, _) = (Arc::new(resolver), Tls::default());
        let connector = |resolver| Connector::new(resolver, tls.clone(), settings.connect_timeout);
        let public = connector(CheckingResolver::public(Arc::clone(&resolver)));
        let has_local = settings.local_targets != LocalTargets::default();
        let local = has_local.then(|| connector(CheckingResolver::local(resolver)));
        Self(Arc::new(Parts {
            settings,
            tls,
            public,
            local,
        }))
    }

    /// Loads the system's trusted certificates, once. An attempt would load them too, but a failure to do so would count against
    /// the receiver.
    ///
    /// # Errors
    /// They cannot be loaded.
    pub fn load_certificates(&self) -> Result<(), SenderError> {
        self.0.tls.load().map(drop).map_err(SenderError::from)
    }

    /// Begins an invocation: its attempts share connections, which end with the returned value.
    pub fn connections(&self) -> Connections {
        Connections {
            parts: Arc::clone(&self.0),
            pool: Pool::default(),
        }
    }

    /// Makes one attempt on a connection of its own, which ends within the total deadline.
    pub async fn send(&self, delivery: &Delivery<'_>) -> Reply {
        attempt(delivery, async |request, start| {
            let parts = Arc::clone(&self.0);
            let url = delivery.url.clone();
            let exchanged = own_task(async move { parts.exchange(&url, request, start).await });
            exchanged.await?.answered
        })
        .await
    }
}

/// The connections of one invocation. A function that is frozen must not keep any: the receiver closes them meanwhile, and using
/// one would cost an attempt.
pub struct Connections {
    parts: Arc<Parts>,
    pool: Pool,
}

impl Connections {
    /// Makes one attempt, which ends within the total deadline, on a connection that an earlier attempt at the same endpoint and
    /// URL has left, if there is one. If the receiver has closed that one meanwhile, the attempt goes on with a new connection.
    pub async fn send(&self, endpoint: Endpoint, delivery: &Delivery<'_>) -> Reply {
        let place = Place::new(endpoint, delivery.url);
        let kept = self.pool.take(&place).await;
        let mut reusable = None;
        let reply = attempt(delivery, async |request, start| {
            let exchanged = self.exchange(kept, delivery, request, start).await?;
            reusable = exchanged.reusable;
            exchanged.answered
        })
        .await;
        self.pool.give_back(&place, reusable);
        reply
    }

    async fn exchange(
        &self,
        kept: Option<Kept>,
        delivery: &Delivery<'_>,
        request: Request<Full<Bytes>>,
        start: Instant,
    ) -> Result<Exchanged<Kept>, Failure> {
        if let Some(kept) = kept {
            let (parts, url, request) = (
                Arc::clone(&self.parts),
                delivery.url.clone(),
                request.clone(),
            );
            let exchanged =
                own_task(async move { parts.exchange_on(kept, &url, request, start).await });
            let exchanged = exchanged.await?;
            let was_closed = exchanged.answered.as_ref().err() == Some(&Failure::Closed);
            if !was_closed || exchanged.has_begun {
                return Ok(exchanged);
            }
        }
        let (parts, url) = (Arc::clone(&self.parts), delivery.url.clone());
        own_task(async move { parts.exchange(&url, request, start).await }).await
    }
}

/// Makes one attempt by `exchange`, which gets the request and the start.
async fn attempt(
    delivery: &Delivery<'_>,
    exchange: impl AsyncFnOnce(Request<Full<Bytes>>, Instant) -> Result<Answered, Failure>,
) -> Reply {
    let start = Instant::now();
    let answered = match request(delivery) {
        Ok(request) => exchange(request, start).await,
        Err(_) => Err(Failure::Other),
    };
    match answered {
        Ok(answered) => Reply::from_answer(answered, delivery.timestamp, start.elapsed()),
        Err(failure) => Reply::without_answer(&failure, start.elapsed()),
    }
}

/// Runs an exchange in a task of its own, so that a receiver that floods uses up the reads of its own task only. The task ends with
/// this future.
async fn own_task(
    exchange: impl Future<Output = Result<Exchanged<Kept>, Failure>> + Send + 'static,
) -> Result<Exchanged<Kept>, Failure> {
    let mut task = JoinSet::new();
    task.spawn(exchange);
    match task.join_next().await {
        Some(Ok(exchanged)) => exchanged,
        Some(Err(_)) | None => Err(Failure::Other),
    }
}

impl Parts {
    async fn exchange(
        &self,
        url: &CallbackUrl,
        request: Request<Full<Bytes>>,
        start: Instant,
    ) -> Result<Exchanged<Kept>, Failure> {
        let timeout = self.settings.connect_timeout;
        let connect = self.connector_for(url)?.connect(url.as_url());
        let stream = timeout_at(start + timeout, connect)
            .await
            .map_err(|_| Failure::NoConnection(timeout))??;
        Ok(exchange(stream, request, &self.settings, start).await)
    }

    /// On a kept connection, whose URL is judged like that of a new one.
    async fn exchange_on(
        &self,
        kept: Kept,
        url: &CallbackUrl,
        request: Request<Full<Bytes>>,
        start: Instant,
    ) -> Result<Exchanged<Kept>, Failure> {
        let _ = self.connector_for(url)?;
        Ok(exchange(kept, request, &self.settings, start).await)
    }

    /// Checks the URL again: it may have been stored when other targets were allowed.
    fn connector_for(&self, url: &CallbackUrl) -> Result<&Connector, Failure> {
        let local_targets = &self.settings.local_targets;
        CallbackUrl::parse(url.as_url().as_str(), local_targets).map_err(Failure::Url)?;
        let local = self.local.as_ref();
        let local = local.filter(|_| local_targets.contains(url.as_url()));
        Ok(local.unwrap_or(&self.public))
    }
}

fn request(delivery: &Delivery<'_>) -> http::Result<Request<Full<Bytes>>> {
    let url = delivery.url.as_url();
    let mut request = Request::post(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, host(url))
        .header(USER_AGENT, concat!("Tandem/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*")
        .header(ACCEPT_ENCODING, "identity")
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", &delivery.id)
        .header("webhook-timestamp", delivery.timestamp)
        .header("webhook-signature", &delivery.signature);
    for (name, value) in &delivery.headers {
        let mut value = HeaderValue::from_str(value)?;
        value.set_sensitive(true);
        request = request.header(name, value);
    }
    request.body(Full::from(delivery.body.clone()))
}

/// With the port, unless it is the scheme's.
fn host(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").finish_non_exhaustive()
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
