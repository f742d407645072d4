//! How well an endpoint does: whether its callbacks are sent, wait a while, or are held.
//!
//! ```text
//!                 failures or waits in a row,
//!   (no value)    or "not now"             pause over, by one callback
//!  ------------> closed -----------> open ------------> probing
//!   ^   healthy     |                  ^                    |
//!   |               |                  | failed: longer     |
//!   |               |                  +--------------------+
//!   +---------------+------- a success ---------------------+
//!
//!  from each: 410, or five days without a success and a warning a day before --> disabled --> (no value), by hand
//! ```
//!
//! A healthy endpoint has no value, so that a success writes nothing beside the callback. The first failure after a success
//! makes one; the days count from it, and are looked at whenever an attempt fails: without anything to deliver nothing fails.
//! While the circuit is open, a due callback is put off by one write and uses up no step of its schedule. When the pause is
//! over, one callback goes out as a probe; the others wait for its outcome.
//!
//! An endpoint that hangs has not failed before the deadline of the exchange, and until then everything that is sent to it hangs
//! with it. So an attempt that has waited [`PATIENCE`] for its answer says so meanwhile: three of them in a row, over a
//! second at least, open the circuit until one is answered. Waiting alone is no failure: it warns nobody and disables nothing.
//!
//! What was put off comes back over a window that grows with the outage ([`EndpointHealth::spread`]), so that an endpoint that
//! is there again gets what it missed at no more than some five times the rate at which it would have come.
//!
//! Not guaranteed: that an endpoint gets nothing while it fails. Attempts that had begun before the circuit opened go on.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::callback::{Endpoint, Outcome};
use crate::ids::{CallbackId, ClientId, ConnectionId};

/// Failures in a row that open the circuit; 429, 502, 503 and 504 open it at once.
pub const FAILURES_IN_A_ROW: u32 = 5;
/// How long an attempt waits for its answer before it says so: longer than most receivers take, a fraction of the deadline.
pub const PATIENCE: SignedDuration = SignedDuration::from_secs(2);
/// Attempts in a row that waited for so long which open the circuit, if they came over [`WAITS_OVER`] at least.
pub const WAITS_IN_A_ROW: u32 = 3;
/// From the first wait to the one that opens the circuit, at least: an endpoint that is slow but answers what is sent to it
/// steadily has answered one by then, and is not paused.
pub const WAITS_OVER: SignedDuration = SignedDuration::from_secs(1);
/// The first pause; each further one is twice as long.
pub const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// The longest pause that comes of doubling.
pub const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(15);
/// How long a probe may take before another callback may probe: longer than the worker waits for any receiver. What comes due
/// meanwhile is put off by as much, so that it is not longer than need be.
pub const PROBE: SignedDuration = SignedDuration::from_secs(20);
/// The longest pause of the endpoint that a receiver can ask for by `Retry-After`. The one callback waits for as long as asked.
pub const LONGEST_ASKED: SignedDuration = SignedDuration::from_hours(1);
/// The longest window over which callbacks come back after a pause.
pub const LONGEST_SPREAD: SignedDuration = SignedDuration::from_hours(1);
/// Failing for so long, the endpoint's client is warned.
pub const WARNED_AFTER: SignedDuration = SignedDuration::from_hours(4 * 24);
/// Failing for so long, the endpoint is disabled, if its client was warned [`WARNED_BEFORE`].
pub const DISABLED_AFTER: SignedDuration = SignedDuration::from_hours(5 * 24);
/// How long the client has after the warning, at least.
pub const WARNED_BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// Whether callbacks are sent to an endpoint that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "is")]
pub enum Circuit {
    /// They are.
    Closed,
    /// Not before `until`; then one as a probe.
    Open {
        /// When.
        until: Timestamp,
    },
    /// One is on its way as a probe. If nothing is heard of it, the next may probe from `until` on.
    Probing {
        /// Which.
        callback_id: CallbackId,
        /// When.
        until: Timestamp,
    },
}

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

/// What is wrong with an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase", untagged)]
pub enum HealthState {
    /// It gets no more callbacks.
    Disabled {
        /// Since when.
        disabled_at: Timestamp,
        /// Why, in words.
        reason: String,
        /// Why.
        #[serde(default)]
        cause: Cause,
    },
    /// It has not taken the last callback, or the last ones; or it lets them wait.
    Failing {
        /// The first failure after the last success; before any failure, the first wait.
        failing_since: Timestamp,
        /// Failures in a row, as far as they were counted: those of attempts under way when the circuit opened are not, but for
        /// the first one. 0 as long as it only lets wait.
        failures: u32,
        /// Attempts that waited for [`PATIENCE`] since the last success, as far as they were counted.
        #[serde(default)]
        waits: u32,
        /// Pauses in a row.
        pauses: u32,
        /// Whether callbacks are sent.
        circuit: Circuit,
        /// When the client was warned.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        warned_at: Option<Timestamp>,
    },
}

/// An endpoint that is not healthy. There is none of a healthy one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointHealth {
    /// The connection whose endpoint it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub connection_id: Option<ConnectionId>,
    /// The client whose own endpoint it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client_id: Option<ClientId>,
    /// What is wrong.
    #[serde(flatten)]
    pub state: HealthState,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

/// What may be done with a callback that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It is attempted.
    Attempt,
    /// It is attempted as a probe: the endpoint is to be as given here from now on, in the transaction of the lease.
    Probe(EndpointHealth),
    /// Not before this time.
    NotBefore(Timestamp),
    /// It is held.
    Disabled,
}

/// What an attempt changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing is to be written.
    None,
    /// The endpoint is healthy again: what was known of it is to go.
    Recovered,
    /// As given here from now on.
    Now(EndpointHealth),
    /// As given here, and the client is told that it will be disabled.
    Warned(EndpointHealth),
    /// As given here, and the client is told that it is disabled.
    Disabled(EndpointHealth),
}

/// What is known of an attempt that is over.
#[derive(Debug, Clone, Copy)]
pub struct Attempted {
    /// Of which callback.
    pub callback_id: CallbackId,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status, if there was an answer.
    pub status_code: Option<u16>,
}

impl EndpointHealth {
    fn of(endpoint: Endpoint, state: HealthState) -> Self {
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

    /// What may be done with a due callback. One that is `asked_for`, a test, goes out whatever the circuit says.
    pub fn admit(
        health: Option<&Self>,
        callback_id: CallbackId,
        asked_for: bool,
        now: Timestamp,
    ) -> Admission {
        let Some(health) = health else {
            return Admission::Attempt;
        };
        let HealthState::Failing { circuit, .. } = health.state else {
            return Admission::Disabled;
        };
        match circuit {
            Circuit::Closed => Admission::Attempt,
            Circuit::Open { .. } | Circuit::Probing { .. } if asked_for => Admission::Attempt,
            Circuit::Open { until } | Circuit::Probing { until, .. } if until > now => {
                Admission::NotBefore(until)
            }
            Circuit::Open { .. } | Circuit::Probing { .. } => {
                Admission::Probe(health.clone().with(Circuit::Probing {
                    callback_id,
                    until: later(now, PROBE),
                }))
            }
        }
    }

    /// Over how long what is put off comes back: a quarter of the time for which the endpoint has failed, at least the rest of
    /// the pause, at most [`LONGEST_SPREAD`].
    pub fn spread(&self, until: Timestamp, now: Timestamp) -> SignedDuration {
        let failing = self
            .failing_since()
            .map_or(SignedDuration::ZERO, |since| now.duration_since(since) / 4);
        failing
            .max(until.duration_since(now))
            .clamp(SignedDuration::ZERO, LONGEST_SPREAD)
    }

    /// When a callback that is put off comes back; `chance` in thousandths, 0 to 1,000.
    pub fn comes_back(&self, until: Timestamp, chance: u16, now: Timestamp) -> Timestamp {
        let spread = self.spread(until, now).as_millis() * i128::from(chance.min(1_000)) / 1_000;
        later(
            until,
            SignedDuration::from_millis(i64::try_from(spread).unwrap_or(0)),
        )
    }

    /// What an attempt that is over changes.
    pub fn after(
        health: Option<&Self>,
        endpoint: Endpoint,
        attempted: Attempted,
        now: Timestamp,
    ) -> Change {
        match (health.map(|health| &health.state), attempted.outcome) {
            // Disabled by another callback meanwhile: only people enable it again.
            (Some(HealthState::Disabled { .. }), _) | (None, Outcome::Accepted) => Change::None,
            (Some(HealthState::Failing { .. }), Outcome::Accepted) => Change::Recovered,
            (_, Outcome::Gone) => {
                let reason = format!("the receiver answered 410 to {}", attempted.callback_id);
                Change::Disabled(Self::disabled(health, endpoint, reason, Cause::Gone, now))
            }
            (Some(HealthState::Failing { .. }) | None, Outcome::Failed { retry_after }) => {
                let fresh = Self::fresh(endpoint, now);
                health
                    .unwrap_or(&fresh)
                    .failed(endpoint, attempted, retry_after, now)
            }
        }
    }

    /// The endpoint before its first failure is counted.
    fn fresh(endpoint: Endpoint, now: Timestamp) -> Self {
        let circuit = Circuit::Closed;
        let state = HealthState::Failing {
            failing_since: now,
            failures: 0,
            waits: 0,
            pauses: 0,
            circuit,
            warned_at: None,
        };
        Self::of(endpoint, state)
    }

    /// The endpoint after an attempt that is under way has waited for [`PATIENCE`]; `None` if that tells nothing new.
    pub fn waited(health: Option<&Self>, endpoint: Endpoint, now: Timestamp) -> Option<Self> {
        let fresh = Self::fresh(endpoint, now);
        let health = health.unwrap_or(&fresh);
        let HealthState::Failing {
            failing_since,
            failures,
            waits,
            pauses,
            circuit: Circuit::Closed,
            warned_at,
        } = health.state
        else {
            return None;
        };
        let waits = waits.saturating_add(1);
        let (circuit, pauses) = if waits < WAITS_IN_A_ROW {
            (Circuit::Closed, pauses)
        } else if now.duration_since(failing_since) >= WAITS_OVER {
            opened(pauses, None, now)
        } else {
            // Many at once: the next one that waits opens it.
            return None;
        };
        let state = HealthState::Failing {
            failing_since,
            failures,
            waits,
            pauses,
            circuit,
            warned_at,
        };
        Some(Self {
            state,
            ..health.clone()
        })
    }

    fn failed(
        &self,
        endpoint: Endpoint,
        attempted: Attempted,
        retry_after: Option<SignedDuration>,
        now: Timestamp,
    ) -> Change {
        let HealthState::Failing {
            failing_since,
            failures,
            waits,
            pauses,
            circuit,
            warned_at,
        } = self.state
        else {
            return Change::None;
        };
        let failing_since = if failures == 0 { now } else { failing_since };
        let failing_for = now.duration_since(failing_since);
        if failing_for >= DISABLED_AFTER
            && warned_at.is_some_and(|at| now.duration_since(at) >= WARNED_BEFORE)
        {
            let id = attempted.callback_id;
            let reason = format!(
                "no callback was taken since {failing_since:.0}; the last one tried was {id}"
            );
            return Change::Disabled(Self::disabled(
                Some(self),
                endpoint,
                reason,
                Cause::Failing,
                now,
            ));
        }
        let warns = failing_for >= WARNED_AFTER && warned_at.is_none();
        let known = match circuit {
            Circuit::Closed => false,
            Circuit::Open { until } => until > now,
            Circuit::Probing { callback_id, until } => {
                until > now && callback_id != attempted.callback_id
            }
        };
        if known && !warns {
            // It had begun before the circuit opened, or was a test: it tells no more than that what waited has failed.
            let state = HealthState::Failing {
                failing_since,
                failures: 1,
                waits,
                pauses,
                circuit,
                warned_at,
            };
            return if failures == 0 {
                Change::Now(Self {
                    state,
                    ..self.clone()
                })
            } else {
                Change::None
            };
        }
        let failures = failures.saturating_add(1);
        let not_now = matches!(attempted.status_code, Some(429 | 502..=504));
        let opens = not_now || failures >= FAILURES_IN_A_ROW || circuit != Circuit::Closed;
        let (circuit, pauses) = if opens {
            opened(pauses, retry_after, now)
        } else {
            (Circuit::Closed, pauses)
        };
        let warned_at = warned_at.or(warns.then_some(now));
        let state = HealthState::Failing {
            failing_since,
            failures,
            waits,
            pauses,
            circuit,
            warned_at,
        };
        let health = Self {
            state,
            ..self.clone()
        };
        if warns {
            Change::Warned(health)
        } else {
            Change::Now(health)
        }
    }

    fn disabled(
        before: Option<&Self>,
        endpoint: Endpoint,
        reason: String,
        cause: Cause,
        now: Timestamp,
    ) -> Self {
        let version = before.map_or(1, |before| before.version);
        Self {
            version,
            ..Self::of(
                endpoint,
                HealthState::Disabled {
                    disabled_at: now,
                    reason,
                    cause,
                },
            )
        }
    }

    /// After the client asked for a replay, which says that the endpoint is there again; `None` if nothing is left to know. A
    /// disabled one is enabled; one that is paused lets a probe through now; the days of one that fails go on.
    pub fn believed(self, now: Timestamp) -> Option<Self> {
        let HealthState::Failing {
            failing_since,
            failures,
            pauses,
            circuit,
            warned_at,
            ..
        } = self.state
        else {
            return None;
        };
        let circuit = match circuit {
            Circuit::Open { until } if until > now => Circuit::Open { until: now },
            other => other,
        };
        let failures = failures.min(1);
        Some(Self {
            state: HealthState::Failing {
                failing_since,
                failures,
                waits: 0,
                pauses,
                circuit,
                warned_at,
            },
            ..self
        })
    }

    /// Since when the endpoint fails; `None` if it only lets wait, or is disabled.
    pub fn failing_since(&self) -> Option<Timestamp> {
        match self.state {
            HealthState::Failing {
                failing_since,
                failures: 1..,
                ..
            } => Some(failing_since),
            HealthState::Failing { .. } | HealthState::Disabled { .. } => None,
        }
    }

    /// Until when nothing is sent but a probe, if the circuit is open.
    pub fn paused_until(&self) -> Option<Timestamp> {
        match self.state {
            HealthState::Failing {
                circuit: Circuit::Open { until } | Circuit::Probing { until, .. },
                ..
            } => Some(until),
            _ => None,
        }
    }

    /// The word that clients see of an endpoint.
    pub fn word(health: Option<&Self>) -> &'static str {
        match health.map(|health| &health.state) {
            None
            | Some(HealthState::Failing {
                circuit: Circuit::Closed,
                failures: 0,
                ..
            }) => "ok",
            Some(HealthState::Disabled { .. }) => "disabled",
            Some(HealthState::Failing {
                circuit: Circuit::Closed,
                ..
            }) => "failing",
            Some(HealthState::Failing { .. }) => "paused",
        }
    }

    fn with(self, circuit: Circuit) -> Self {
        let HealthState::Failing {
            failing_since,
            failures,
            waits,
            pauses,
            warned_at,
            ..
        } = self.state
        else {
            return self;
        };
        Self {
            state: HealthState::Failing {
                failing_since,
                failures,
                waits,
                pauses,
                circuit,
                warned_at,
            },
            ..self
        }
    }
}

/// The circuit when it opens, and how many pauses that makes.
fn opened(pauses: u32, retry_after: Option<SignedDuration>, now: Timestamp) -> (Circuit, u32) {
    let until = later(
        now,
        pause(pauses).max(retry_after.unwrap_or_default().min(LONGEST_ASKED)),
    );
    (Circuit::Open { until }, pauses.saturating_add(1))
}

fn pause(pauses: u32) -> SignedDuration {
    FIRST_PAUSE
        .saturating_mul(1 << pauses.min(16))
        .min(LONGEST_PAUSE)
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}
