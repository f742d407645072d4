//! One request and its answer on a connection.

use std::error::Error;
use std::future::poll_fn;
use std::pin::pin;

use futures::FutureExt as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Bytes};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HeaderMap;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tandem_domain::callback::KEPT_ANSWER;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use crate::bounded::Answer;
use crate::failure::Failure;
use crate::settings::SenderSettings;

/// Octets of an answer's body that are read; at most [`KEPT_ANSWER`] of them are kept.
const MAX_READ: usize = 64 * 1024;

pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The kept part of the body, and the failure if the body is incomplete.
    pub(crate) body: (Vec<u8>, Option<Failure>),
}

/// The end of an exchange.
pub(crate) struct Exchanged<S> {
    pub(crate) answered: Result<Answered, Failure>,
    /// Whether the receiver has sent octets.
    pub(crate) has_begun: bool,
    /// The connection, if another request may follow.
    pub(crate) reusable: Option<S>,
}

/// Sends the request and reads the answer. `start` is the start of the attempt.
///
/// The HTTP client lives as long as the exchange: no octet of one answer is kept for the next request.
pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Send + Unpin>(
    stream: S,
    request: Request<Full<Bytes>>,
    settings: &SenderSettings,
    start: Instant,
) -> Exchanged<S> {
    let stream = TokioIo::new(Answer::new(stream));
    let (client, mut connection) = match http1::handshake(stream).await {
        Ok(parts) => parts,
        Err(error) => {
            return Exchanged {
                answered: Err(of_client(error)),
                has_begun: false,
                reusable: None,
            };
        }
    };
    let mut call = pin!(call(client, request, settings, start));
    let driven = poll_fn(|context| connection.poll_without_shutdown(context));
    // Dropping the connection closes it, so it is not spawned.
    let answered = tokio::select! {
        biased;
        answered = &mut call => answered,
        _ = driven => call.await,
    };
    let (answered, is_complete) = match answered {
        Ok((answered, is_complete)) => (Ok(answered), is_complete),
        Err(failure) => (Err(failure), false),
    };
    // The client has no request left, so its connection ends at once, unless octets of this exchange are left.
    let is_idle = is_complete
        && poll_fn(|context| connection.poll_without_shutdown(context))
            .now_or_never()
            .is_some_and(|ended| ended.is_ok());
    let parts = connection.into_parts();
    let (answer, is_read) = (parts.io.into_inner(), parts.read_buf.is_empty());
    Exchanged {
        answered,
        has_begun: answer.has_begun(),
        reusable: (is_idle && is_read)
            .then(|| answer.into_reusable())
            .flatten(),
    }
}

/// Returns the answer, and whether its body was complete and without trailers.
async fn call(
    mut client: SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
    settings: &SenderSettings,
    start: Instant,
) -> Result<(Answered, bool), Failure> {
    let deadline = settings.answer_deadline();
    let response = timeout_at(start + deadline, client.send_request(request)).await;
    let response = response
        .map_err(|_| Failure::NoAnswer(deadline))?
        .map_err(of_client)?;
    let (head, mut body) = response.into_parts();
    let Read {
        kept,
        failure,
        is_complete,
    } = read(&mut body, settings, start).await;
    let answered = Answered {
        status: head.status,
        headers: head.headers,
        body: (kept, failure),
    };
    Ok((answered, is_complete))
}

fn of_client(error: hyper::Error) -> Failure {
    Failure::find(&error).unwrap_or(Failure::Other)
}

struct Read {
    kept: Vec<u8>,
    /// Set if the answer is incomplete.
    failure: Option<Failure>,
    /// Whether the end of the body was read, and no trailers came before it.
    is_complete: bool,
}

async fn read<B>(body: &mut B, settings: &SenderSettings, start: Instant) -> Read
where
    B: Body<Data = Bytes, Error: Error + 'static> + Unpin,
{
    let deadline = settings.total_timeout;
    let (mut kept, mut read, mut has_trailers) = (Vec::new(), 0, false);
    let ended = |kept, failure, is_complete| Read {
        kept,
        failure,
        is_complete,
    };
    while read < MAX_READ {
        match timeout_at(start + deadline, body.frame()).await {
            Err(_) => return ended(kept, Some(Failure::SlowAnswer(deadline)), false),
            Ok(Some(Err(error))) => return ended(kept, Some(of_body(&error)), false),
            Ok(None) => return ended(kept, None, !has_trailers),
            Ok(Some(Ok(frame))) => {
                has_trailers |= frame.is_trailers();
                let chunk = frame.into_data().unwrap_or_default();
                read += chunk.len();
                kept.extend(chunk.iter().take(KEPT_ANSWER - kept.len()));
            }
        }
    }
    ended(kept, None, false)
}

fn of_body(error: &(dyn Error + 'static)) -> Failure {
    match Failure::find(error) {
        Some(limit @ (Failure::LongBody | Failure::Flood)) => limit,
        _ => Failure::BrokenAnswer,
    }
}

#[cfg(test)]
mod tests;
