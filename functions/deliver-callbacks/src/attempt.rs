//! A finished attempt, and its effects on the callback and the endpoint.

use tandem_domain::Timestamp;
use tandem_domain::callback::{Attempt, Callback, CallbackState, RetrySchedule};
use tandem_domain::endpoint_health::{AttemptResult, Change, EndpointHealth};
use tandem_runtime::callback_body;
use tandem_webhooks::Reply;

use crate::endpoint::EndpointSnapshot;
use crate::lease::Leased;
use crate::random;

pub(crate) struct FinishedAttempt {
    /// The callback as it was in flight.
    pub(crate) callback: Callback,
    pub(crate) log: Attempt,
    result: AttemptResult,
    /// Lengthens the wait for the next attempt; in thousandths.
    jitter: u16,
    pub(crate) finished_at: Timestamp,
}

impl FinishedAttempt {
    pub(crate) fn new(
        leased: Leased,
        reply: Reply,
        started_at: Timestamp,
        finished_at: Timestamp,
    ) -> Self {
        let (callback, personal_sealer) = (leased.callback, leased.personal_sealer);
        let (answer, sealed_answer) = callback_body::seal_answer(
            &callback,
            callback.attempts,
            personal_sealer.as_ref(),
            reply.answer,
        );
        let log = Attempt {
            number: callback.attempts,
            at: started_at,
            duration_ms: u64::try_from(reply.duration.as_millis()).unwrap_or(u64::MAX),
            status_code: reply.status_code,
            error: reply.error,
            answer,
            sealed_answer,
        };
        let result = AttemptResult {
            callback_id: callback.id,
            outcome: reply.outcome,
            status_code: reply.status_code,
        };
        Self {
            callback,
            log,
            result,
            jitter: random::per_mille(),
            finished_at,
        }
    }

    /// Of a first attempt: for how long it was due before it began, since the commit or since the end of its endpoint's pause.
    pub(crate) fn start_delay_ms(&self) -> Option<u64> {
        let CallbackState::InFlight { due_at, .. } = self.callback.state else {
            return None;
        };
        if self.log.number > 1 {
            return None;
        }
        let delay = self.log.at.duration_since(due_at).as_millis();
        u64::try_from(delay.max(0)).ok()
    }

    /// The effect on the endpoint's health.
    pub(crate) fn change(&self, endpoint: &EndpointSnapshot) -> Change {
        if endpoint.has_moved() {
            // The result belongs to an old URL.
            return Change::None;
        }
        let health = endpoint.health.as_ref();
        EndpointHealth::after(health, endpoint.endpoint(), self.result, self.finished_at)
    }

    /// The callback after the attempt.
    pub(crate) fn callback_after(&self, change: &Change, schedule: &RetrySchedule) -> Callback {
        let (callback, now) = (self.callback.clone(), self.finished_at);
        if let Change::Disabled(_) = change {
            return callback.hold(now);
        }
        let callback = callback.end(self.result.outcome, schedule, self.jitter, now);
        match change.health().and_then(EndpointHealth::paused_until) {
            // A retry that is due during the pause becomes the probe at its end.
            Some(until) => callback.postpone(until, now),
            None => callback,
        }
    }
}
