//! Delivery, retries and replays of callbacks.

mod bodies;
mod log;
mod schedule;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tandem_domain::callback::{
    Announcement, Callback, CallbackState, EventType, LEASE, OUTCOME_UNKNOWN, Outcome,
    RetrySchedule,
};

use crate::fixtures::{MANY, id, now, sealed, yesterday};

const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

pub(crate) fn callback(state: CallbackState) -> Callback {
    let announcement = Announcement {
        client_id: id(11),
        connection_id: Some(id(20)),
        order_id: Some(id(50)),
        subscription_id: Some(id(70)),
        event: EventType::OrderCreated,
        data: json!({"voucherCode": "x"}),
    };
    Callback {
        state,
        attempts: 4,
        ..announcement.into_callback(id(80), sealed("sealed"), yesterday())
    }
}

fn waiting(step: u32, due_at: Timestamp) -> CallbackState {
    CallbackState::Waiting { step, due_at }
}

fn postponed(step: u32, due_at: Timestamp) -> CallbackState {
    CallbackState::Postponed { step, due_at }
}

fn in_flight(step: u32, due_at: Timestamp, lease_until: Timestamp) -> CallbackState {
    CallbackState::InFlight {
        step,
        due_at,
        lease_until,
    }
}

fn delivered(delivered_at: Timestamp) -> CallbackState {
    CallbackState::Delivered { delivered_at }
}

fn exhausted(exhausted_at: Timestamp) -> CallbackState {
    CallbackState::Exhausted { exhausted_at }
}

fn held(held_at: Timestamp) -> CallbackState {
    CallbackState::Held { held_at }
}

/// Three attempts: at once, after 10 seconds, after 100 more.
fn schedule() -> RetrySchedule {
    "0,10,100".parse().expect("a schedule")
}

const FAILED: Outcome = Outcome::Failed { retry_after: None };

fn end(outcome: Outcome) -> impl Fn(Callback) -> Callback {
    move |callback| callback.end(outcome, &schedule(), 0, now())
}

/// A state, and the state after: begin (`None`: not due), accepted, gone, failed, hold, replay, postpone by an hour.
type Row = (CallbackState, Option<CallbackState>, [CallbackState; 6]);

#[rustfmt::skip]
fn table() -> [Row; 13] {
    let (before, after) = (now() - MILLISECOND, now() + MILLISECOND);
    let lease = now() + LEASE;
    let (again, later) = (waiting(0, now()), now() + seconds(3_600));
    let waits = |state, step, begun| (state, begun, [state, state, state, held(now()), again, postponed(step, later)]);
    let done = |state: CallbackState| (state, None, [state, state, state, state, again, state]);
    let flies = |state, failed| (state, None, [delivered(now()), held(now()), failed, held(now()), state, state]);
    [
        waits(waiting(0, before),   0, Some(in_flight(0, before, lease))),
        waits(waiting(2, now()),    2, Some(in_flight(2, now(), lease))),
        waits(waiting(2, after),    2, None),
        waits(postponed(0, before), 0, Some(in_flight(0, before, lease))),
        waits(postponed(2, after),  2, None),

        flies(in_flight(0, before, after),  waiting(1, now() + seconds(10))),
        flies(in_flight(1, before, after),  waiting(2, now() + seconds(100))),
        flies(in_flight(2, before, after),  exhausted(now())),
        flies(in_flight(2, before, now()),  exhausted(now())),
        flies(in_flight(1, before, before), waiting(2, now() + seconds(100))),

        done(delivered(yesterday())),
        done(exhausted(yesterday())),
        done(held(yesterday())),
    ]
}

#[test]
fn every_event_follows_the_table_in_every_state() {
    for (state, begun, [accepted, gone, failed, on_hold, replayed, put_off]) in table() {
        let before = callback(state);
        assert_eq!(
            before.clone().begin(now()).map(|callback| callback.state),
            begun,
            "begin from {state:?}"
        );
        for (event, after, expected) in [
            ("accepted", end(Outcome::Accepted)(before.clone()), accepted),
            ("gone", end(Outcome::Gone)(before.clone()), gone),
            ("failed", end(FAILED)(before.clone()), failed),
            ("hold", before.clone().hold(now()), on_hold),
            ("replay", before.clone().replay(now()), replayed),
            (
                "postpone",
                before.clone().postpone(now() + seconds(3_600), now()),
                put_off,
            ),
        ] {
            // Only the state and the time change.
            let updated_at = if expected == state {
                before.updated_at
            } else {
                now()
            };
            assert_eq!(
                after,
                Callback {
                    state: expected,
                    updated_at,
                    ..before.clone()
                },
                "{event} from {state:?}"
            );
        }
    }
}

#[test]
fn a_callback_is_never_postponed_to_an_earlier_time() {
    let before = callback(waiting(2, now() + seconds(10)));
    assert_eq!(before.clone().postpone(now() + seconds(10), now()), before);
    assert_eq!(before.clone().postpone(now(), now()), before);
}

#[test]
fn an_attempt_is_counted_when_it_begins() {
    let before = callback(waiting(1, now()));
    let begun = before.clone().begin(now()).expect("due");
    let expected = Callback {
        state: in_flight(1, now(), now() + LEASE),
        attempts: 5,
        updated_at: now(),
        ..before
    };
    assert_eq!(begun, expected);
}

#[test]
fn an_expired_lease_cuts_off_the_attempt_as_failed() {
    let begun = callback(waiting(0, now())).begin(now()).expect("due");
    assert_eq!(begun.due_at(), Some(now() + LEASE));
    assert_eq!(
        begun.cut_off(&schedule(), 0, now() + LEASE - MILLISECOND),
        None
    );
    assert_eq!(begun.clone().begin(now() + LEASE), None);
    let (after, logged) = begun
        .cut_off(&schedule(), 0, now() + LEASE)
        .expect("an expired lease");
    // The wait counts from the beginning of the attempt: after 10 of the lease's 60 seconds, the next one was due.
    assert_eq!(
        (after.state, after.attempts),
        (waiting(1, now() + seconds(10)), 5)
    );
    assert_eq!(
        (logged.number, logged.at, logged.duration_ms),
        (5, now(), 60_000)
    );
    assert_eq!(
        (logged.status_code, logged.error.as_deref()),
        (None, Some(OUTCOME_UNKNOWN))
    );
    let again = after.begin(now() + LEASE).expect("due");
    assert_eq!(
        (again.state, again.attempts),
        (in_flight(1, now() + seconds(10), now() + LEASE + LEASE), 6)
    );
}

#[test]
fn a_callback_that_kills_every_worker_is_exhausted() {
    let (mut callback, mut time, mut unknown) = (callback(waiting(0, now())), now(), Vec::new());
    for _ in 0..MANY {
        let Some(due) = callback.due_at() else { break };
        time = time.max(due);
        callback = match callback.cut_off(&schedule(), 0, time) {
            Some((after, logged)) => {
                unknown.push(logged.number);
                after
            }
            None => callback.begin(time).expect("due"),
        };
    }
    assert_eq!(
        (callback.state, callback.attempts, unknown),
        (exhausted(time), 7, vec![5, 6, 7])
    );
}

#[test]
fn only_an_attempt_in_flight_can_be_cut_off() {
    for state in [
        waiting(0, yesterday()),
        postponed(0, yesterday()),
        delivered(yesterday()),
        held(yesterday()),
    ] {
        assert_eq!(callback(state).cut_off(&schedule(), 0, now()), None);
    }
}

#[test]
fn only_unfinished_states_are_due() {
    let due = |state| callback(state).due_at();
    assert_eq!(due(waiting(0, yesterday())), Some(yesterday()));
    assert_eq!(due(postponed(0, now())), Some(now()));
    assert_eq!(due(in_flight(0, yesterday(), now())), Some(now()));
    for done in [delivered(now()), exhausted(now()), held(now())] {
        assert_eq!(due(done), None);
    }
}

#[test]
fn a_replay_restarts_the_schedule_with_the_same_id() {
    let mut callback = callback(exhausted(yesterday())).replay(now());
    assert_eq!(callback.id, id(80));
    let mut attempts = 0;
    for _ in 0..MANY {
        let Some(due) = callback.due_at() else { break };
        callback = end(FAILED)(callback.begin(due).expect("due"));
        attempts += 1;
    }
    assert_eq!((attempts, callback.attempts), (3, 4 + 3));
}

#[test]
fn clients_see_four_statuses() {
    let words = [
        waiting(0, now()),
        postponed(0, now()),
        in_flight(0, yesterday(), now()),
        delivered(now()),
        exhausted(now()),
        held(now()),
    ];
    assert_eq!(
        words.map(|state| state.as_str()),
        [
            "pending",
            "pending",
            "pending",
            "delivered",
            "exhausted",
            "held"
        ]
    );
}

#[test]
fn a_body_is_type_time_and_data() {
    let announcement = Announcement {
        client_id: id(11),
        connection_id: Some(id(20)),
        order_id: None,
        subscription_id: None,
        event: EventType::ConnectionTest,
        data: json!({"a": [1, "ü"]}),
    };
    let body: Value = serde_json::from_slice(&announcement.body(now())).expect("JSON");
    let expected = json!({"type": "connection.test", "timestamp": "2026-07-01T12:00:00Z", "data": {"a": [1, "ü"]}});
    assert_eq!(body, expected);
}

#[test]
fn a_new_callback_is_due_at_once() {
    let announcement = Announcement {
        client_id: id(11),
        connection_id: Some(id(20)),
        order_id: None,
        subscription_id: Some(id(70)),
        event: EventType::SubscriptionRenewed,
        data: json!({}),
    };
    let callback = announcement.into_callback(id(80), sealed("sealed"), now());
    let expected = Callback {
        id: id(80),
        client_id: id(11),
        connection_id: Some(id(20)),
        order_id: None,
        subscription_id: Some(id(70)),
        event: EventType::SubscriptionRenewed,
        concerned: None,
        sealed_body: sealed("sealed"),
        sealed_person: None,
        state: waiting(0, now()),
        attempts: 0,
        log: Vec::new(),
        request: None,
        created_at: now(),
        updated_at: now(),
        version: 1,
    };
    assert_eq!(callback, expected);
}
