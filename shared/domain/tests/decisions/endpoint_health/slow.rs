//! Slow answers pause an endpoint.

use tandem_domain::callback::Outcome;
use tandem_domain::endpoint_health::{
    Admission, Change, Circuit, EndpointHealth, WAITS_IN_A_ROW, WAITS_OVER,
};

use super::{
    ENDPOINT, MILLISECOND, after, answered, circuit, disabled, failing, hours, open, probing,
    result, seconds, written,
};
use crate::fixtures::{id, now};

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
