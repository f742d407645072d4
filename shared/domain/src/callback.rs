//! Callbacks: signed webhooks. They inform a source client of another contracting company about its offers, and any client
//! about its own events.
//!
//! ```text
//!              begin                  2xx
//!  waiting ------------> in flight ----------> delivered
//!   |  ^                   |  |  |
//!   |  | failed or cut off |  |  | 410, or the endpoint is disabled
//!   |  | tries left        |  |  +----------> held
//!   |  +-------------------+  | failed or cut off, last try
//!   |  |                      +-------------> exhausted
//!   |  | replay (from postponed, delivered, held, exhausted)
//!   |
//!   +--> postponed: the endpoint is paused; an attempt begins as from waiting, and no step is used up
//! ```
//!
//! An attempt in flight has a lease. When its worker dies, the attempt is cut off and counts as failed, so a callback that
//! kills its workers is exhausted like any other. A replay restarts the schedule with the same `webhook-id`.
//! [`crate::endpoint_health`] pauses and disables endpoints. Delivery is at least once, not exactly once: a receiver must
//! compare ids.

mod announcement;
mod attempt;
mod body;
mod concerned;
mod endpoint;
mod event_type;
mod schedule;
mod stored;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{CallbackId, ClientId, ConnectionId, OrderId, SubscriptionId};
use crate::request_id::RequestId;
use crate::sealed::Sealed;
use crate::sweep;
use crate::words::words;

pub use announcement::Announcement;
pub(crate) use announcement::VOUCHER_CODE;
pub use attempt::{Attempt, KEPT_ANSWER, MAX_LOG_OCTETS, OUTCOME_UNKNOWN};
pub use body::BrokenBody;
pub use concerned::Concerned;
pub use endpoint::Endpoint;
pub use event_type::EventType;
pub use schedule::{InvalidSchedule, RetrySchedule};

/// The lease of one attempt: afterwards another worker may try.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How long a delivered callback is kept, and an attempt that has a row of its own.
pub const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
/// A longer `Retry-After` counts as this.
pub const MAX_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(24);

words! {
    /// The public word of a [`CallbackState`].
    pub enum CallbackStatus {
        Pending = "pending",
        Delivered = "delivered",
        Exhausted = "exhausted",
        Held = "held",
    }
}

/// The state of a delivery. `step` counts the attempts since the schedule began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "status"
)]
pub enum CallbackState {
    Waiting {
        #[serde(default, skip_serializing_if = "is_zero")]
        step: u32,
        due_at: Timestamp,
    },
    /// The endpoint is paused. A state of its own, because the relay enqueues each row that waits for its first attempt at once.
    Postponed {
        #[serde(default, skip_serializing_if = "is_zero")]
        step: u32,
        due_at: Timestamp,
    },
    InFlight {
        /// The attempt in flight is not counted.
        #[serde(default, skip_serializing_if = "is_zero")]
        step: u32,
        /// When the attempt in flight was due. It stays, so that a lease does not move the row among those that are due.
        due_at: Timestamp,
        /// When another worker may try.
        lease_until: Timestamp,
    },
    Delivered {
        delivered_at: Timestamp,
    },
    /// All attempts failed; only a replay delivers the callback.
    Exhausted {
        exhausted_at: Timestamp,
    },
    /// The endpoint is disabled; only a replay delivers the callback.
    Held {
        held_at: Timestamp,
    },
}

impl CallbackState {
    /// Clients see postponed callbacks and those in flight as pending.
    pub fn status(&self) -> CallbackStatus {
        match self {
            Self::Waiting { .. } | Self::Postponed { .. } | Self::InFlight { .. } => {
                CallbackStatus::Pending
            }
            Self::Delivered { .. } => CallbackStatus::Delivered,
            Self::Exhausted { .. } => CallbackStatus::Exhausted,
            Self::Held { .. } => CallbackStatus::Held,
        }
    }

    pub fn as_str(&self) -> &'static str {
        self.status().as_str()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "stored::Stored", into = "stored::Stored")]
pub struct Callback {
    /// Also the `webhook-id`.
    pub id: CallbackId,
    /// The recipient.
    pub client_id: ClientId,
    /// Absent for the client's own event endpoint.
    pub connection_id: Option<ConnectionId>,
    pub order_id: Option<OrderId>,
    pub subscription_id: Option<SubscriptionId>,
    pub event: EventType,
    /// The customer whom the callback concerns, if any.
    pub concerned: Option<Concerned>,
    /// The body without the customer's data and the values of this row, sealed: it holds the voucher code.
    pub sealed_body: Sealed,
    /// The customer's data, sealed under the customer's own key.
    pub sealed_person: Option<Sealed>,
    pub state: CallbackState,
    /// All attempts ever begun, including those before a replay.
    pub attempts: u32,
    /// The attempts that have no row of their own; see [`Callback::log`].
    pub log: Vec<Attempt>,
    /// The request from which it follows.
    pub request: Option<RequestId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// 2xx.
    Accepted,
    /// 410: the receiver wants no more callbacks.
    Gone,
    Failed {
        /// The wait that the receiver requested by `Retry-After`.
        retry_after: Option<SignedDuration>,
    },
}

impl Callback {
    pub fn endpoint(&self) -> Endpoint {
        self.connection_id
            .map_or(Endpoint::Client(self.client_id), Endpoint::Connection)
    }

    /// When a worker must process the callback; `None` if it is finished.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.state {
            CallbackState::Waiting { due_at, .. } | CallbackState::Postponed { due_at, .. } => {
                Some(due_at)
            }
            CallbackState::InFlight { lease_until, .. } => Some(lease_until),
            CallbackState::Delivered { .. }
            | CallbackState::Exhausted { .. }
            | CallbackState::Held { .. } => None,
        }
    }

    /// From when on the row may be deleted; `None` unless the callback is delivered. One that waits for a replay is kept.
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self.state {
            CallbackState::Delivered { delivered_at } => {
                Some(delivered_at.saturating_add(KEPT).unwrap_or(Timestamp::MAX))
            }
            _ => None,
        }
    }

    /// When the sweep sends a message for the callback; `None` if it is finished.
    pub fn sweep_at(&self) -> Option<Timestamp> {
        match self.state {
            CallbackState::Waiting { step: 0, due_at } => Some(sweep::of_new(due_at)),
            CallbackState::InFlight {
                step: 0,
                due_at,
                lease_until,
            } => Some(sweep::of_first_lease(due_at, lease_until)),
            _ => self.due_at(),
        }
    }

    /// `None` while an attempt is in flight and when the callback is finished.
    pub fn next_attempt_at(&self) -> Option<Timestamp> {
        match self.state {
            CallbackState::Waiting { due_at, .. } | CallbackState::Postponed { due_at, .. } => {
                Some(due_at)
            }
            _ => None,
        }
    }

    /// The attempts in the log at the moment of this state. The attempt in flight is logged with its end.
    pub fn logged_attempts(&self) -> u32 {
        match self.state {
            CallbackState::InFlight { .. } => self.attempts.saturating_sub(1),
            _ => self.attempts,
        }
    }

    /// Begins an attempt; `None` unless one is due. An attempt whose lease expired must be [cut off](Self::cut_off) first.
    pub fn begin(self, now: Timestamp) -> Option<Self> {
        let (step, due_at) = match self.state {
            CallbackState::Waiting { step, due_at } | CallbackState::Postponed { step, due_at }
                if due_at <= now =>
            {
                (step, due_at)
            }
            _ => return None,
        };
        let lease_until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
        Some(Self {
            state: CallbackState::InFlight {
                step,
                due_at,
                lease_until,
            },
            attempts: self.attempts + 1,
            updated_at: now,
            ..self
        })
    }

    /// Ends the attempt in flight.
    pub fn end(
        self,
        outcome: Outcome,
        schedule: &RetrySchedule,
        jitter: u16,
        now: Timestamp,
    ) -> Self {
        let CallbackState::InFlight { step, .. } = self.state else {
            return self;
        };
        let state = match outcome {
            Outcome::Accepted => CallbackState::Delivered { delivered_at: now },
            Outcome::Gone => CallbackState::Held { held_at: now },
            Outcome::Failed { retry_after } => match schedule.wait_after(step + 1, jitter) {
                None => CallbackState::Exhausted { exhausted_at: now },
                Some(wait) => {
                    let requested = retry_after
                        .unwrap_or(SignedDuration::ZERO)
                        .min(MAX_RETRY_AFTER);
                    CallbackState::Waiting {
                        step: step + 1,
                        due_at: now
                            .saturating_add(wait.max(requested))
                            .unwrap_or(Timestamp::MAX),
                    }
                }
            },
        };
        Self {
            state,
            updated_at: now,
            ..self
        }
    }

    /// Ends an attempt whose worker died, with its log entry; `None` unless the lease expired. The attempt counts as failed.
    pub fn cut_off(
        &self,
        schedule: &RetrySchedule,
        jitter: u16,
        now: Timestamp,
    ) -> Option<(Self, Attempt)> {
        let CallbackState::InFlight {
            step, lease_until, ..
        } = self.state
        else {
            return None;
        };
        if lease_until > now {
            return None;
        }
        let began = lease_until.checked_sub(LEASE).unwrap_or(lease_until);
        let state = match schedule.wait_after(step + 1, jitter) {
            None => CallbackState::Exhausted { exhausted_at: now },
            Some(wait) => {
                let due_at = began.saturating_add(wait).unwrap_or(Timestamp::MAX);
                CallbackState::Waiting {
                    step: step + 1,
                    due_at,
                }
            }
        };
        Some((
            Self {
                state,
                updated_at: now,
                ..self.clone()
            },
            Attempt::cut_off(self.attempts, began),
        ))
    }

    /// Postpones a waiting callback until its paused endpoint may be tried again; no step of the schedule is used up.
    pub fn postpone(self, until: Timestamp, now: Timestamp) -> Self {
        match self.state {
            CallbackState::Waiting { step, due_at } | CallbackState::Postponed { step, due_at }
                if due_at < until =>
            {
                Self {
                    state: CallbackState::Postponed {
                        step,
                        due_at: until,
                    },
                    updated_at: now,
                    ..self
                }
            }
            _ => self,
        }
    }

    /// Holds a callback because its endpoint is disabled; a finished callback does not change.
    pub fn hold(self, now: Timestamp) -> Self {
        match self.state {
            CallbackState::Waiting { .. }
            | CallbackState::Postponed { .. }
            | CallbackState::InFlight { .. } => Self {
                state: CallbackState::Held { held_at: now },
                updated_at: now,
                ..self
            },
            _ => self,
        }
    }

    /// Restarts the schedule at once, with the same id. An attempt in flight is not interrupted.
    pub fn replay(self, now: Timestamp) -> Self {
        match self.state {
            CallbackState::InFlight { .. } => self,
            _ => Self {
                state: CallbackState::Waiting {
                    step: 0,
                    due_at: now,
                },
                updated_at: now,
                ..self
            },
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
