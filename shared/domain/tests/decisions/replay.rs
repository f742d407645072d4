//! The selection and the progress of replays.

use jiff::SignedDuration;
use serde_json::json;
use tandem_domain::callback::CallbackState;
use tandem_domain::endpoint_health::{Cause, EndpointHealth, HealthState};
use tandem_domain::ids::ConnectionId;
use tandem_domain::replay::{PAUSE, ReplayJob, ReplayState, ReplayStatus, Selection};

use crate::callback::callback;
use crate::fixtures::{at, id, now, yesterday};

const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

pub(crate) fn job(selection: Selection) -> ReplayJob {
    ReplayJob::accept(id(95), id(11), selection, now())
}

fn all() -> Selection {
    Selection {
        since: None,
        connection_id: None,
    }
}

#[test]
fn a_job_replays_only_exhausted_and_held_callbacks() {
    let wanted = |state| job(all()).wants(&callback(state));
    assert!(
        wanted(CallbackState::Exhausted {
            exhausted_at: now()
        }) && wanted(CallbackState::Held {
            held_at: yesterday()
        })
    );
    let later = now() + MILLISECOND;
    for state in [
        CallbackState::Exhausted {
            exhausted_at: later,
        },
        CallbackState::Held { held_at: later },
        CallbackState::Waiting {
            step: 0,
            due_at: yesterday(),
        },
        CallbackState::Postponed {
            step: 0,
            due_at: yesterday(),
        },
        CallbackState::InFlight {
            step: 0,
            due_at: yesterday(),
            lease_until: yesterday(),
        },
        CallbackState::Delivered {
            delivered_at: yesterday(),
        },
    ] {
        assert!(!wanted(state), "{state:?}");
    }
}

#[test]
fn time_and_connection_restrict_the_selection() {
    // Created yesterday, of connection 20.
    let held = callback(CallbackState::Held {
        held_at: yesterday(),
    });
    for (since, connection, expected) in [
        (None, None, true),
        (Some(yesterday()), Some(20), true),
        (Some(yesterday() + MILLISECOND), None, false),
        (None, Some(21), false),
    ] {
        let selection = Selection {
            since,
            connection_id: connection.map(id::<ConnectionId>),
        };
        assert_eq!(job(selection).wants(&held), expected, "{selection:?}");
    }
}

#[test]
fn steps_add_up_and_the_last_one_ends_the_job() {
    let accepted = job(all());
    assert_eq!(
        (accepted.due_at(), accepted.status()),
        (Some(now()), ReplayStatus::Accepted)
    );
    let running = accepted.step(25, 24, Some("cbk_7".to_owned()), now());
    assert_eq!(
        (running.due_at(), running.status()),
        (Some(now() + PAUSE), ReplayStatus::Running)
    );
    assert_eq!(
        (running.found, running.replayed, running.skipped),
        (25, 24, 1)
    );
    let later = now() + PAUSE;
    let done = running.step(3, 3, None, later);
    assert_eq!(
        (done.state, done.status(), done.due_at()),
        (
            ReplayState::Done { done_at: later },
            ReplayStatus::Done,
            None
        )
    );
    assert_eq!(
        (done.found, done.replayed, done.skipped, done.started_at),
        (28, 27, 1, Some(now()))
    );
}

#[test]
fn an_endpoint_disabled_by_the_job_stays_disabled() {
    let disabled = |disabled_at| {
        let state = HealthState::Disabled {
            disabled_at,
            reason: "why".to_owned(),
            cause: Cause::Gone,
        };
        EndpointHealth {
            connection_id: Some(id(20)),
            client_id: None,
            state,
            version: 1,
        }
    };
    assert!(job(all()).enables(&disabled(now())));
    assert!(!job(all()).enables(&disabled(now() + MILLISECOND)));
}

#[test]
fn an_invalid_selection_reports_each_wrong_member() {
    let connection: ConnectionId = id(20);
    let both = json!({"since": "2026-06-30T12:00:00Z", "connectionId": connection});
    let expected = Selection {
        since: Some(at("2026-06-30T12:00:00Z")),
        connection_id: Some(connection),
    };
    assert_eq!(Selection::parse(&both), Ok(expected));
    assert_eq!(Selection::parse(&json!({})), Ok(all()));
    let wrong =
        Selection::parse(&json!({"since": "yesterday", "connectionId": 7, "status": "held"}))
            .expect_err("invalid input");
    assert_eq!(
        wrong
            .0
            .iter()
            .map(|error| error.field.as_str())
            .collect::<Vec<_>>(),
        ["since", "connectionId", "status"]
    );
}
