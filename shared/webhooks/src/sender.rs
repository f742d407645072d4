//! Sending one callback.

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
use crate::resolver::{JudgingResolver, Resolver, SystemResolver};
use crate::settings::SenderSettings;

/// How much of an answer is read; no more than [`KEPT_ANSWER`] of it is kept.
const READ_ANSWER: usize = 64 * 1024;
/// How many headers an answer may have; all of them together may have about 400 KB.
const MOST_HEADERS: usize = 100;

/// One attempt to deliver a callback.
#[derive(Debug, Clone)]
pub struct Delivery<'a> {
    /// `webhook-id`: the same over retries and replays.
    pub id: String,
    /// Where to.
    pub url: &'a CallbackUrl,
    /// `webhook-timestamp`: when this attempt is made, in seconds since 1970. A date in `Retry-After` is seen from here.
    pub timestamp: i64,
    /// `webhook-signature`, over id, timestamp and body; see [`crate::signature_header`].
    pub signature: String,
    /// The very bytes that were signed; JSON.
    pub body: Vec<u8>,
}

/// The certificates that the system trusts cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("callbacks cannot be sent: the trusted certificates of the system cannot be used")]
pub struct SenderError(#[from] reqwest::Error);

/// Sends callbacks. Cheap to clone; keeps no connection between callbacks, because a connection that a frozen function kept
/// is dead when it is used again, and costs an attempt.
#[derive(Clone)]
pub struct Sender(Arc<Parts>);

struct Parts {
    settings: SenderSettings,
    /// Calls public addresses by https.
    public: Client,
    /// Calls local targets; only where there are any.
    local: Option<Client>,
}

impl Sender {
    /// A sender that asks the operating system for addresses.
    ///
    /// # Errors
    /// The trusted certificates of the system cannot be used.
    pub fn new(settings: SenderSettings) -> Result<Self, SenderError> {
        Self::with_resolver(settings, SystemResolver)
    }

    /// A sender that asks `resolver` for addresses.
    ///
    /// # Errors
    /// As [`Sender::new`].
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
                .http1_max_headers(MOST_HEADERS)
                .no_proxy()
                .redirect(redirect::Policy::none())
                .retry(retry::never())
                .referer(false)
                .pool_max_idle_per_host(0)
                // Should another crate ever switch them on.
                .no_gzip()
                .no_brotli()
                .no_deflate()
                .no_zstd()
        };
        let public = builder()
            .https_only(true)
            .dns_resolver(JudgingResolver::public(Arc::clone(&resolver)))
            .build()?;
        let has_local = settings.local_targets != LocalTargets::default();
        let local = has_local
            .then(|| {
                builder()
                    .dns_resolver(JudgingResolver::local(resolver))
                    .build()
            })
            .transpose()?;
        Ok(Self(Arc::new(Parts {
            settings,
            public,
            local,
        })))
    }

    /// Makes one attempt. Ends within the total deadline, whatever the receiver does.
    pub async fn send(&self, delivery: &Delivery<'_>) -> Reply {
        let begin = Instant::now();
        let exchange = async {
            let mut response = self.ask(delivery, begin).await?;
            let body = self.read(&mut response, begin).await;
            Ok((response, body))
        };
        match exchange.await {
            Ok((response, body)) => Reply::of_answer(
                response.status(),
                response.headers(),
                body,
                delivery.timestamp,
                begin.elapsed(),
            ),
            Err(failure) => Reply::without_answer(&failure, begin.elapsed()),
        }
    }

    async fn ask(&self, delivery: &Delivery<'_>, begin: Instant) -> Result<Response, Failure> {
        let settings = &self.0.settings;
        let client = self.client_for(delivery.url)?;
        let request = request(client, delivery).map_err(|_| Failure::Other)?;
        let deadline = settings.first_byte_timeout.min(settings.total_timeout);
        let answer = timeout_at(begin + deadline, client.execute(request)).await;
        answer
            .map_err(|_| Failure::NoAnswer(deadline))?
            .map_err(|error| Failure::of(&error, settings))
    }

    /// Looks at the URL again: it may have been stored when other targets were allowed.
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
        // An address instead of a name never reaches the resolver.
        let judged = match url.as_url().host() {
            Some(Host::Ipv4(address)) => address::judge(address.into()),
            Some(Host::Ipv6(address)) => address::judge(address.into()),
            Some(Host::Domain(_)) | None => Ok(()),
        };
        judged
            .map(|()| &self.0.public)
            .map_err(|_| Failure::NotPublic)
    }

    /// The part of the answer that is kept, and why it is not complete.
    async fn read(&self, response: &mut Response, begin: Instant) -> (Vec<u8>, Option<Failure>) {
        let deadline = self.0.settings.total_timeout;
        let (mut kept, mut read) = (Vec::new(), 0);
        while read < READ_ANSWER {
            match timeout_at(begin + deadline, response.chunk()).await {
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

    /// A body without an end that counts what is taken of it.
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
    async fn of_an_endless_answer_64_kb_are_read_and_4_kb_kept() {
        let taken = Arc::new(AtomicUsize::new(0));
        let body = reqwest::Body::wrap(Endless(Arc::clone(&taken)));
        let mut response = Response::from(http::Response::new(body));
        let sender = Sender::new(SenderSettings::default()).expect("a sender");
        let (kept, failure) = sender.read(&mut response, Instant::now()).await;
        assert_eq!((kept.len(), failure.is_none()), (4_096, true));
        let taken = taken.load(Ordering::Relaxed);
        // The last piece may go beyond it.
        assert!((65_536..65_536 + PIECE.len()).contains(&taken), "{taken}");
    }
}
