//! A replay of many callbacks: all that are exhausted or held, selected by creation time and connection.
//!
//! ```text
//!  waiting --step--> waiting --step--> ... --last step--> done
//! ```
//!
//! A step takes the next few callbacks, newest first. It commits them with the job's own row, which holds the progress, so a
//! repeated step or a dead worker replays nothing twice. The pause between steps bounds the rate at which the receivers get
//! their missed callbacks. Callbacks that become exhausted or held after the job was accepted are not part of it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::callback::{Callback, CallbackState};
use crate::endpoint_health::{EndpointHealth, HealthState};
use crate::ids::{ClientId, ConnectionId, ReplayId};
use crate::input::{Object, Parsed, parsed};
use crate::instant::instant;
use crate::request_id::RequestId;
use crate::sweep;
use crate::words::words;

/// Callbacks per step.
pub const STEP: usize = 25;
/// Between two steps: a job replays at most five callbacks per second.
pub const PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// How long a job can be read after its acceptance.
pub const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Selection {
    /// The earliest creation time; absent for all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub since: Option<Timestamp>,
    /// Absent for all, including those to the client's event endpoint.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub connection_id: Option<ConnectionId>,
}

impl Selection {
    /// Reads `{since?, connectionId?}`.
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "status"
)]
pub enum ReplayState {
    Waiting { due_at: Timestamp },
    Done { done_at: Timestamp },
}

words! {
    /// The public word of a job's progress.
    pub enum ReplayStatus {
        Accepted = "accepted",
        Running = "running",
        Done = "done",
    }
}

/// A job with its progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayJob {
    pub id: ReplayId,
    /// The owner of the callbacks.
    pub client_id: ClientId,
    #[serde(flatten)]
    pub selection: Selection,
    #[serde(flatten)]
    pub state: ReplayState,
    /// The position in the list of callbacks after which the next step continues.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cursor: Option<String>,
    /// The selected callbacks so far.
    pub found: u32,
    /// Those that are delivered again.
    pub replayed: u32,
    /// Those that another request had replayed meanwhile.
    pub skipped: u32,
    /// The request from which the job follows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<RequestId>,
    pub accepted_at: Timestamp,
    /// The time of the first step.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub started_at: Option<Timestamp>,
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
            request: None,
            accepted_at: now,
            started_at: None,
            version: 1,
        }
    }

    /// `None` when the job is done.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.state {
            ReplayState::Waiting { due_at } => Some(due_at),
            ReplayState::Done { .. } => None,
        }
    }

    /// When the sweep sends a message for the next step; `None` when the job is done.
    pub fn sweep_at(&self) -> Option<Timestamp> {
        match self.state {
            ReplayState::Waiting { due_at } if self.started_at.is_none() => {
                Some(sweep::of_new(due_at))
            }
            _ => self.due_at(),
        }
    }

    pub fn status(&self) -> ReplayStatus {
        match (self.state, self.started_at) {
            (ReplayState::Done { .. }, _) => ReplayStatus::Done,
            (ReplayState::Waiting { .. }, None) => ReplayStatus::Accepted,
            (ReplayState::Waiting { .. }, Some(_)) => ReplayStatus::Running,
        }
    }

    /// Whether the job replays the callback.
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

    /// Records a step that selected `found` callbacks and replayed some of them; `next` is the cursor of the next step, if any.
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

    /// Whether the job enables a disabled endpoint. An endpoint that was disabled after the acceptance stays disabled: it
    /// rejected the job's own callbacks.
    pub fn enables(&self, health: &EndpointHealth) -> bool {
        matches!(health.state, HealthState::Disabled { disabled_at, .. } if disabled_at <= self.accepted_at)
    }
}
