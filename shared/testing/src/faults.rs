//! Network faults below the real SDK: a connector that loses a request or its answer, or simulates the death of the process.
//!
//! A function reacts to a fault as in production: the SDK's retries, its `ClientRequestToken`, its classification of errors and our
//! mapping of them all take part. One [`Faults`] may wrap several clients ([`Faults::around`]); their calls are counted together,
//! in the order of sending.

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

/// The lost part of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The call has no effect.
    Request,
    /// The call has its effect.
    Answer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// One attempt fails; the SDK's retry succeeds.
    Try(Lost),
    /// The attempt fails, and no later request arrives, until [`Faults::clear`].
    Outage(Lost),
    /// From this attempt on, all requests arrive and all answers are lost, until [`Faults::clear`].
    Deaf,
    /// The process dies: neither this call nor a later one returns. Wait for [`Faults::died`] and drop the future.
    Death(Lost),
    /// The transaction is rejected with `TransactionConflict` on its first row.
    Busy,
    /// The call waits before it is sent, until [`Faults::resume`]; later calls pass and so overtake it. Wait for [`Faults::died`] first.
    HeldUp,
}

impl Fault {
    /// All faults that lose a request or an answer.
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

/// Counts calls and makes one of them fail. Clones share the count.
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

/// The connector's action for one request.
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
    /// Wraps a client.
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

    /// Plans a fault for the call with this number, 0 for the next call, and restarts the count.
    pub fn plan(&self, call: usize, fault: Fault) {
        *self.state() = State {
            seen: Vec::new(),
            planned: Some((call, fault)),
        };
    }

    /// Ends all faults and restarts the count.
    pub fn clear(&self) {
        *self.state() = State::default();
    }

    /// The requests that were sent since the last [`Faults::plan`] or [`Faults::clear`], retries included: the operation where the
    /// protocol names it in a header, else the address.
    pub fn calls(&self) -> Vec<String> {
        self.state().seen.clone()
    }

    /// Waits until a call meets [`Fault::Death`] or [`Fault::HeldUp`].
    pub async fn died(&self) {
        self.death.notified().await;
    }

    /// Sends the call that waits.
    pub fn resume(&self) {
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
        // A poisoned lock must not hide the panic of the test that poisoned it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// DynamoDB's answer to a transaction while another one is writing a row of it.
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
