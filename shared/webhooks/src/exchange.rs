//! One request and its answer on a connection.

use std::error::Error;
use std::pin::pin;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Bytes};
use hyper::client::conn::http1;
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

/// Sends the request and reads the answer. `start` is the start of the attempt.
pub(crate) async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin,
    request: Request<Full<Bytes>>,
    settings: &SenderSettings,
    start: Instant,
) -> Result<Answered, Failure> {
    let stream = TokioIo::new(Answer::new(stream));
    let (mut client, connection) = http1::handshake(stream).await.map_err(of_client)?;
    let call = async {
        let deadline = settings.answer_deadline();
        let response = timeout_at(start + deadline, client.send_request(request)).await;
        let response = response
            .map_err(|_| Failure::NoAnswer(deadline))?
            .map_err(of_client)?;
        let (head, mut body) = response.into_parts();
        let body = read(&mut body, settings, start).await;
        Ok(Answered {
            status: head.status,
            headers: head.headers,
            body,
        })
    };
    // Dropping the connection closes it, so it is not spawned.
    let (mut call, connection) = (pin!(call), pin!(connection));
    tokio::select! {
        biased;
        answered = &mut call => answered,
        _ = connection => call.await,
    }
}

fn of_client(error: hyper::Error) -> Failure {
    Failure::find(&error).unwrap_or(Failure::Other)
}

/// Returns the kept part of the answer, and the failure if the answer is incomplete.
async fn read<B>(
    body: &mut B,
    settings: &SenderSettings,
    start: Instant,
) -> (Vec<u8>, Option<Failure>)
where
    B: Body<Data = Bytes, Error: Error + 'static> + Unpin,
{
    let deadline = settings.total_timeout;
    let (mut kept, mut read) = (Vec::new(), 0);
    while read < MAX_READ {
        match timeout_at(start + deadline, body.frame()).await {
            Err(_) => return (kept, Some(Failure::SlowAnswer(deadline))),
            Ok(Some(Err(error))) => return (kept, Some(of_body(&error))),
            Ok(None) => break,
            Ok(Some(Ok(frame))) => {
                let chunk = frame.into_data().unwrap_or_default();
                read += chunk.len();
                kept.extend(chunk.iter().take(KEPT_ANSWER - kept.len()));
            }
        }
    }
    (kept, None)
}

fn of_body(error: &(dyn Error + 'static)) -> Failure {
    match Failure::find(error) {
        Some(limit @ (Failure::LongBody | Failure::Flood)) => limit,
        _ => Failure::BrokenAnswer,
    }
}

#[cfg(test)]
mod tests;
