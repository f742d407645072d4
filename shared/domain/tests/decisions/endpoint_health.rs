//! When an endpoint is paused, probed, warned about, disabled, and healthy again.

mod days;
mod pauses;
mod slow;

use jiff::{SignedDuration, Timestamp};
use tandem_domain::callback::{Endpoint, Outcome};
use tandem_domain::endpoint_health::{
    Admission, AttemptResult, Cause, Change, Circuit, EndpointHealth, FAILURES_IN_A_ROW, Failing,
    HealthState, PROBE,
};

use crate::fixtures::{id, now};

const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);
const ENDPOINT: fn() -> Endpoint = || Endpoint::Connection(id(20));

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// Failing since [`now`], after 3 failures and 2 pauses.
fn failing(circuit: Circuit) -> EndpointHealth {
    let state = HealthState::Failing(Failing {
        failing_since: now(),
        failures: 3,
        waits: 0,
        pauses: 2,
        circuit,
        warned_at: None,
    });
    EndpointHealth {
        connection_id: Some(id(20)),
        client_id: None,
        state,
        version: 4,
    }
}

fn warned(at: Timestamp) -> EndpointHealth {
    let state = HealthState::Failing(Failing {
        failing_since: now(),
        failures: 9,
        waits: 0,
        pauses: 20,
        circuit: Circuit::Open { until: at },
        warned_at: Some(at),
    });
    EndpointHealth {
        state,
        ..failing(Circuit::Closed)
    }
}

fn disabled() -> EndpointHealth {
    let state = HealthState::Disabled {
        disabled_at: now(),
        reason: "a reason".to_owned(),
        cause: Cause::Failing,
    };
    EndpointHealth {
        state,
        ..failing(Circuit::Closed)
    }
}

fn open(until: Timestamp) -> Circuit {
    Circuit::Open { until }
}

/// By callback 80.
fn probing(until: Timestamp) -> Circuit {
    Circuit::Probing {
        callback_id: id(80),
        until,
    }
}

fn result(callback: u128, outcome: Outcome, status_code: Option<u16>) -> AttemptResult {
    AttemptResult {
        callback_id: id(callback),
        outcome,
        status_code,
    }
}

fn answered(status: u16) -> AttemptResult {
    result(80, Outcome::Failed { retry_after: None }, Some(status))
}

fn after(health: &EndpointHealth, result: AttemptResult, at: Timestamp) -> Change {
    EndpointHealth::after(Some(health), ENDPOINT(), result, at)
}

/// The health that a change writes.
fn written(change: Change) -> EndpointHealth {
    match change {
        Change::Updated(health) | Change::Warned(health) | Change::Disabled(health) => health,
        other => panic!("{other:?}"),
    }
}

fn circuit(health: &EndpointHealth) -> Circuit {
    match health.state {
        HealthState::Failing(failing) => failing.circuit,
        HealthState::Disabled { .. } => panic!("disabled"),
    }
}

#[test]
fn a_due_callback_is_admitted_as_the_table_says() {
    let (past, future) = (now() - MILLISECOND, now() + MILLISECOND);
    let probe = || {
        Admission::Probe(failing(Circuit::Probing {
            callback_id: id(81),
            until: now() + PROBE,
        }))
    };
    let not_before = Admission::NotBefore(future);
    // A state, and the admission of a callback and of a test.
    let table = [
        (None, Admission::Attempt, Admission::Attempt),
        (
            Some(failing(Circuit::Closed)),
            Admission::Attempt,
            Admission::Attempt,
        ),
        (
            Some(failing(open(future))),
            not_before.clone(),
            Admission::Attempt,
        ),
        (Some(failing(open(now()))), probe(), Admission::Attempt),
        (Some(failing(open(past))), probe(), Admission::Attempt),
        (
            Some(failing(probing(future))),
            not_before,
            Admission::Attempt,
        ),
        (Some(failing(probing(now()))), probe(), Admission::Attempt),
        (Some(disabled()), Admission::Disabled, Admission::Disabled),
    ];
    for (health, waiting, test) in table {
        assert_eq!(
            EndpointHealth::admit(health.as_ref(), id(81), false, now()),
            waiting,
            "{health:?}"
        );
        assert_eq!(
            EndpointHealth::admit(health.as_ref(), id(81), true, now()),
            test,
            "test, {health:?}"
        );
    }
}

#[test]
fn a_finished_attempt_changes_each_state_as_the_table_says() {
    let (past, future) = (now() - MILLISECOND, now() + MILLISECOND);
    let paused = |pauses, wait| {
        let circuit = open(now() + seconds(wait));
        HealthState::Failing(Failing {
            failing_since: now(),
            failures: 4,
            waits: 0,
            pauses,
            circuit,
            warned_at: None,
        })
    };
    let circuit = Circuit::Closed;
    let one_more = HealthState::Failing(Failing {
        failing_since: now(),
        failures: 4,
        waits: 0,
        pauses: 2,
        circuit,
        warned_at: None,
    });
    // A state, and the state after a 500 to callback 80 and after a 500 to callback 81.
    let table = [
        (
            failing(Circuit::Closed),
            Some(one_more.clone()),
            Some(one_more),
        ),
        (failing(open(future)), None, None),
        (
            failing(open(past)),
            Some(paused(3, 20)),
            Some(paused(3, 20)),
        ),
        (failing(probing(future)), Some(paused(3, 20)), None),
        (
            failing(probing(past)),
            Some(paused(3, 20)),
            Some(paused(3, 20)),
        ),
        (disabled(), None, None),
    ];
    for (health, by_80, by_81) in table {
        for (callback, expected) in [(80, by_80), (81, by_81)] {
            let outcome = Outcome::Failed { retry_after: None };
            let change = after(&health, result(callback, outcome, Some(500)), now());
            let expected = expected.map_or(Change::None, |state| {
                Change::Updated(EndpointHealth {
                    state,
                    ..failing(Circuit::Closed)
                })
            });
            assert_eq!(change, expected, "{callback} to {health:?}");
        }
        let stays_disabled = EndpointHealth::status(Some(&health)) == "disabled";
        let recovered = if stays_disabled {
            Change::None
        } else {
            Change::Recovered
        };
        assert_eq!(
            after(&health, result(81, Outcome::Accepted, Some(204)), now()),
            recovered,
            "{health:?}"
        );
        let gone = after(&health, result(81, Outcome::Gone, Some(410)), now());
        assert_eq!(
            matches!(gone, Change::Disabled(_)),
            !stays_disabled,
            "{health:?}"
        );
    }
}

#[test]
fn a_success_of_a_healthy_endpoint_changes_nothing() {
    let change = EndpointHealth::after(
        None,
        ENDPOINT(),
        result(80, Outcome::Accepted, Some(200)),
        now(),
    );
    assert_eq!(change, Change::None);
}

#[test]
fn five_failures_in_a_row_open_the_circuit() {
    let mut health = written(EndpointHealth::after(
        None,
        ENDPOINT(),
        answered(500),
        now(),
    ));
    for failures in 1..FAILURES_IN_A_ROW {
        assert_eq!(circuit(&health), Circuit::Closed, "after {failures}");
        health = written(after(&health, answered(400), now()));
    }
    assert_eq!(circuit(&health), open(now() + seconds(5)));
    assert_eq!(EndpointHealth::status(Some(&health)), "paused");
}
