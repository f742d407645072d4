//! When the sweep sends messages for rows with open work, and for which rows in one round.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tandem_domain::callback::{Callback, CallbackState, LEASE, Outcome, RetrySchedule};
use tandem_domain::import::chunk::{Begun, Received};
use tandem_domain::mail::{self, MailState};
use tandem_domain::replay::Selection;
use tandem_domain::sweep::{GRACE, Handover, NextPage, ROWS_OF_A_ROUND, Round};

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

/// Seconds between two rounds.
const ROUND: usize = 60;
/// Rows on a page of a megabyte: an entry of the index has some 130 bytes.
const PAGE: usize = 8_000;
const SHARDS: usize = 64;

/// A shard of the index: rows by the sweep's time, each with its tenant and a number.
type Shard = BTreeMap<(Timestamp, usize), String>;

/// Reads and chooses the rows of one round, as the sweep does.
fn round(shard: &Shard, now: Timestamp) -> Vec<(Timestamp, usize)> {
    let mut due = shard.range(..=(now, usize::MAX));
    let (mut round, mut next) = (Round::default(), Some(NextPage::first()));
    while let Some(page) = next.take() {
        let read: Vec<_> = due.by_ref().take(page.limit.unwrap_or(PAGE)).collect();
        let more = due.clone().next().is_some();
        let wanted = read.into_iter();
        let wanted = wanted.filter(|(_, tenant)| !page.without.contains(tenant));
        next = round.add(wanted.map(|(key, tenant)| (tenant.clone(), *key)).collect());
        next.take_if(|_| !more);
    }
    round.rows()
}

/// The rounds after which all rows of each tenant are handed over. Workers finish a row before its mark ends.
fn rounds_until_done(mut shard: Shard) -> BTreeMap<String, usize> {
    let mut last = BTreeMap::new();
    for number in 1.. {
        let at = now() + SECOND * i32::try_from(number * ROUND).expect("few rounds");
        let sent = round(&shard, at);
        if sent.is_empty() {
            return last;
        }
        assert!(sent.len() <= ROWS_OF_A_ROUND);
        for row in sent {
            let tenant = shard.remove(&row).expect("each row once");
            last.insert(tenant, number);
        }
    }
    unreachable!("a shard without rows ends the loop")
}

#[test]
fn an_hours_backlog_is_gone_in_under_three_hours() {
    // An hour at 10,000 rows a second, nine tenths of one tenant.
    let rows = 3_600 * 10_000 / SHARDS;
    let tenant = |row: usize| match row % 100 {
        0..90 => "large".to_owned(),
        other => format!("small{other}"),
    };
    let of_the_hour = (0..rows).map(|row| {
        let age = i32::try_from(3_600 - row * 3_600 / rows).expect("an hour");
        ((now() - SECOND * age, row), tenant(row))
    });
    let done = rounds_until_done(of_the_hour.collect());
    let seconds = |rounds: usize| rounds * ROUND;
    assert_eq!(done.len(), 11);
    assert!(seconds(done["large"]) < 3 * 3_600, "{done:?}");
    // Their tenth of the rows takes a tenth of the time, in spite of the large tenant's backlog.
    assert!(
        done.iter()
            .all(|(tenant, rounds)| tenant == "large" || *rounds <= 20),
        "{done:?}"
    );
}

#[test]
fn the_backlog_of_one_tenant_delays_no_other_row() {
    let mut shard: Shard = (0..100_000)
        .map(|row| ((now() - SECOND * 3_600, row), "large".to_owned()))
        .collect();
    let late = now() - SECOND;
    for row in 0..3 {
        shard.insert((late, row), format!("small{row}"));
    }
    let done = rounds_until_done(shard);
    assert!(
        (0..3).all(|row| done[&format!("small{row}")] == 1),
        "{done:?}"
    );
    assert_eq!(done["large"], 26);
}

#[test]
fn a_round_takes_the_oldest_rows_of_each_tenant_in_turn() {
    let rows = [("a", 1), ("a", 2), ("a", 3), ("b", 4), ("c", 5), ("c", 6)];
    let mut round = Round::default();
    let page = rows.map(|(tenant, row)| (tenant.to_owned(), row));
    let next = round.add(page.into()).expect("not enough rows yet");
    assert_eq!((next.limit, next.without), (None, Vec::<String>::new()));
    assert_eq!(round.rows(), [1, 4, 5, 2, 6, 3]);
}

#[test]
fn further_pages_leave_out_the_tenants_with_many_rows() {
    let mut round = Round::default();
    let rows = |tenant: usize, rows: usize| vec![(format!("{tenant:02}"), ()); rows];
    let next = round.add([rows(0, 500), rows(1, 499)].concat());
    assert_eq!(next.expect("not enough rows").without, ["00"]);
    let most: Vec<_> = (1..16).flat_map(|tenant| rows(tenant, 460)).collect();
    let next = round.add(most).expect("not enough rows");
    assert_eq!(next.without, ["00", "01"]);
    assert_eq!(round.add(rows(16, 101)), None, "enough rows");
    assert_eq!(round.rows().len(), ROWS_OF_A_ROUND);
}

#[test]
fn a_round_ends_however_few_rows_its_pages_have() {
    let mut round = Round::default();
    let pages = (1..1_000).find(|_| round.add(vec![("a".to_owned(), ())]).is_none());
    assert_eq!(pages, Some(80));
}

#[test]
fn a_handed_over_row_is_left_alone_for_some_time() {
    let again = |ended: Handover| ended.again_at(now()).duration_since(now());
    assert_eq!(again(Handover::Sent), SignedDuration::from_mins(10));
    assert_eq!(again(Handover::NotSent), SignedDuration::from_mins(1));
    assert_eq!(again(Handover::NoQueue), SignedDuration::from_hours(1));
    assert_eq!(Handover::Sent.again_at(Timestamp::MAX), Timestamp::MAX);
}
