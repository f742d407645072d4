//! The progress of imports: promises, and the chunks that workers lease.

use serde_json::json;
use tandem_domain::import::chunk::{
    Begun, Chunk, ChunkFailure, ChunkItems, ChunkState, LEASE, MAX_LEASES, Received,
};
use tandem_domain::import::item::ImportItem;
use tandem_domain::import::promise::{Accepted, Counts, Promise, PromiseState};
use tandem_domain::import::{CHUNK, KEPT};

use crate::fixtures::{id, now, yesterday};
use crate::import::item;

pub(crate) fn accepted(items: usize) -> Accepted {
    let items: Vec<ImportItem> = (0..items)
        .map(|number| item(json!({"externalSystemId": number.to_string()})))
        .collect();
    Promise::accept(id(90), (id(12), id(1)), &items, None, yesterday())
}

#[test]
fn a_promise_is_done_with_its_last_chunk() {
    let Accepted { promise, chunks } = accepted(2 * CHUNK + 1);
    assert_eq!(
        (promise.state(), promise.pending(), chunks.len()),
        (PromiseState::Accepted, 51, 3)
    );
    let numbers: Vec<u32> = chunks
        .iter()
        .flat_map(|(_, items)| items.numbered().map(|(number, _)| number))
        .collect();
    assert_eq!(numbers, (0..51).collect::<Vec<_>>());
    let promise = promise.begin(now()).expect("the first chunk begins it");
    assert_eq!(
        (promise.state(), promise.clone().begin(now())),
        (PromiseState::Running, None)
    );
    let promise = promise
        .chunk_dead(2)
        .expect("a new dead letter")
        .chunk_done(1, counts(25, 0), now());
    assert_eq!(
        (promise.clone().chunk_dead(2), promise.dead_items()),
        (None, vec![json!({"from": 50, "to": 50})])
    );
    let promise = promise.chunk_done(0, counts(25, 0), now());
    assert_eq!(
        (promise.state(), promise.announcement().is_none()),
        (PromiseState::Running, true)
    );
    let done = promise.clone().chunk_done(2, counts(1, 0), now());
    assert_eq!(
        (done.state(), done.pending(), done.dead_items()),
        (PromiseState::Completed, 0, vec![])
    );
    let data = done.announcement().expect("an announcement").data;
    assert_eq!(
        (&data["state"], &data["counts"]["created"]),
        (&json!("completed"), &json!(51))
    );
    assert_eq!(
        promise.chunk_done(2, counts(0, 1), now()).state(),
        PromiseState::CompletedWithErrors
    );
    let (kept, end) = (done.accepted_at.checked_add(KEPT).expect("a time"), done);
    assert!(end.is_kept(kept) && !end.is_kept(kept + jiff::SignedDuration::from_secs(1)));
}

fn counts(created: u32, failed: u32) -> Counts {
    Counts {
        created,
        failed,
        ..Counts::default()
    }
}

#[test]
fn a_retry_is_a_new_promise_that_overtakes_none() {
    let first = accepted(1).promise;
    let again = Promise::accept(
        id(99),
        (id(12), id(1)),
        &[item(json!({}))],
        Some(&first),
        now(),
    )
    .promise;
    assert_eq!(
        (again.id, again.rank, again.retry_of),
        (id(99), id(90), Some(id(90)))
    );
    let third = Promise::accept(
        id(100),
        (id(12), id(1)),
        &[item(json!({}))],
        Some(&again),
        now(),
    )
    .promise;
    assert_eq!((third.rank, third.retry_of), (id(90), Some(id(99))));
}

#[test]
fn a_chunk_is_leased_when_it_is_due_and_free() {
    let lease_until = now() + LEASE;
    let (chunk, _) = chunk();
    let leased = |tries| {
        Begun::Leased(Chunk {
            state: ChunkState::InFlight { lease_until },
            tries,
            ..chunk.clone()
        })
    };
    let dead_letter = ChunkState::DeadLetter {
        since: yesterday(),
        reason: ChunkFailure::TooManyLeases,
    };
    let later = now() + jiff::SignedDuration::from_secs(1);
    // The state, the leases so far, the time at which the message was sent, and the outcome.
    let table = [
        (
            ChunkState::Waiting { due_at: now() },
            0,
            Some(now()),
            leased(1),
        ),
        (ChunkState::Waiting { due_at: now() }, 3, None, leased(4)),
        (
            ChunkState::Waiting { due_at: later },
            0,
            Some(now()),
            Begun::NotDue,
        ),
        (
            ChunkState::InFlight { lease_until: later },
            1,
            Some(now()),
            Begun::NotDue,
        ),
        (
            ChunkState::InFlight { lease_until: now() },
            1,
            Some(now()),
            leased(2),
        ),
        (
            ChunkState::InFlight { lease_until: now() },
            MAX_LEASES,
            Some(now()),
            Begun::TooManyLeases,
        ),
        (
            ChunkState::Done {
                done_at: yesterday(),
                results: vec![],
            },
            1,
            Some(now()),
            Begun::NotDue,
        ),
        (
            dead_letter.clone(),
            MAX_LEASES,
            None,
            Begun::DeadLetter(ChunkFailure::TooManyLeases),
        ),
        (
            dead_letter.clone(),
            MAX_LEASES,
            Some(yesterday()),
            Begun::DeadLetter(ChunkFailure::TooManyLeases),
        ),
        (dead_letter, MAX_LEASES, Some(now()), leased(1)),
    ];
    for (state, tries, sent_at, expected) in table {
        let before = Chunk {
            state,
            tries,
            ..chunk.clone()
        };
        assert_eq!(
            before.clone().begin(Received { times: 2, sent_at }, now()),
            expected,
            "{before:?}, {sent_at:?}"
        );
    }
    let released = Chunk { tries: 3, ..chunk }.release(now());
    assert_eq!((released.tries, released.due_at()), (2, Some(now())));
}

#[test]
fn a_first_receive_never_makes_a_dead_letter() {
    let chunk = Chunk {
        state: ChunkState::InFlight { lease_until: now() },
        tries: MAX_LEASES,
        ..chunk().0
    };
    let received = |times| Received {
        times,
        sent_at: Some(now()),
    };
    assert!(matches!(
        chunk.clone().begin(received(1), now()),
        Begun::Leased(Chunk { tries: 9, .. })
    ));
    assert_eq!(chunk.begin(received(2), now()), Begun::TooManyLeases);
}

#[test]
fn each_pause_of_a_throttled_chunk_is_twice_as_long() {
    let mut chunk = chunk().0;
    let seconds = |chunk: &Chunk| {
        let wait = chunk.due_at().expect("due").duration_since(now());
        wait.as_millis()
    };
    for limit in [5, 10, 20, 40, 80, 160, 320, 600, 600, 600] {
        chunk.tries = 3;
        let bounds = [0, 1_000].map(|random| seconds(&chunk.clone().postpone(random, now())));
        assert_eq!(bounds, [limit * 500, limit * 1_000]);
        chunk = chunk.postpone(500, now());
        assert_eq!((chunk.tries, seconds(&chunk)), (2, limit * 750));
    }
    chunk.postponed = u32::MAX;
    let chunk = chunk.postpone(u16::MAX, now());
    assert_eq!((chunk.postponed, seconds(&chunk)), (u32::MAX, 600_000));
}

pub(crate) fn chunk() -> (Chunk, ChunkItems) {
    accepted(1).chunks.remove(0)
}
