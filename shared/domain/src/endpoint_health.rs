//! The health of an endpoint: whether its callbacks are sent, postponed or held.
//!
//! ```text
//!                 failures or slow answers
//!   (no value)    in a row, or "not now"     pause over, by one callback
//!  ------------> closed -----------> open ------------> probing
//!   ^   healthy     |                  ^                    |
//!   |               |                  | failed: longer     |
//!   |               |                  +--------------------+
//!   +---------------+------- a success ---------------------+
//!
//!  from each: 410, or five days without a success and a warning a day before --> disabled --> (no value), by hand
//! ```
//!
//! A healthy endpoint has no value, so a success writes only the callback. The first failure after a success creates the
//! value and starts the days. They are checked only when an attempt fails: an endpoint without callbacks does not fail.
//! While the circuit is open, one write postpones a due callback, without using up a step of its schedule. After the
//! pause, one callback is sent as a probe; the others wait for its outcome.
//!
//! An endpoint that hangs fails only at the deadline of the exchange, and until then all callbacks to it hang too. So an
//! attempt reports a slow answer after [`SLOW_AFTER`]. Three reports in a row, over at least a second, open the circuit.
//! A slow answer alone is no failure: it neither warns the client nor disables the endpoint.
//!
//! Postponed callbacks return over a window that grows with the outage ([`EndpointHealth::spread`]), so a recovered
//! endpoint gets the backlog at no more than about five times the normal rate.
//!
//! Not guaranteed: that a failing endpoint gets no callbacks. Attempts that began before the circuit opened continue.

mod failing;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::callback::{Endpoint, Outcome};
use crate::ids::{CallbackId, ClientId, ConnectionId};

pub use failing::{Circuit, Failing};

/// Failures in a row that open the circuit; 429, 502, 503 and 504 open it at once.
pub const FAILURES_IN_A_ROW: u32 = 5;
/// An answer that takes longer is slow: more than most receivers need, a fraction of the deadline.
pub const SLOW_AFTER: SignedDuration = SignedDuration::from_secs(2);
/// Slow answers in a row that open the circuit, if they span at least [`WAITS_OVER`].
pub const WAITS_IN_A_ROW: u32 = 3;
/// The least time from the first slow answer to the one that opens the circuit. A slow endpoint that answers steadily has
/// answered an attempt by then, and is not paused.
pub const WAITS_OVER: SignedDuration = SignedDuration::from_secs(1);
/// Each further pause is twice as long.
pub const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// The limit of the doubling.
pub const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(15);
/// How long a probe may take before another callback may probe: longer than the worker waits for any receiver, and no
/// longer than needed, because callbacks that become due meanwhile are postponed by as much.
pub const PROBE: SignedDuration = SignedDuration::from_secs(20);
/// The longest pause that a receiver can request by `Retry-After`. The callback itself waits for as long as requested.
pub const LONGEST_ASKED: SignedDuration = SignedDuration::from_hours(1);
/// The longest window over which postponed callbacks return.
pub const LONGEST_SPREAD: SignedDuration = SignedDuration::from_hours(1);
/// After failing for so long, the client gets a warning.
pub const WARNED_AFTER: SignedDuration = SignedDuration::from_hours(4 * 24);
/// After failing for so long, the endpoint is disabled, if the warning is at least [`WARNED_BEFORE`] old.
pub const DISABLED_AFTER: SignedDuration = SignedDuration::from_hours(5 * 24);
/// The least time between the warning and the disabling.
pub const WARNED_BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// Why an endpoint is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// It answered 410.
    #[default]
    Gone,
    /// It failed for days.
    Failing,
}

impl Cause {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase", untagged)]
pub enum HealthState {
    /// No callbacks are sent.
    Disabled {
        disabled_at: Timestamp,
        /// For people.
        reason: String,
        #[serde(default)]
        cause: Cause,
    },
    /// The last attempts failed or got slow answers.
    Failing(Failing),
}

/// An endpoint that is not healthy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointHealth {
    /// Set for a connection's endpoint.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub connection_id: Option<ConnectionId>,
    /// Set for a client's own endpoint.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client_id: Option<ClientId>,
    #[serde(flatten)]
    pub state: HealthState,
    /// For optimistic locking.
    pub version: u64,
}

/// Whether a due callback is attempted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    Attempt,
    /// Attempt it as a probe, and write this health in the transaction of the lease.
    Probe(EndpointHealth),
    /// Postpone it until this time or later.
    NotBefore(Timestamp),
    /// Hold it: the endpoint is disabled.
    Disabled,
}

/// The effect of an attempt on the endpoint's health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    None,
    /// The endpoint is healthy again: delete its health.
    Recovered,
    Updated(EndpointHealth),
    /// Write the health, and warn the client that the endpoint will be disabled.
    Warned(EndpointHealth),
    /// Write the health, and inform the client that the endpoint is disabled.
    Disabled(EndpointHealth),
}

impl Change {
    /// The health to write, if any.
    pub fn health(&self) -> Option<&EndpointHealth> {
        match self {
            Self::None | Self::Recovered => None,
            Self::Updated(health) | Self::Warned(health) | Self::Disabled(health) => Some(health),
        }
    }
}

/// The result of a finished attempt.
#[derive(Debug, Clone, Copy)]
pub struct AttemptResult {
    pub callback_id: CallbackId,
    pub outcome: Outcome,
    /// `None` if there was no answer.
    pub status_code: Option<u16>,
}

impl EndpointHealth {
    fn new(endpoint: Endpoint, state: HealthState) -> Self {
        let (connection_id, client_id) = match endpoint {
            Endpoint::Connection(id) => (Some(id), None),
            Endpoint::Client(id) => (None, Some(id)),
        };
        Self {
            connection_id,
            client_id,
            state,
            version: 1,
        }
    }

    /// The endpoint before its first failure is counted.
    fn first(endpoint: Endpoint, now: Timestamp) -> Self {
        Self::new(endpoint, HealthState::Failing(Failing::since(now)))
    }

    fn with_failing(self, failing: Failing) -> Self {
        Self {
            state: HealthState::Failing(failing),
            ..self
        }
    }

    fn disable(self, reason: String, cause: Cause, now: Timestamp) -> Self {
        Self {
            state: HealthState::Disabled {
                disabled_at: now,
                reason,
                cause,
            },
            ..self
        }
    }

    /// Decides whether a due callback is attempted. A callback test (`is_test`) ignores the circuit.
    pub fn admit(
        health: Option<&Self>,
        callback_id: CallbackId,
        is_test: bool,
        now: Timestamp,
    ) -> Admission {
        let Some(health) = health else {
            return Admission::Attempt;
        };
        let HealthState::Failing(failing) = health.state else {
            return Admission::Disabled;
        };
        match failing.circuit {
            Circuit::Closed => Admission::Attempt,
            Circuit::Open { .. } | Circuit::Probing { .. } if is_test => Admission::Attempt,
            Circuit::Open { until } | Circuit::Probing { until, .. } if until > now => {
                Admission::NotBefore(until)
            }
            Circuit::Open { .. } | Circuit::Probing { .. } => {
                let until = later(now, PROBE);
                let circuit = Circuit::Probing { callback_id, until };
                Admission::Probe(health.clone().with_failing(Failing { circuit, ..failing }))
            }
        }
    }

    /// The window over which postponed callbacks return: a quarter of the outage so far, at least the rest of the pause, at
    /// most [`LONGEST_SPREAD`].
    pub fn spread(&self, until: Timestamp, now: Timestamp) -> SignedDuration {
        let quarter = self
            .failing_since()
            .map_or(SignedDuration::ZERO, |since| now.duration_since(since) / 4);
        quarter
            .max(until.duration_since(now))
            .clamp(SignedDuration::ZERO, LONGEST_SPREAD)
    }

    /// When a postponed callback is due; `chance` in thousandths, 0 to 1,000.
    pub fn postponed_until(&self, until: Timestamp, chance: u16, now: Timestamp) -> Timestamp {
        let wait = self.spread(until, now).as_millis() * i128::from(chance.min(1_000)) / 1_000;
        let wait = SignedDuration::from_millis(i64::try_from(wait).unwrap_or(0));
        later(until, wait)
    }

    /// The effect of a finished attempt.
    pub fn after(
        health: Option<&Self>,
        endpoint: Endpoint,
        result: AttemptResult,
        now: Timestamp,
    ) -> Change {
        match (health.map(|health| &health.state), result.outcome) {
            // Disabled during the attempt; only people enable it again.
            (Some(HealthState::Disabled { .. }), _) | (None, Outcome::Accepted) => Change::None,
            (Some(HealthState::Failing(_)), Outcome::Accepted) => Change::Recovered,
            (_, Outcome::Gone) => {
                let health = health
                    .cloned()
                    .unwrap_or_else(|| Self::first(endpoint, now));
                let reason = format!("the receiver answered 410 to {}", result.callback_id);
                Change::Disabled(health.disable(reason, Cause::Gone, now))
            }
            (Some(HealthState::Failing(_)) | None, Outcome::Failed { retry_after }) => {
                let health = health.cloned();
                let health = health.unwrap_or_else(|| Self::first(endpoint, now));
                health.after_failure(result, retry_after, now)
            }
        }
    }

    /// The health after an attempt has waited for [`SLOW_AFTER`]; `None` if that changes nothing.
    pub fn after_slow(health: Option<&Self>, endpoint: Endpoint, now: Timestamp) -> Option<Self> {
        let health = health
            .cloned()
            .unwrap_or_else(|| Self::first(endpoint, now));
        let HealthState::Failing(failing) = health.state else {
            return None;
        };
        failing
            .after_slow(now)
            .map(|failing| health.with_failing(failing))
    }

    fn after_failure(
        self,
        result: AttemptResult,
        retry_after: Option<SignedDuration>,
        now: Timestamp,
    ) -> Change {
        let HealthState::Failing(failing) = self.state else {
            return Change::None;
        };
        let failing = failing.starting_at_first_failure(now);
        if failing.must_be_disabled(now) {
            let (since, id) = (failing.failing_since, result.callback_id);
            let reason =
                format!("no callback was taken since {since:.0}; the last one tried was {id}");
            return Change::Disabled(self.disable(reason, Cause::Failing, now));
        }
        let must_be_warned = failing.must_be_warned(now);
        if failing.is_failure_expected(result.callback_id, now) && !must_be_warned {
            return match failing.failures {
                0 => Change::Updated(self.with_failing(Failing {
                    failures: 1,
                    ..failing
                })),
                _ => Change::None,
            };
        }
        let failing = failing.after_failure(result.status_code, retry_after, now);
        if must_be_warned {
            let warned_at = Some(now);
            Change::Warned(self.with_failing(Failing {
                warned_at,
                ..failing
            }))
        } else {
            Change::Updated(self.with_failing(failing))
        }
    }

    /// The health after the client asked for a replay, which says that the endpoint works again. `None` if the health row can
    /// be deleted: a disabled endpoint is enabled. A paused endpoint gets a probe now. The days of failing continue.
    pub fn after_replay_request(self, now: Timestamp) -> Option<Self> {
        let HealthState::Failing(failing) = self.state else {
            return None;
        };
        Some(self.with_failing(failing.after_replay_request(now)))
    }

    /// `None` if the endpoint is only slow, or is disabled.
    pub fn failing_since(&self) -> Option<Timestamp> {
        match self.state {
            HealthState::Failing(failing) if failing.failures > 0 => Some(failing.failing_since),
            HealthState::Failing(_) | HealthState::Disabled { .. } => None,
        }
    }

    /// The end of the pause, if the circuit is open; until then only a probe is sent.
    pub fn paused_until(&self) -> Option<Timestamp> {
        match self.state {
            HealthState::Failing(failing) => failing.circuit.paused_until(),
            HealthState::Disabled { .. } => None,
        }
    }

    /// The word on the wire.
    pub fn status(health: Option<&Self>) -> &'static str {
        match health.map(|health| &health.state) {
            None => "ok",
            Some(HealthState::Disabled { .. }) => "disabled",
            Some(HealthState::Failing(failing)) => match (failing.circuit, failing.failures) {
                (Circuit::Closed, 0) => "ok",
                (Circuit::Closed, _) => "failing",
                (Circuit::Open { .. } | Circuit::Probing { .. }, _) => "paused",
            },
        }
    }
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}
