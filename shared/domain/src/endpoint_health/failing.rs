//! A failing endpoint: its counts, and the circuit that pauses it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    DISABLED_AFTER, FAILURES_IN_A_ROW, FIRST_PAUSE, LONGEST_ASKED, LONGEST_PAUSE, WAITS_IN_A_ROW,
    WAITS_OVER, WARNED_AFTER, WARNED_BEFORE, later,
};
use crate::ids::CallbackId;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "is")]
pub enum Circuit {
    /// Callbacks are sent.
    Closed,
    /// No callback is sent before `until`; then one is sent as a probe.
    Open { until: Timestamp },
    /// One callback is in flight as a probe. From `until` on another may probe, if the first has no outcome by then.
    Probing {
        callback_id: CallbackId,
        until: Timestamp,
    },
}

impl Circuit {
    pub(super) fn paused_until(self) -> Option<Timestamp> {
        match self {
            Self::Closed => None,
            Self::Open { until } | Self::Probing { until, .. } => Some(until),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failing {
    /// The first failure after the last success; before any failure, the first slow answer.
    pub failing_since: Timestamp,
    /// Failures in a row. Of the attempts that were in flight when the circuit opened, only the first counts. 0 while the
    /// endpoint is only slow.
    pub failures: u32,
    /// Counted slow answers since the last success.
    #[serde(default)]
    pub waits: u32,
    /// Pauses in a row.
    pub pauses: u32,
    pub circuit: Circuit,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub warned_at: Option<Timestamp>,
}

impl Failing {
    /// Before the first failure or slow answer is counted.
    pub(super) fn since(now: Timestamp) -> Self {
        Self {
            failing_since: now,
            failures: 0,
            waits: 0,
            pauses: 0,
            circuit: Circuit::Closed,
            warned_at: None,
        }
    }

    /// The days start with the first failure, not with a slow answer before it.
    pub(super) fn starting_at_first_failure(self, now: Timestamp) -> Self {
        let failing_since = if self.failures == 0 {
            now
        } else {
            self.failing_since
        };
        Self {
            failing_since,
            ..self
        }
    }

    fn has_failed_for(&self, time: SignedDuration, now: Timestamp) -> bool {
        now.duration_since(self.failing_since) >= time
    }

    pub(super) fn must_be_warned(&self, now: Timestamp) -> bool {
        self.has_failed_for(WARNED_AFTER, now) && self.warned_at.is_none()
    }

    pub(super) fn must_be_disabled(&self, now: Timestamp) -> bool {
        let warned_in_time = |at| now.duration_since(at) >= WARNED_BEFORE;
        self.has_failed_for(DISABLED_AFTER, now) && self.warned_at.is_some_and(warned_in_time)
    }

    /// Whether a failure of this callback adds nothing to an open circuit: the attempt began before the circuit opened, or
    /// was a test.
    pub(super) fn is_failure_expected(&self, callback_id: CallbackId, now: Timestamp) -> bool {
        match self.circuit {
            Circuit::Closed => false,
            Circuit::Open { until } => until > now,
            Circuit::Probing {
                callback_id: probe,
                until,
            } => until > now && callback_id != probe,
        }
    }

    /// Counts a failure, and opens the circuit if it is one too many.
    pub(super) fn after_failure(
        self,
        status_code: Option<u16>,
        retry_after: Option<SignedDuration>,
        now: Timestamp,
    ) -> Self {
        let failing = Self {
            failures: self.failures.saturating_add(1),
            ..self
        };
        let not_now = matches!(status_code, Some(429 | 502..=504));
        let opens =
            not_now || failing.failures >= FAILURES_IN_A_ROW || failing.circuit != Circuit::Closed;
        if opens {
            failing.open(retry_after, now)
        } else {
            failing
        }
    }

    /// Counts a slow answer, and opens the circuit after the third; `None` if nothing changes.
    pub(super) fn after_slow(self, now: Timestamp) -> Option<Self> {
        if self.circuit != Circuit::Closed {
            return None;
        }
        let failing = Self {
            waits: self.waits.saturating_add(1),
            ..self
        };
        if failing.waits < WAITS_IN_A_ROW {
            Some(failing)
        } else if self.has_failed_for(WAITS_OVER, now) {
            Some(failing.open(None, now))
        } else {
            // Many attempts wait at once; a later one opens the circuit.
            None
        }
    }

    pub(super) fn after_replay_request(self, now: Timestamp) -> Self {
        let circuit = match self.circuit {
            Circuit::Open { until } if until > now => Circuit::Open { until: now },
            other => other,
        };
        Self {
            failures: self.failures.min(1),
            waits: 0,
            circuit,
            ..self
        }
    }

    fn open(self, retry_after: Option<SignedDuration>, now: Timestamp) -> Self {
        let pause = FIRST_PAUSE
            .saturating_mul(1 << self.pauses.min(16))
            .min(LONGEST_PAUSE);
        let asked = retry_after.unwrap_or_default().min(LONGEST_ASKED);
        let until = later(now, pause.max(asked));
        Self {
            circuit: Circuit::Open { until },
            pauses: self.pauses.saturating_add(1),
            ..self
        }
    }
}
