//! The partners' callback endpoints: one receiver for all, with a behaviour for each endpoint.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tandem_tests::{Received, Receiver, Reply};

/// An endpoint's behaviour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Manner {
    /// 200.
    #[default]
    Takes,
    /// 500.
    Fails,
    /// 429 with `Retry-After: 30`.
    Busy,
    /// 410.
    Gone,
    /// Reads the callback and closes the connection without an answer.
    Cuts,
    /// Reads the callback and never answers.
    Silent,
    /// Alternates 500 and 200.
    Flaky,
}

#[derive(Debug, Default)]
struct State {
    manners: BTreeMap<usize, Manner>,
    /// The number of requests to each endpoint.
    requests: BTreeMap<usize, usize>,
}

impl State {
    fn reply(&mut self, endpoint: usize) -> Reply {
        let requests = self.requests.entry(endpoint).or_default();
        let is_even = requests.is_multiple_of(2);
        *requests += 1;
        let reply = match self.manners.get(&endpoint).copied().unwrap_or_default() {
            Manner::Flaky if is_even => Reply::status(500),
            Manner::Takes | Manner::Flaky => Reply::status(200),
            Manner::Fails => Reply::status(500),
            Manner::Busy => Reply::status(429).header("retry-after", "30"),
            Manner::Gone => Reply::status(410),
            Manner::Cuts => Reply::cut(),
            Manner::Silent => Reply::hang(),
        };
        reply.body("text")
    }
}

#[derive(Debug)]
pub(crate) struct Endpoints {
    receiver: Receiver,
    state: Arc<Mutex<State>>,
}

impl Endpoints {
    /// Starts on the caller's runtime.
    pub(crate) async fn start() -> Self {
        let endpoints = Self {
            receiver: Receiver::start().await,
            state: Arc::default(),
        };
        let state = Arc::clone(&endpoints.state);
        let reply = move |received: &Received| locked(&state).reply(endpoint_of(received));
        endpoints.receiver.answer_by(reply);
        endpoints
    }

    /// The URL of an endpoint; each `version` is another URL of the same endpoint.
    pub(crate) fn url(&self, endpoint: usize, version: usize) -> String {
        format!("{}/{endpoint}/{version}", self.receiver.url())
    }

    /// Sets an endpoint's behaviour from now on.
    pub(crate) fn answers(&self, endpoint: usize, manner: Manner) {
        locked(&self.state).manners.insert(endpoint, manner);
    }

    /// Forgets received callbacks; every endpoint answers 200.
    pub(crate) fn reset(&self) {
        *locked(&self.state) = State::default();
        self.receiver.forget_received();
    }

    /// Every endpoint answers 200 from now on.
    pub(crate) fn heal(&self) {
        locked(&self.state).manners.clear();
    }

    /// Callbacks received since the reset, in order.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.receiver.received()
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The endpoint's number in [`Endpoints::url`].
pub(crate) fn endpoint_of(received: &Received) -> usize {
    let endpoint = received.target.rsplit('/').nth(1);
    let number = endpoint.and_then(|endpoint| endpoint.parse().ok());
    number.unwrap_or_else(|| panic!("{} is no endpoint's URL", received.target))
}
