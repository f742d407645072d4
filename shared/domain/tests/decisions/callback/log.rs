//! The attempts in the callback's own row, and the time for which both are kept.

use proptest::prelude::*;
use tandem_domain::callback::{Attempt, Callback, KEPT, KEPT_ANSWER, MAX_LOG_OCTETS};

use super::{callback, delivered, exhausted, held, in_flight, postponed, waiting};
use crate::fixtures::{now, yesterday};

fn attempt(number: u32, answer: usize) -> Attempt {
    Attempt {
        number,
        at: now(),
        duration_ms: 15_000,
        status_code: Some(200),
        error: None,
        answer: (answer > 0).then(|| "a".repeat(answer)),
        sealed_answer: None,
    }
}

#[test]
fn a_first_answer_of_a_few_hundred_octets_is_in_the_row() {
    let mut first = callback(delivered(now()));
    assert_eq!(first.log(attempt(1, 600)), None);
    assert_eq!(first.log, [attempt(1, 600)]);
}

#[test]
fn an_attempt_that_the_row_cannot_hold_is_returned() {
    let mut large = callback(waiting(1, now()));
    let first = attempt(1, KEPT_ANSWER);
    assert_eq!(large.log(first.clone()), Some(first));
    // A later one that fits is in the row all the same.
    assert_eq!(large.log(attempt(2, 0)), None);
    assert_eq!(large.log, [attempt(2, 0)]);
}

proptest! {
    #[test]
    fn a_row_never_grows_past_its_bound(answers in prop::collection::vec(0..1_000_usize, 0..40)) {
        let mut row = callback(waiting(0, now()));
        let bare = serde_json::to_string(&row).expect("JSON").len();
        let (mut own, mut numbers) = (0, Vec::new());
        for (number, answer) in (1..).zip(answers) {
            own += usize::from(row.log(attempt(number, answer)).is_some());
            numbers.push(number);
        }
        prop_assert_eq!(own + row.log.len(), numbers.len(), "each attempt is in one place");
        let grown = serde_json::to_string(&row).expect("JSON").len() - bare;
        // `"log":[` and `],`
        prop_assert!(grown <= MAX_LOG_OCTETS + 9, "{grown}");
    }
}

#[test]
fn a_callback_expires_90_days_after_its_delivery_only() {
    let expires = |state| callback(state).expires_at();
    assert_eq!(expires(delivered(yesterday())), Some(yesterday() + KEPT));
    for kept in [
        waiting(0, yesterday()),
        postponed(0, yesterday()),
        in_flight(0, yesterday(), now()),
        exhausted(yesterday()),
        held(yesterday()),
    ] {
        assert_eq!(expires(kept), None, "{kept:?}");
    }
    let replayed: Callback = callback(delivered(yesterday())).replay(now());
    assert_eq!(replayed.expires_at(), None);
    assert_eq!(attempt(1, 0).expires_at(), now() + KEPT);
}
