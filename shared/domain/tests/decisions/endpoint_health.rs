//! When an endpoint is paused, probed, warned about, disabled, and healthy again.

use jiff::{SignedDuration, Timestamp};
use tandem_domain::callback::{Endpoint, Outcome};
use tandem_domain::endpoint_health::{
    Admission, AttemptResult, Cause, Change, Circuit, DISABLED_AFTER, EndpointHealth,
    FAILURES_IN_A_ROW, Failing, HealthState, LONGEST_ASKED, LONGEST_SPREAD, PROBE, WAITS_IN_A_ROW,
    WAITS_OVER, WARNED_AFTER, WARNED_BEFORE,
};

use crate::fixtures::{MANY, id, now};

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

/// The health after slow answers in a row: the first [`WAITS_OVER`] ago, the last now.
fn slow(health: Option<&EndpointHealth>, attempts: u32) -> EndpointHealth {
    let first = now() - WAITS_OVER;
    let health = EndpointHealth::after_slow(health, ENDPOINT(), first).expect("changed");
    (1..attempts).fold(health, |health, _| {
        EndpointHealth::after_slow(Some(&health), ENDPOINT(), now()).expect("changed")
    })
}

#[test]
fn three_slow_answers_in_a_row_open_the_circuit() {
    let two = slow(None, WAITS_IN_A_ROW - 1);
    assert_eq!(
        (circuit(&two), EndpointHealth::status(Some(&two))),
        (Circuit::Closed, "ok")
    );
    let three = slow(None, WAITS_IN_A_ROW);
    assert_eq!(
        (circuit(&three), EndpointHealth::status(Some(&three))),
        (open(now() + seconds(5)), "paused")
    );
    assert_eq!(
        [&two, &three].map(EndpointHealth::failing_since),
        [None, None],
        "nothing has failed"
    );
    let answered = result(80, Outcome::Accepted, Some(200));
    assert_eq!(
        [&two, &three].map(|health| after(health, answered, now())),
        [Change::Recovered, Change::Recovered]
    );
}

#[test]
fn many_slow_answers_at_once_are_written_at_most_twice() {
    let two = slow(None, WAITS_IN_A_ROW - 1);
    let first = now() - WAITS_OVER;
    let at = |time| EndpointHealth::after_slow(Some(&two), ENDPOINT(), time);
    assert_eq!([at(first), at(now() - MILLISECOND)], [None, None]);
    assert!(at(now()).is_some_and(|health| health.paused_until().is_some()));
}

#[test]
fn a_slow_answer_changes_no_paused_or_disabled_endpoint() {
    let (past, future) = (now() - MILLISECOND, now() + MILLISECOND);
    let paused = [open(past), open(future), probing(past), probing(future)].map(failing);
    for health in paused
        .into_iter()
        .chain([disabled(), slow(None, WAITS_IN_A_ROW)])
    {
        assert_eq!(
            EndpointHealth::after_slow(Some(&health), ENDPOINT(), now()),
            None,
            "{health:?}"
        );
    }
    let mut health = failing(Circuit::Closed);
    for _ in 0..WAITS_IN_A_ROW {
        health = EndpointHealth::after_slow(Some(&health), ENDPOINT(), now() + WAITS_OVER)
            .expect("changed");
    }
    assert_eq!(
        (circuit(&health), health.failing_since()),
        (open(now() + WAITS_OVER + seconds(20)), Some(now()))
    );
}

#[test]
fn the_days_start_with_the_first_failure_after_slow_answers() {
    let at = now() + seconds(4);
    for (waits, until) in [(1, None), (WAITS_IN_A_ROW, Some(now() + seconds(5)))] {
        let health = written(after(&slow(None, waits), answered(500), at));
        assert_eq!(
            (health.failing_since(), health.paused_until()),
            (Some(at), until),
            "after {waits}"
        );
        if until.is_some() {
            assert_eq!(
                after(&health, answered(500), at),
                Change::None,
                "the other attempts had begun before"
            );
        }
    }
    // A slow answer, no callbacks for weeks, then a failure.
    let late = after(&slow(None, 1), answered(500), now() + hours(30 * 24));
    assert!(matches!(late, Change::Updated(_)), "{late:?}");
}

#[test]
fn a_slow_attempt_that_fails_does_not_end_the_probe() {
    let three = slow(None, WAITS_IN_A_ROW);
    let over = now() + seconds(5);
    let Admission::Probe(probing) = EndpointHealth::admit(Some(&three), id(80), false, over) else {
        panic!("no probe")
    };
    let failed = written(after(
        &probing,
        result(81, Outcome::Failed { retry_after: None }, None),
        over + seconds(3),
    ));
    assert_eq!(circuit(&failed), circuit(&probing));
    assert_eq!(
        circuit(&written(after(&failed, answered(500), over + seconds(4)))),
        open(over + seconds(4 + 10))
    );
}

#[test]
fn a_replay_request_resets_the_slow_answers() {
    let health = slow(None, 2)
        .after_replay_request(now())
        .expect("still failing");
    assert_eq!(
        EndpointHealth::after_slow(Some(&health), ENDPOINT(), now())
            .and_then(|health| health.paused_until()),
        None
    );
}

#[test]
fn an_endpoint_that_answers_not_now_is_paused_at_once() {
    for status in [429, 502, 503, 504] {
        let health = written(EndpointHealth::after(
            None,
            ENDPOINT(),
            answered(status),
            now(),
        ));
        assert_eq!(circuit(&health), open(now() + seconds(5)), "{status}");
    }
    for status in [400, 404, 428, 430, 500, 501, 505] {
        let health = written(EndpointHealth::after(
            None,
            ENDPOINT(),
            answered(status),
            now(),
        ));
        assert_eq!(circuit(&health), Circuit::Closed, "{status}");
    }
}

#[test]
fn pauses_double_up_to_a_quarter_of_an_hour() {
    let (mut time, mut pauses) = (now(), Vec::new());
    let mut health = written(EndpointHealth::after(None, ENDPOINT(), answered(503), time));
    for _ in 0..11 {
        let until = health.paused_until().expect("paused");
        pauses.push(until.duration_since(time).as_secs());
        time = until;
        health = written(after(&health, answered(503), time));
    }
    assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]);
}

#[test]
fn retry_after_lengthens_a_pause_up_to_an_hour() {
    for (asked, expected) in [
        (-5, 5),
        (0, 5),
        (4, 5),
        (6, 6),
        (3_600, 3_600),
        (3_601, 3_600),
        (i64::MAX, 3_600),
    ] {
        let outcome = Outcome::Failed {
            retry_after: Some(seconds(asked)),
        };
        let health = written(EndpointHealth::after(
            None,
            ENDPOINT(),
            result(80, outcome, Some(503)),
            now(),
        ));
        assert_eq!(circuit(&health), open(now() + seconds(expected)), "{asked}");
    }
    assert_eq!(LONGEST_ASKED, hours(1));
}

#[test]
fn postponed_callbacks_return_over_a_growing_window() {
    let health = failing(open(now()));
    let spread = |failing: SignedDuration, pause| {
        let at = now() + failing;
        health.spread(at + seconds(pause), at).as_secs()
    };
    assert_eq!(spread(seconds(0), 5), 5, "at least the rest of the pause");
    assert_eq!(spread(seconds(400), 5), 100, "a quarter of the outage");
    assert_eq!(spread(hours(4), 900), 3_600);
    assert_eq!(spread(hours(100), 900), LONGEST_SPREAD.as_secs());
    assert_eq!(spread(hours(-5), 5), 5, "a clock that was set back");
    let at = now() + seconds(400);
    for (chance, expected) in [(0, 5), (1, 5), (500, 55), (1_000, 105), (u16::MAX, 105)] {
        let wait = health
            .postponed_until(at + seconds(5), chance, at)
            .duration_since(at);
        assert_eq!(wait.as_secs(), expected, "{chance}");
    }
}

#[test]
fn callbacks_due_during_a_probe_return_within_two_probes() {
    let health = failing(open(now()));
    let Admission::Probe(health) = EndpointHealth::admit(Some(&health), id(80), false, now())
    else {
        panic!("a probe")
    };
    let Admission::NotBefore(until) = EndpointHealth::admit(Some(&health), id(81), false, now())
    else {
        panic!("one probe")
    };
    assert_eq!(until.duration_since(now()), PROBE);
    assert_eq!(
        health
            .postponed_until(until, 1_000, now())
            .duration_since(now()),
        PROBE * 2
    );
}

#[test]
fn four_days_of_failing_warn_once_and_five_disable() {
    let health = failing(Circuit::Closed);
    let early = now() + WARNED_AFTER - MILLISECOND;
    assert!(matches!(
        after(&health, answered(500), early),
        Change::Updated(_)
    ));
    let Change::Warned(health) = after(&health, answered(500), now() + WARNED_AFTER) else {
        panic!("not warned")
    };
    let early = now() + DISABLED_AFTER - MILLISECOND;
    assert!(
        matches!(after(&health, answered(500), early), Change::Updated(_)),
        "warned once, and not disabled yet"
    );
    let Change::Disabled(health) = after(&health, answered(500), now() + DISABLED_AFTER) else {
        panic!("not disabled")
    };
    let HealthState::Disabled {
        disabled_at,
        cause,
        reason,
    } = &health.state
    else {
        panic!("not disabled")
    };
    assert_eq!(
        (*disabled_at, *cause),
        (now() + DISABLED_AFTER, Cause::Failing)
    );
    assert!(reason.contains("2026-07-01T12:00:00Z"), "{reason}");
    assert_eq!(
        after(&health, answered(500), now() + DISABLED_AFTER),
        Change::None,
        "disabled once"
    );
}

#[test]
fn a_clock_jump_over_day_four_still_warns_a_day_before() {
    let late = now() + hours(30 * 24);
    let Change::Warned(health) = after(&failing(Circuit::Closed), answered(500), late) else {
        panic!("not warned")
    };
    assert!(matches!(
        after(&health, answered(500), late + WARNED_BEFORE - MILLISECOND),
        Change::Updated(_)
    ));
    assert!(matches!(
        after(&health, answered(500), late + WARNED_BEFORE),
        Change::Disabled(_)
    ));
    assert!(
        matches!(
            after(&warned(late), answered(500), now() - hours(1)),
            Change::None
        ),
        "a clock that was set back: still paused"
    );
}

#[test]
fn an_attempt_under_way_when_the_circuit_opened_still_warns() {
    let at = now() + WARNED_AFTER;
    assert!(matches!(
        after(&failing(open(at + hours(1))), answered(500), at),
        Change::Warned(_)
    ));
}

#[test]
fn a_replay_request_enables_or_probes_and_the_days_continue() {
    assert_eq!(disabled().after_replay_request(now()), None);
    let after_request = |before| {
        failing(before)
            .after_replay_request(now())
            .expect("still failing")
    };
    assert_eq!(circuit(&after_request(open(now() + hours(1)))), open(now()));
    assert_eq!(
        circuit(&after_request(open(now() - hours(1)))),
        open(now() - hours(1))
    );
    assert_eq!(
        circuit(&after_request(probing(now() + hours(1)))),
        probing(now() + hours(1))
    );
    let closed = after_request(Circuit::Closed);
    let HealthState::Failing(failing) = closed.state else {
        panic!("disabled")
    };
    assert_eq!(
        (failing.failing_since, failing.failures, failing.circuit),
        (now(), 1, Circuit::Closed)
    );
    let state = warned(now())
        .after_replay_request(now() + hours(1))
        .expect("still failing")
        .state;
    assert!(matches!(
        state,
        HealthState::Failing(Failing {
            warned_at: Some(_),
            ..
        })
    ));
}

#[test]
fn a_dead_endpoint_is_probed_every_15_minutes_until_disabled() {
    let mut health = written(EndpointHealth::after(
        None,
        ENDPOINT(),
        answered(503),
        now(),
    ));
    let (mut probes, mut warnings, mut time) = (0, 0, now());
    for _ in 0..10 * MANY {
        let Some(until) = health.paused_until() else {
            break;
        };
        time = until;
        let Admission::Probe(probing) = EndpointHealth::admit(Some(&health), id(80), false, time)
        else {
            panic!("no probe")
        };
        probes += 1;
        let change = after(&probing, answered(503), time);
        warnings += u32::from(matches!(change, Change::Warned(_)));
        health = written(change);
    }
    assert_eq!((probes, warnings), (487, 1));
    assert!(time.duration_since(now()) < DISABLED_AFTER + hours(1));
}
