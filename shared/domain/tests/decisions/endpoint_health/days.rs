//! Days of failures: the warning, the end, and a new beginning.

use tandem_domain::endpoint_health::{
    Admission, Cause, Change, Circuit, DISABLED_AFTER, EndpointHealth, Failing, HealthState,
    WARNED_AFTER, WARNED_BEFORE,
};

use super::{
    ENDPOINT, MILLISECOND, after, answered, circuit, disabled, failing, hours, open, probing,
    warned, written,
};
use crate::fixtures::{MANY, id, now};

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
