//! The schedule of attempts.

use jiff::SignedDuration;
use tandem_domain::callback::{InvalidSchedule, MAX_RETRY_AFTER, Outcome, RetrySchedule};

use super::{FAILED, MILLISECOND, callback, exhausted, in_flight, schedule, seconds, waiting};
use crate::fixtures::{MANY, now};

#[test]
fn the_default_schedule_is_that_of_standard_webhooks() {
    let schedule = RetrySchedule::default();
    let mut callback = callback(waiting(0, now()));
    callback.attempts = 0;
    let mut waits = Vec::new();
    let mut time = now();
    for _ in 0..MANY {
        let Some(due) = callback.due_at() else { break };
        waits.push(due.duration_since(time).as_secs());
        time = due;
        callback = callback
            .begin(time)
            .expect("due")
            .end(FAILED, &schedule, 0, time);
    }
    let (minute, hour) = (60, 60 * 60);
    let expected = [
        0,
        5,
        5 * minute,
        30 * minute,
        2 * hour,
        5 * hour,
        10 * hour,
        14 * hour,
        20 * hour,
        24 * hour,
    ];
    assert_eq!(waits, expected);
    assert_eq!((callback.state, callback.attempts), (exhausted(time), 10));
    assert_eq!(
        "0,5,300,1800,7200,18000,36000,50400,72000,86400".parse(),
        Ok(schedule)
    );
}

#[test]
fn jitter_lengthens_a_wait_by_up_to_a_tenth() {
    let wait = |jitter| schedule().wait_after(2, jitter).expect("one more attempt");
    assert_eq!(wait(0), seconds(100));
    assert_eq!(wait(1), SignedDuration::from_millis(100_010));
    assert_eq!(wait(500), seconds(105));
    assert_eq!(wait(1_000), seconds(110));
    assert_eq!(wait(u16::MAX), seconds(110));
    assert_eq!(schedule().wait_after(3, 0), None);
}

#[test]
fn retry_after_lengthens_the_wait_by_at_most_a_day() {
    let wait = |retry_after: Option<SignedDuration>| {
        let ended = callback(in_flight(1, now(), now())).end(
            Outcome::Failed { retry_after },
            &schedule(),
            1_000,
            now(),
        );
        ended
            .due_at()
            .expect("one more attempt")
            .duration_since(now())
    };
    let jittered = seconds(110);
    assert_eq!(wait(None), jittered);
    assert_eq!(wait(Some(seconds(0))), jittered);
    assert_eq!(wait(Some(seconds(-5))), jittered);
    assert_eq!(wait(Some(seconds(109))), jittered);
    assert_eq!(wait(Some(seconds(111))), seconds(111));
    assert_eq!(wait(Some(MAX_RETRY_AFTER)), seconds(24 * 60 * 60));
    assert_eq!(wait(Some(MAX_RETRY_AFTER + MILLISECOND)), MAX_RETRY_AFTER);
    assert_eq!(wait(Some(SignedDuration::MAX)), MAX_RETRY_AFTER);
}

#[test]
fn retry_after_adds_no_attempt() {
    let ended = callback(in_flight(2, now(), now())).end(
        Outcome::Failed {
            retry_after: Some(seconds(5)),
        },
        &schedule(),
        0,
        now(),
    );
    assert_eq!(ended.state, exhausted(now()));
}

#[test]
fn a_schedule_is_a_list_of_whole_seconds() {
    for text in ["", "0,", "1.5", "-1", "a", "0;5", "4294967296"] {
        assert_eq!(
            text.parse::<RetrySchedule>(),
            Err(InvalidSchedule),
            "{text}"
        );
    }
    let spaced: RetrySchedule = " 0, 10 ,100 ".parse().expect("a schedule");
    assert_eq!(spaced, schedule());
}
