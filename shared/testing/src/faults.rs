//! Faults on the wire, beneath the real SDK: a connector that loses a request or its answer, or lets the process die there.
//!
//! What a function does about a fault is then what it does in production: the SDK's retries, its `ClientRequestToken`, its
//! classification of errors and its mapping to ours are all in play. One [`Faults`] may be put around several clients
//! ([`Faults::around`]); their calls are counted together, in the order in which they are sent.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::json;
use tokio::sync::Notify;

/// What gets lost of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The request: the call has no effect.
    Request,
    /// The answer: the call had its effect.
    Answer,
}

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// One try fails; the SDK tries again, and that goes well.
    Try(Lost),
    /// The try fails, and from then on no request arrives, until [`Faults::clear`].
    Outage(Lost),
    /// From this try on every request arrives and no answer comes back, until [`Faults::clear`].
    Deaf,
    /// The process dies: the call never returns, nor does any later one. Wait for [`Faults::died`] and drop the future.
    Death(Lost),
    /// A transaction is refused, because another one is under way on its first row.
    Busy,
    /// The call is held up before it is sent, until [`Faults::go_on`]; later ones pass, so that others can be faster. Wait for
    /// [`Faults::died`], too.
    HeldUp,
}

impl Fault {
    /// Each of them by which something gets lost.
    pub const ALL: [Self; 7] = [
        Self::Try(Lost::Request),
        Self::Try(Lost::Answer),
        Self::Outage(Lost::Request),
        Self::Outage(Lost::Answer),
        Self::Deaf,
        Self::Death(Lost::Request),
        Self::Death(Lost::Answer),
    ];
}

/// Counts calls and lets one of them fail. Clones share what they count.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    state: Arc<Mutex<State>>,
    death: Arc<Notify>,
    on: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    seen: Vec<String>,
    planned: Option<(usize, Fault)>,
}

/// What the connector does with one request.
#[derive(Debug, Clone, Copy)]
enum Act {
    Pass,
    Fail(Lost),
    Die(Lost),
    Hang,
    Wait,
    Refuse,
}

impl Faults {
    /// A client whose requests go through here to another one.
    pub fn around(&self, inner: impl HttpClient + 'static) -> SharedHttpClient {
        let faults = self.clone();
        http_client_fn(move |settings, components| {
            let inner = inner.http_connector(settings, components);
            SharedHttpConnector::new(Faulty {
                inner,
                faults: faults.clone(),
            })
        })
    }

    /// From now on the call with this number, 0 for the next one, meets a fault.
    pub fn plan(&self, call: usize, fault: Fault) {
        *self.state() = State {
            seen: Vec::new(),
            planned: Some((call, fault)),
        };
    }

    /// From now on everything goes well; the count begins anew.
    pub fn clear(&self) {
        *self.state() = State::default();
    }

    /// The requests that were sent since the last [`Faults::plan`] or [`Faults::clear`], retries included: the operation where the
    /// protocol names it in a header, else the address.
    pub fn calls(&self) -> Vec<String> {
        self.state().seen.clone()
    }

    /// Returns once a call met [`Fault::Death`] or [`Fault::HeldUp`].
    pub async fn died(&self) {
        self.death.notified().await;
    }

    /// Lets the call go on that is held up.
    pub fn go_on(&self) {
        self.on.notify_one();
    }

    fn next(&self, request: &HttpRequest) -> Act {
        let mut state = self.state();
        let number = state.seen.len();
        state.seen.push(
            request
                .headers()
                .get("x-amz-target")
                .unwrap_or(request.uri())
                .to_owned(),
        );
        let Some((call, fault)) = state.planned else {
            return Act::Pass;
        };
        match (number.cmp(&call), fault) {
            (std::cmp::Ordering::Less, _) => Act::Pass,
            (std::cmp::Ordering::Equal, Fault::Try(lost) | Fault::Outage(lost)) => Act::Fail(lost),
            (std::cmp::Ordering::Equal, Fault::Death(lost)) => Act::Die(lost),
            (std::cmp::Ordering::Equal, Fault::HeldUp) => Act::Wait,
            (std::cmp::Ordering::Equal, Fault::Busy) => Act::Refuse,
            (std::cmp::Ordering::Greater, Fault::Try(_) | Fault::HeldUp | Fault::Busy) => Act::Pass,
            (std::cmp::Ordering::Greater, Fault::Outage(_)) => Act::Fail(Lost::Request),
            (_, Fault::Deaf) => Act::Fail(Lost::Answer),
            (std::cmp::Ordering::Greater, Fault::Death(_)) => Act::Hang,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panics elsewhere must not hide what it found.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What DynamoDB answers to a transaction while another one is on a row of it.
fn busy() -> HttpResponse {
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict]",
        "CancellationReasons": [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}],
    });
    HttpResponse::new(
        StatusCode::try_from(400).expect("a status"),
        SdkBody::from(body.to_string()),
    )
}

struct Faulty {
    inner: SharedHttpConnector,
    faults: Faults,
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

impl HttpConnector for Faulty {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let lost = || ConnectorError::io("a fault of the test".into());
        let (act, inner, faults) = (
            self.faults.next(&request),
            self.inner.clone(),
            self.faults.clone(),
        );
        HttpConnectorFuture::new(async move {
            match act {
                Act::Pass => inner.call(request).await,
                Act::Fail(Lost::Request) => Err(lost()),
                Act::Fail(Lost::Answer) => inner.call(request).await.and(Err(lost())),
                Act::Die(lost) => {
                    if lost == Lost::Answer {
                        let _ = inner.call(request).await;
                    }
                    faults.death.notify_one();
                    std::future::pending().await
                }
                Act::Hang => std::future::pending().await,
                Act::Refuse => Ok(busy()),
                Act::Wait => {
                    faults.death.notify_one();
                    faults.on.notified().await;
                    inner.call(request).await
                }
            }
        })
    }
}
