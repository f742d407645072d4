//! Faults below the real SDK: a connector that loses a request or its answer, simulates the death of the process, or answers as a
//! DynamoDB that throttles.
//!
//! A function reacts to a fault as in production: the SDK's retries, its `ClientRequestToken`, its classification of errors and our
//! mapping of them all take part. One [`Faults`] may wrap several clients ([`Faults::around`]); their calls are counted together,
//! in the order of sending.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use tokio::sync::Notify;

use crate::refusals;

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
    /// The transaction is cancelled with these codes on its first rows; the put of one row is rejected for the first of them.
    Cancelled(&'static [&'static str]),
    /// From this attempt on, DynamoDB throttles every call, until [`Faults::clear`].
    Throttled,
    /// From this attempt on, DynamoDB throttles every write, until [`Faults::clear`]; it still reads.
    ThrottledWrites,
    /// DynamoDB throttles this attempt and those after it, this many in all.
    ThrottledTimes(usize),
    /// The batch is answered, but all of its keys are left unprocessed.
    Unprocessed,
    /// The call waits before it is sent, until [`Faults::resume`]; later calls pass and so overtake it. Wait for [`Faults::died`] first.
    HeldUp,
}

impl Fault {
    /// Another transaction is writing the first row.
    pub const BUSY: Self = Self::Cancelled(&["TransactionConflict"]);

    /// A write that is throttled once, so that the SDK retries it; and all of them, until [`Faults::clear`].
    pub const THROTTLING: [Self; 2] =
        [Self::Cancelled(&["ThrottlingError"]), Self::ThrottledWrites];

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
    Cancel(&'static [&'static str]),
    Throttle,
    Unprocessed,
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
        state.seen.push(target(request).to_owned());
        let Some((call, fault)) = state.planned else {
            return Act::Pass;
        };
        let writes = state
            .seen
            .last()
            .is_some_and(|target| refusals::is_write(target));
        match number.cmp(&call) {
            Ordering::Less => Act::Pass,
            Ordering::Equal => Self::at(fault, writes),
            Ordering::Greater => Self::after(fault, number - call, writes),
        }
    }

    /// The planned call.
    fn at(fault: Fault, writes: bool) -> Act {
        match fault {
            Fault::Try(lost) | Fault::Outage(lost) => Act::Fail(lost),
            Fault::Deaf => Act::Fail(Lost::Answer),
            Fault::Death(lost) => Act::Die(lost),
            Fault::HeldUp => Act::Wait,
            Fault::Cancelled(codes) => Act::Cancel(codes),
            Fault::Unprocessed => Act::Unprocessed,
            Fault::Throttled | Fault::ThrottledWrites | Fault::ThrottledTimes(_) => {
                Self::after(fault, 0, writes)
            }
        }
    }

    /// A call after the planned one, by this number.
    fn after(fault: Fault, number: usize, writes: bool) -> Act {
        match fault {
            Fault::Try(_) | Fault::HeldUp | Fault::Cancelled(_) | Fault::Unprocessed => Act::Pass,
            Fault::Outage(_) => Act::Fail(Lost::Request),
            Fault::Deaf => Act::Fail(Lost::Answer),
            Fault::Death(_) => Act::Hang,
            Fault::ThrottledWrites if !writes => Act::Pass,
            Fault::ThrottledTimes(times) if times <= number => Act::Pass,
            Fault::Throttled | Fault::ThrottledWrites | Fault::ThrottledTimes(_) => Act::Throttle,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A poisoned lock must not hide the panic of the test that poisoned it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The operation where the protocol names it in a header, else the address.
fn target(request: &HttpRequest) -> &str {
    request
        .headers()
        .get("x-amz-target")
        .unwrap_or(request.uri())
}

fn body(request: &HttpRequest) -> &[u8] {
    request.body().bytes().expect("a body in memory")
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
                Act::Cancel(codes) => {
                    Ok(refusals::cancelled(target(&request), body(&request), codes))
                }
                Act::Throttle => Ok(refusals::throttled(target(&request), body(&request))),
                Act::Unprocessed => Ok(refusals::unprocessed(body(&request))),
                Act::Wait => {
                    faults.death.notify_one();
                    faults.on.notified().await;
                    inner.call(request).await
                }
            }
        })
    }
}
