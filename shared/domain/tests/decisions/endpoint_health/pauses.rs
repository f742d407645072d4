//! The length of a pause, and the return of postponed callbacks.

use jiff::SignedDuration;
use tandem_domain::callback::Outcome;
use tandem_domain::endpoint_health::{
    Admission, Circuit, EndpointHealth, LONGEST_ASKED, LONGEST_SPREAD, PROBE,
};

use super::{ENDPOINT, after, answered, circuit, failing, hours, open, result, seconds, written};
use crate::fixtures::{id, now};

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
