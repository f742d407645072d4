//! Sends one callback.

use std::fmt;
use std::sync::Arc;

use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use reqwest::{Client, Request, Response, redirect, retry};
use tandem_domain::callback::KEPT_ANSWER;
use tandem_domain::callback_url::{CallbackUrl, LocalTargets};
use tokio::time::{Instant, timeout_at};
use url::Host;

use crate::address;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::resolver::{CheckingResolver, Resolver, SystemResolver};
use crate::settings::SenderSettings;

/// Octets of an answer that are read; at most [`KEPT_ANSWER`] of them are kept.
const MAX_READ: usize = 64 * 1024;
/// Of an answer. Together they may have about 400 KB, hyper's limit.
const MAX_HEADERS: usize = 100;

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
    /// The exact bytes that were signed; JSON.
    pub body: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
#[error("callbacks cannot be sent: the system's trusted certificates cannot be loaded")]
pub struct SenderError(#[from] reqwest::Error);

/// Sends callbacks. Cheap to clone. Keeps no connections: the connection of a frozen function is closed when the function
/// resumes, and using it would cost an attempt.
#[derive(Clone)]
pub struct Sender(Arc<Parts>);

struct Parts {
    settings: SenderSettings,
    /// For public addresses, https only.
    public: Client,
    /// For local targets, if there are any.
    local: Option<Client>,
}

impl Sender {
    /// Resolves names by the operating system.
    ///
    /// # Errors
    /// The system's trusted certificates cannot be loaded.
    pub fn new(settings: SenderSettings) -> Result<Self, SenderError> {
        Self::with_resolver(settings, SystemResolver)
    }

    pub fn with_resolver(
        settings: SenderSettings,
        resolver: impl Resolver,
    ) -> Result<Self, SenderError> {
        let resolver: Arc<dyn Resolver> = Arc::new(resolver);
        let builder = || {
            Client::builder()
                .user_agent(concat!("Tandem/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(settings.connect_timeout)
                .http1_only()
                .http1_max_headers(MAX_HEADERS)
                .no_proxy()
                .redirect(redirect::Policy::none())
                .retry(retry::never())
                .referer(false)
                .pool_max_idle_per_host(0)
                // Other crates may enable these features.
                .no_gzip()
                .no_brotli()
                .no_deflate()
                .no_zstd()
        };
        let public = builder()
            .https_only(true)
            .dns_resolver(CheckingResolver::public(Arc::clone(&resolver)))
            .build()?;
        let has_local = settings.local_targets != LocalTargets::default();
        let local = has_local
            .then(|| {
                builder()
                    .dns_resolver(CheckingResolver::local(resolver))
                    .build()
            })
            .transpose()?;
        Ok(Self(Arc::new(Parts {
            settings,
            public,
            local,
        })))
    }

    /// Makes one attempt, which ends within the total deadline.
    pub async fn send(&self, delivery: &Delivery<'_>) -> Reply {
        let start = Instant::now();
        let exchange = async {
            let mut response = self.request(delivery, start).await?;
            let body = self.read(&mut response, start).await;
            Ok((response, body))
        };
        match exchange.await {
            Ok((response, body)) => Reply::from_answer(
                response.status(),
                response.headers(),
                body,
                delivery.timestamp,
                start.elapsed(),
            ),
            Err(failure) => Reply::without_answer(&failure, start.elapsed()),
        }
    }

    async fn request(&self, delivery: &Delivery<'_>, start: Instant) -> Result<Response, Failure> {
        let settings = &self.0.settings;
        let client = self.client_for(delivery.url)?;
        let request = request(client, delivery).map_err(|_| Failure::Other)?;
        let deadline = settings.first_byte_timeout.min(settings.total_timeout);
        let answer = timeout_at(start + deadline, client.execute(request)).await;
        answer
            .map_err(|_| Failure::NoAnswer(deadline))?
            .map_err(|error| Failure::from_client(&error, settings))
    }

    /// Checks the URL again: it may have been stored when other targets were allowed.
    fn client_for(&self, url: &CallbackUrl) -> Result<&Client, Failure> {
        let local_targets = &self.0.settings.local_targets;
        CallbackUrl::parse(url.as_url().as_str(), local_targets).map_err(Failure::Url)?;
        if let Some(local) = self
            .0
            .local
            .as_ref()
            .filter(|_| local_targets.contains(url.as_url()))
        {
            return Ok(local);
        }
        // The resolver never sees an address, so check it here.
        let checked = match url.as_url().host() {
            Some(Host::Ipv4(address)) => address::check(address.into()),
            Some(Host::Ipv6(address)) => address::check(address.into()),
            Some(Host::Domain(_)) | None => Ok(()),
        };
        checked
            .map(|()| &self.0.public)
            .map_err(|_| Failure::NotPublic)
    }

    /// Returns the kept part of the answer, and the failure if the answer is incomplete.
    async fn read(&self, response: &mut Response, start: Instant) -> (Vec<u8>, Option<Failure>) {
        let deadline = self.0.settings.total_timeout;
        let (mut kept, mut read) = (Vec::new(), 0);
        while read < MAX_READ {
            match timeout_at(start + deadline, response.chunk()).await {
                Err(_) => return (kept, Some(Failure::SlowAnswer(deadline))),
                Ok(Err(_)) => return (kept, Some(Failure::BrokenAnswer)),
                Ok(Ok(None)) => break,
                Ok(Ok(Some(chunk))) => {
                    read += chunk.len();
                    kept.extend(chunk.iter().take(KEPT_ANSWER - kept.len()));
                }
            }
        }
        (kept, None)
    }
}

fn request(client: &Client, delivery: &Delivery<'_>) -> reqwest::Result<Request> {
    client
        .post(delivery.url.as_url().clone())
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT_ENCODING, "identity")
        .header("webhook-id", &delivery.id)
        .header("webhook-timestamp", delivery.timestamp)
        .header("webhook-signature", &delivery.signature)
        .body(delivery.body.clone())
        .build()
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll};

    use hyper::body::{Body, Bytes, Frame};

    use super::*;

    const PIECE: &[u8] = &[b'a'; 1_000];

    /// A body without an end, which counts the octets that were read.
    struct Endless(Arc<AtomicUsize>);

    impl Body for Endless {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let _ = self.0.fetch_add(PIECE.len(), Ordering::Relaxed);
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(PIECE)))))
        }
    }

    #[tokio::test]
    async fn an_endless_answer_is_read_to_64_kb_and_kept_to_4_kb() {
        let taken = Arc::new(AtomicUsize::new(0));
        let body = reqwest::Body::wrap(Endless(Arc::clone(&taken)));
        let mut response = Response::from(http::Response::new(body));
        let sender = Sender::new(SenderSettings::default()).expect("a sender");
        let (kept, failure) = sender.read(&mut response, Instant::now()).await;
        assert_eq!((kept.len(), failure.is_none()), (4_096, true));
        let taken = taken.load(Ordering::Relaxed);
        // The last piece may exceed the limit.
        assert!((65_536..65_536 + PIECE.len()).contains(&taken), "{taken}");
    }
}
