//! When the sweep sends messages for rows with open work.

use jiff::{SignedDuration, Timestamp};
use tandem_domain::callback::{Callback, CallbackState, LEASE, Outcome, RetrySchedule};
use tandem_domain::import::chunk::{Begun, Received};
use tandem_domain::mail::{self, MailState};
use tandem_domain::replay::Selection;
use tandem_domain::sweep::GRACE;

use crate::callback::callback;
use crate::fixtures::{now, yesterday};
use crate::import_chunks::accepted;
use crate::mail::mail;
use crate::replay::job;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Committed yesterday, like all rows here but the replay.
fn fresh() -> Callback {
    let state = CallbackState::Waiting {
        step: 0,
        due_at: yesterday(),
    };
    Callback {
        attempts: 0,
        ..callback(state)
    }
}

#[test]
fn the_sweep_leaves_new_rows_to_the_stream() {
    let swept = Some(yesterday() + GRACE);
    let (chunk, _) = accepted(1).chunks.remove(0);
    let unsent = MailState::Waiting {
        due_at: yesterday(),
    };
    let selection = Selection {
        since: None,
        connection_id: None,
    };
    assert_eq!(fresh().sweep_at(), swept);
    assert_eq!(mail(unsent, 0).sweep_at(), swept);
    assert_eq!(chunk.sweep_at(), swept);
    assert_eq!(job(selection).sweep_at(), Some(now() + GRACE));
}

#[test]
fn a_lease_soon_after_the_commit_does_not_move_the_row() {
    let unsent = MailState::Waiting {
        due_at: yesterday(),
    };
    let leased = |at: Timestamp| {
        let callback = fresh().begin(at).expect("due").sweep_at();
        let mail = mail(unsent, 0).begin(at).expect("due").sweep_at();
        (callback, mail)
    };
    let (swept, last) = (yesterday() + GRACE, yesterday() + (GRACE - LEASE));
    assert_eq!(leased(yesterday()), (Some(swept), Some(swept)));
    assert_eq!(leased(last), (Some(swept), Some(swept)));
    let (late, ends) = (last + SECOND, last + SECOND + LEASE);
    assert_eq!(LEASE, mail::LEASE);
    assert_eq!(leased(late), (Some(ends), Some(ends)));
}

#[test]
fn later_attempts_are_swept_when_they_are_due() {
    let schedule: RetrySchedule = "0,5,300".parse().expect("a schedule");
    let failed = Outcome::Failed { retry_after: None };
    let retried = fresh().begin(now()).expect("due");
    let retried = retried.end(failed, &schedule, 0, now());
    assert_eq!(retried.sweep_at(), Some(now() + SECOND * 5));
    let again = retried.begin(now() + SECOND * 5).expect("due");
    assert_eq!(again.sweep_at(), again.due_at());
    let postponed = fresh().postpone(now(), now());
    assert_eq!(postponed.sweep_at(), Some(now()));
    let unsent = mail(MailState::Waiting { due_at: now() }, 0);
    let retried = unsent.begin(now()).expect("due").failed(now());
    assert_eq!(retried.sweep_at(), Some(now() + SECOND * 10));

    let (chunk, _) = accepted(1).chunks.remove(0);
    let received = Received {
        times: 1,
        sent_at: None,
    };
    let Begun::Leased(leased) = chunk.begin(received, now()) else {
        panic!("the chunk is due");
    };
    assert_eq!(leased.sweep_at(), leased.due_at());
    assert_eq!(leased.release(now()).sweep_at(), Some(now()));
    let selection = Selection {
        since: None,
        connection_id: None,
    };
    let step = job(selection).step(25, 25, Some("cbk_7".to_owned()), now());
    assert_eq!(step.sweep_at(), step.due_at());
}

#[test]
fn finished_rows_are_not_swept() {
    let delivered_at = now();
    assert_eq!(
        callback(CallbackState::Delivered { delivered_at }).sweep_at(),
        None
    );
    assert_eq!(mail(MailState::Sent { at: now() }, 1).sweep_at(), None);
    let (chunk, _) = accepted(1).chunks.remove(0);
    assert_eq!(chunk.done(Vec::new(), now()).sweep_at(), None);
}
