//! A replay of many callbacks: all that wait for one, by when they were made and by connection.
//!
//! ```text
//!  waiting --step--> waiting --step--> ... --last step--> done
//! ```
//!
//! A step takes the next few callbacks, newest first, and is one transaction with the job's own row, which keeps how far it is:
//! a step that is done twice, or whose worker died, replays nothing twice. Between steps is a pause, so that the receivers get
//! what they missed at a bounded rate. What comes to wait for a replay after the job was accepted is not the job's.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::callback::{Callback, CallbackState};
use crate::endpoint_health::{EndpointHealth, HealthState};
use crate::ids::{ClientId, ConnectionId, ReplayId};
use crate::input::{Object, Parsed, parsed};
use crate::instant::instant;
use crate::words::words;

/// Callbacks of one step.
pub const STEP: usize = 25;
/// Between two steps, so that a job replays at most five callbacks a second.
pub const PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// How long a job can be read after it was accepted.
pub const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Which callbacks are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Selection {
    /// Made at this time or later; absent for all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub since: Option<Timestamp>,
    /// Of this connection; absent for all, those to the client's event endpoint included.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub connection_id: Option<ConnectionId>,
}

impl Selection {
    /// Reads `{since?, connectionId?}`.
    ///
    /// # Errors
    /// Names each wrong member.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let since = object.optional("since", instant);
        let connection_id = object.optional("connectionId", parsed::<ConnectionId>);
        object.finish(|| {
            Some(Self {
                since,
                connection_id,
            })
        })
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "status"
)]
pub enum ReplayState {
    /// The next step is to be made from `due_at` on.
    Waiting {
        /// When.
        due_at: Timestamp,
    },
    /// All steps are made.
    Done {
        /// When.
        done_at: Timestamp,
    },
}

words! {
    /// The public word of a job's progress.
    pub enum ReplayStatus {
        Accepted = "accepted",
        Running = "running",
        Done = "done",
    }
}

/// A job and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayJob {
    /// Id.
    pub id: ReplayId,
    /// Whose callbacks.
    pub client_id: ClientId,
    /// Which of them.
    #[serde(flatten)]
    pub selection: Selection,
    /// Where it stands.
    #[serde(flatten)]
    pub state: ReplayState,
    /// The position in the list of callbacks behind which the next step goes on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cursor: Option<String>,
    /// Callbacks that were asked for and found.
    pub found: u32,
    /// Those of them that are delivered again.
    pub replayed: u32,
    /// Those that were replayed otherwise meanwhile.
    pub skipped: u32,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When its first step was made.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub started_at: Option<Timestamp>,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

impl ReplayJob {
    /// A job whose first step is due at once.
    pub fn accept(id: ReplayId, client_id: ClientId, selection: Selection, now: Timestamp) -> Self {
        Self {
            id,
            client_id,
            selection,
            state: ReplayState::Waiting { due_at: now },
            cursor: None,
            found: 0,
            replayed: 0,
            skipped: 0,
            accepted_at: now,
            started_at: None,
            version: 1,
        }
    }

    /// When a worker should look at it; `None` once it is done.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.state {
            ReplayState::Waiting { due_at } => Some(due_at),
            ReplayState::Done { .. } => None,
        }
    }

    pub fn status(&self) -> ReplayStatus {
        match (self.state, self.started_at) {
            (ReplayState::Done { .. }, _) => ReplayStatus::Done,
            (ReplayState::Waiting { .. }, None) => ReplayStatus::Accepted,
            (ReplayState::Waiting { .. }, Some(_)) => ReplayStatus::Running,
        }
    }

    /// Whether a callback is one that the job replays.
    pub fn wants(&self, callback: &Callback) -> bool {
        let waits_since = match callback.state {
            CallbackState::Exhausted { exhausted_at } => exhausted_at,
            CallbackState::Held { held_at } => held_at,
            _ => return false,
        };
        waits_since <= self.accepted_at
            && self
                .selection
                .since
                .is_none_or(|since| callback.created_at >= since)
            && self
                .selection
                .connection_id
                .is_none_or(|id| callback.connection_id == Some(id))
    }

    /// The job after a step that found some callbacks and replays some of these; `next` is where the list goes on, if it does.
    pub fn step(self, found: usize, replayed: usize, next: Option<String>, now: Timestamp) -> Self {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let state = match next {
            Some(_) => ReplayState::Waiting {
                due_at: now.saturating_add(PAUSE).unwrap_or(Timestamp::MAX),
            },
            None => ReplayState::Done { done_at: now },
        };
        Self {
            state,
            cursor: next,
            found: self.found.saturating_add(count(found)),
            replayed: self.replayed.saturating_add(count(replayed)),
            skipped: self
                .skipped
                .saturating_add(count(found.saturating_sub(replayed))),
            started_at: self.started_at.or(Some(now)),
            ..self
        }
    }

    /// Whether the job says that a disabled endpoint is there again. One that was disabled after the job was accepted stays so: it
    /// refused what the job had sent.
    pub fn enables(&self, health: &EndpointHealth) -> bool {
        matches!(health.state, HealthState::Disabled { disabled_at, .. } if disabled_at <= self.accepted_at)
    }
}
