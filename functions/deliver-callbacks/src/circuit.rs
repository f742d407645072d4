//! Counts endpoints that are paused, take callbacks again, or are disabled.

use tandem_domain::Timestamp;
use tandem_domain::endpoint_health::{Change, EndpointHealth};
use tandem_runtime::metrics::{self, Metric};

/// The effect of a change on the circuit; `None` if it stays open, or closed.
pub(crate) fn moved(before: Option<&EndpointHealth>, change: &Change) -> Option<Metric> {
    let was_paused = before.and_then(EndpointHealth::paused_until).is_some();
    let is_paused = change
        .health()
        .and_then(EndpointHealth::paused_until)
        .is_some();
    match change {
        Change::None => None,
        Change::Recovered => was_paused.then_some(Metric::EndpointsResumed),
        Change::Updated(_) | Change::Warned(_) => {
            (is_paused && !was_paused).then_some(Metric::EndpointsPaused)
        }
        Change::Disabled(_) => Some(Metric::EndpointsDisabled),
    }
}

pub(crate) fn count(moved: Option<Metric>, now: Timestamp) {
    if let Some(metric) = moved {
        metrics::count(&[(metric, 1)], now);
    }
}

#[cfg(test)]
mod tests {
    use tandem_domain::callback::{Endpoint, Outcome};
    use tandem_domain::endpoint_health::{AttemptResult, DISABLED_AFTER, WARNED_AFTER};
    use tandem_domain::ids::{CallbackId, ConnectionId};

    use super::*;

    fn after(
        before: Option<&EndpointHealth>,
        status_code: u16,
        outcome: Outcome,
        now: Timestamp,
    ) -> Change {
        let result = AttemptResult {
            callback_id: CallbackId::first_of(now),
            outcome,
            status_code: Some(status_code),
        };
        let endpoint = Endpoint::Connection(ConnectionId::first_of(Timestamp::UNIX_EPOCH));
        EndpointHealth::after(before, endpoint, result, now)
    }

    /// A life of an endpoint, with the metric of each change.
    #[test]
    fn each_move_of_the_circuit_is_counted_once() {
        let failed = Outcome::Failed { retry_after: None };
        let at = |minutes: i64| Timestamp::from_second(minutes * 60).expect("a time");
        let mut health: Option<EndpointHealth> = None;
        for (time, status_code, outcome, metric) in [
            (at(0), 500, failed, None),
            (at(1), 200, Outcome::Accepted, None),
            (at(2), 503, failed, Some(Metric::EndpointsPaused)),
            (at(3), 503, failed, None),
            (
                at(4),
                200,
                Outcome::Accepted,
                Some(Metric::EndpointsResumed),
            ),
            (at(5), 503, failed, Some(Metric::EndpointsPaused)),
            (at(5) + WARNED_AFTER, 503, failed, None),
            (
                at(6) + DISABLED_AFTER,
                503,
                failed,
                Some(Metric::EndpointsDisabled),
            ),
        ] {
            let change = after(health.as_ref(), status_code, outcome, time);
            assert_eq!(
                moved(health.as_ref(), &change),
                metric,
                "at {time}: {change:?}"
            );
            health = change.health().cloned();
        }
        let gone = after(None, 410, Outcome::Gone, at(0));
        assert_eq!(moved(None, &gone), Some(Metric::EndpointsDisabled));
    }
}
