//! Callbacks: the signed webhooks that tell a source client of another contracting company what happened, or any client that
//! its import is done, and how stubbornly they are delivered.
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
//!   +--> postponed: the endpoint is paused; begins like one that waits, without having used up a step
//! ```
//!
//! An attempt in flight has a lease, which names its step: when the worker dies, the attempt is cut off. It counts as a failed
//! one, so that a callback that kills its workers comes to an end like any other. A replay starts the schedule anew with the
//! same `webhook-id`. Whether an endpoint is paused or disabled is decided in [`crate::endpoint_health`]. Not guaranteed: that a
//! receiver gets a callback only once; it must look at the id.

mod attempt;
mod person;
mod schedule;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ids::{CallbackId, ClientId, ConnectionId, OrderId, SubscriptionId};
use crate::words::words;

pub use attempt::{Attempt, KEPT_ANSWER, OUTCOME_UNKNOWN};
pub use person::{BrokenBody, Concerned, whole_body};
pub use schedule::{InvalidSchedule, RetrySchedule};

/// How long one attempt may take before another worker may try.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// The longest wait that a receiver can ask for by `Retry-After`.
pub const LONGEST_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(24);

words! {
    pub enum EventType {
        /// A cross-client offer was sold.
        OrderCreated = "crossClientOrder.created",
        /// Another period was paid.
        SubscriptionRenewed = "crossClientSubscription.renewed",
        /// The subscription ends at a date.
        SubscriptionCancelled = "crossClientSubscription.cancelled",
        /// The money went back, by refund or charge-back.
        SubscriptionRefunded = "crossClientSubscription.refunded",
        ImportCompleted = "import.completed",
        /// The source requested a test.
        ConnectionTest = "connection.test",
    }

    /// The public word of a [`CallbackState`].
    pub enum CallbackStatus {
        Pending = "pending",
        Delivered = "delivered",
        Exhausted = "exhausted",
        Held = "held",
    }
}

/// Whose settings say where callbacks go and how they are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// The connection's: what happens to the source's offers at the target.
    Connection(ConnectionId),
    /// The client's own: what happens to the client itself.
    Client(ClientId),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(id) => id.fmt(f),
            Self::Client(id) => id.fmt(f),
        }
    }
}

impl From<ConnectionId> for Endpoint {
    fn from(id: ConnectionId) -> Self {
        Self::Connection(id)
    }
}

/// What is to be told, before it has an id and is sealed.
#[derive(Debug, Clone, PartialEq)]
pub struct Announcement {
    /// The client that is told.
    pub client_id: ClientId,
    /// By which connection; `None` for the client's own event endpoint.
    pub connection_id: Option<ConnectionId>,
    /// The order it is about, if any.
    pub order_id: Option<OrderId>,
    /// The subscription it is about, if any.
    pub subscription_id: Option<SubscriptionId>,
    /// What happened.
    pub event: EventType,
    /// The event's data.
    pub data: Value,
}

impl Announcement {
    /// The body as Standard Webhooks wants it: these bytes are kept, signed and sent.
    pub fn body(&self, now: Timestamp) -> Vec<u8> {
        json!({"type": self.event.as_str(), "timestamp": now, "data": self.data})
            .to_string()
            .into_bytes()
    }

    /// The callback to deliver at once.
    pub fn into_callback(self, id: CallbackId, sealed_body: String, now: Timestamp) -> Callback {
        Callback {
            id,
            client_id: self.client_id,
            connection_id: self.connection_id,
            order_id: self.order_id,
            subscription_id: self.subscription_id,
            event: self.event,
            concerned: None,
            sealed_body,
            sealed_person: None,
            state: CallbackState::Waiting {
                step: 0,
                due_at: now,
            },
            attempts: 0,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }
}

/// Where a callback stands. `step` counts the attempts since the schedule began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "status"
)]
pub enum CallbackState {
    /// To be attempted from `due_at` on.
    Waiting {
        /// Attempts made since the schedule began.
        step: u32,
        /// When the next one is due.
        due_at: Timestamp,
    },
    /// Its endpoint is paused: to be attempted from `due_at` on, as if it had waited. A state of its own, because the relay takes
    /// each row that waits for its first attempt as fresh and hands it over at once.
    Postponed {
        /// Attempts made since the schedule began.
        step: u32,
        /// When to look again.
        due_at: Timestamp,
    },
    /// A worker attempts it until `lease_until`.
    InFlight {
        /// Attempts made since the schedule began, this one not counted.
        step: u32,
        /// When another worker may try.
        lease_until: Timestamp,
    },
    /// The receiver took it.
    Delivered {
        /// When.
        delivered_at: Timestamp,
    },
    /// All attempts failed; waits for a replay.
    Exhausted {
        /// When.
        exhausted_at: Timestamp,
    },
    /// The endpoint is disabled; waits for a replay.
    Held {
        /// When.
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

/// A callback and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Callback {
    /// Id, also the `webhook-id`.
    pub id: CallbackId,
    /// The client that is told.
    pub client_id: ClientId,
    /// By which connection; absent for the client's own event endpoint.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub connection_id: Option<ConnectionId>,
    /// The order it is about, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order_id: Option<OrderId>,
    /// The subscription it is about, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subscription_id: Option<SubscriptionId>,
    /// What happened.
    pub event: EventType,
    /// Whom it concerns, if anyone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub concerned: Option<Concerned>,
    /// The body, sealed: it holds the voucher code. What it tells of the customer stands in `sealed_person`.
    pub sealed_body: String,
    /// What it tells of the customer, sealed under that person's key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sealed_person: Option<String>,
    /// Where it stands.
    #[serde(flatten)]
    pub state: CallbackState,
    /// All attempts ever begun, over replays.
    pub attempts: u32,
    /// When it was committed.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered 2xx.
    Accepted,
    /// The receiver answered 410: it wants no more.
    Gone,
    /// Anything else.
    Failed {
        /// What the receiver asked for by `Retry-After`.
        retry_after: Option<SignedDuration>,
    },
}

impl Callback {
    /// Where it goes.
    pub fn endpoint(&self) -> Endpoint {
        self.connection_id
            .map_or(Endpoint::Client(self.client_id), Endpoint::Connection)
    }

    /// When a worker should look at it; `None` while nothing is to be done.
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

    /// When the next attempt is planned; `None` while one is in flight and when nothing is to be done.
    pub fn next_attempt_at(&self) -> Option<Timestamp> {
        match self.state {
            CallbackState::Waiting { due_at, .. } | CallbackState::Postponed { due_at, .. } => {
                Some(due_at)
            }
            _ => None,
        }
    }

    /// The callback as it is while an attempt is in flight; `None` if there is nothing to do now. An attempt whose lease ran out
    /// must be [cut off](Self::cut_off) first.
    pub fn begin(self, now: Timestamp) -> Option<Self> {
        let step = match self.state {
            CallbackState::Waiting { step, due_at } | CallbackState::Postponed { step, due_at }
                if due_at <= now =>
            {
                step
            }
            _ => return None,
        };
        let lease_until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
        Some(Self {
            state: CallbackState::InFlight { step, lease_until },
            attempts: self.attempts + 1,
            updated_at: now,
            ..self
        })
    }

    /// The callback after the attempt in flight ended.
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
                    let asked = retry_after
                        .unwrap_or(SignedDuration::ZERO)
                        .min(LONGEST_RETRY_AFTER);
                    CallbackState::Waiting {
                        step: step + 1,
                        due_at: now
                            .saturating_add(wait.max(asked))
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

    /// The callback after an attempt whose worker died, with what the log is to say of that attempt; `None` unless the lease ran
    /// out. It counts as a failed attempt; the wait for the next one began when it began, so nothing is later than the lease.
    pub fn cut_off(
        &self,
        schedule: &RetrySchedule,
        jitter: u16,
        now: Timestamp,
    ) -> Option<(Self, Attempt)> {
        let CallbackState::InFlight { step, lease_until } = self.state else {
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

    /// The callback put off until its paused endpoint may be tried again; no step of its schedule is used up. Only what waits is
    /// put off.
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

    /// The callback put aside because its endpoint is disabled; done callbacks stay as they are.
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

    /// The callback to be delivered again from the start of the schedule, with the same id. One that still waits is due at
    /// once; one in flight stays as it is.
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
