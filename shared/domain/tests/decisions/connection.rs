//! The states and transitions of a connection.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use tandem_domain::connection::{
    Action, BLOCK_MAILS_PER_HOUR, Change, Connection, ConnectionError, HistoryEntry, Side, State,
    Transition,
};
use tandem_domain::mail::MailKind;

use crate::fixtures::{Pair, now, yesterday};

/// The outcome of a transition.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    To(State),
    /// The transition is reserved for that side.
    ReservedFor(Side),
    Impossible,
    /// That side blocked, and only it may unblock.
    BlockedBy(Side),
}
use Outcome::{BlockedBy, Impossible, ReservedFor, To};

const INVITED: &str = "invited";
const ACTIVE: &str = "active";
const DECLINED: &str = "declined";
const WITHDRAWN: &str = "withdrawn";
const BLOCKED_BY_SOURCE: &str = "blocked by source";
const BLOCKED_BY_TARGET: &str = "blocked by target";

fn blocked(blocked_by: Side) -> State {
    State::Blocked {
        blocked_by,
        blocked_at: now(),
    }
}

/// The state, the transition, and its outcome for the source and for the target.
#[rustfmt::skip]
fn table() -> [(&'static str, Transition, Outcome, Outcome); 30] {
    use Transition::{Accept, Block, Decline, Unblock, Withdraw};
    use Side::{Source, Target};
    [
        (INVITED,           Accept,   ReservedFor(Target),      To(State::Active)),
        (INVITED,           Decline,  ReservedFor(Target),      To(State::Declined)),
        (INVITED,           Withdraw, To(State::Withdrawn),     ReservedFor(Source)),
        (INVITED,           Block,    Impossible,               Impossible),
        (INVITED,           Unblock,  Impossible,               Impossible),

        (ACTIVE,            Accept,   ReservedFor(Target),      Impossible),
        (ACTIVE,            Decline,  ReservedFor(Target),      Impossible),
        (ACTIVE,            Withdraw, Impossible,               ReservedFor(Source)),
        (ACTIVE,            Block,    To(blocked(Source)),      To(blocked(Target))),
        (ACTIVE,            Unblock,  Impossible,               Impossible),

        (DECLINED,          Accept,   ReservedFor(Target),      Impossible),
        (DECLINED,          Decline,  ReservedFor(Target),      Impossible),
        (DECLINED,          Withdraw, Impossible,               ReservedFor(Source)),
        (DECLINED,          Block,    Impossible,               Impossible),
        (DECLINED,          Unblock,  Impossible,               Impossible),

        (WITHDRAWN,         Accept,   ReservedFor(Target),      Impossible),
        (WITHDRAWN,         Decline,  ReservedFor(Target),      Impossible),
        (WITHDRAWN,         Withdraw, Impossible,               ReservedFor(Source)),
        (WITHDRAWN,         Block,    Impossible,               Impossible),
        (WITHDRAWN,         Unblock,  Impossible,               Impossible),

        (BLOCKED_BY_SOURCE, Accept,   ReservedFor(Target),      Impossible),
        (BLOCKED_BY_SOURCE, Decline,  ReservedFor(Target),      Impossible),
        (BLOCKED_BY_SOURCE, Withdraw, Impossible,               ReservedFor(Source)),
        (BLOCKED_BY_SOURCE, Block,    Impossible,               Impossible),
        (BLOCKED_BY_SOURCE, Unblock,  To(State::Active),        BlockedBy(Source)),

        (BLOCKED_BY_TARGET, Accept,   ReservedFor(Target),      Impossible),
        (BLOCKED_BY_TARGET, Decline,  ReservedFor(Target),      Impossible),
        (BLOCKED_BY_TARGET, Withdraw, Impossible,               ReservedFor(Source)),
        (BLOCKED_BY_TARGET, Block,    Impossible,               Impossible),
        (BLOCKED_BY_TARGET, Unblock,  BlockedBy(Target),        To(State::Active)),
    ]
}

fn state(name: &str) -> State {
    match name {
        INVITED => State::Invited,
        ACTIVE => State::Active,
        DECLINED => State::Declined,
        WITHDRAWN => State::Withdrawn,
        BLOCKED_BY_SOURCE => State::Blocked {
            blocked_by: Side::Source,
            blocked_at: yesterday(),
        },
        BLOCKED_BY_TARGET => State::Blocked {
            blocked_by: Side::Target,
            blocked_at: yesterday(),
        },
        other => panic!("unknown state {other}"),
    }
}

/// The status in the error: the first word of the state's name.
fn status(name: &'static str) -> &'static str {
    name.split(' ').next().expect("a word")
}

#[test]
fn a_stored_connection_status_is_the_public_word() {
    for (name, ..) in table() {
        let state = state(name);
        assert_eq!(serde_json::json!(state)["status"], state.as_str(), "{name}");
    }
}

#[test]
fn the_table_has_each_state_and_transition_once() {
    let rows = table();
    let pairs: BTreeSet<_> = rows
        .iter()
        .map(|(state, transition, ..)| (*state, transition.as_str()))
        .collect();
    let states: BTreeSet<_> = rows.iter().map(|(state, ..)| *state).collect();
    assert_eq!(pairs.len(), rows.len());
    assert_eq!(rows.len(), states.len() * Transition::ALL.len());
}

#[test]
fn every_transition_ends_as_the_table_says() {
    for (from, transition, by_source, by_target) in table() {
        for (by, expected) in [(Side::Source, by_source), (Side::Target, by_target)] {
            let before = Connection {
                state: state(from),
                ..Pair::between_two_companies().connection
            };
            let applied = before.apply(transition, by, now());
            let applied = applied.map(|change| change.connection.state);
            let expected = match expected {
                To(state) => Ok(state),
                ReservedFor(side) => Err(ConnectionError::OtherSide { transition, side }),
                Impossible => Err(ConnectionError::ImpossibleTransition {
                    transition,
                    status: status(from),
                }),
                BlockedBy(by) => Err(ConnectionError::BlockedByOther { by }),
            };
            assert_eq!(applied, expected, "{from}, {transition:?} by {by}");
        }
    }
}

fn applied(from: &str, transition: Transition, by: Side) -> (Connection, Change) {
    let before = Connection {
        state: state(from),
        ..Pair::between_two_companies().connection
    };
    (
        before.clone(),
        before.apply(transition, by, now()).expect("allowed"),
    )
}

#[test]
fn a_transition_changes_only_status_time_and_mail_count() {
    for (from, transition, by_source, by_target) in table() {
        for (by, outcome) in [(Side::Source, by_source), (Side::Target, by_target)] {
            let To(state) = outcome else { continue };
            let (before, change) = applied(from, transition, by);
            let block_mails = change.connection.block_mails;
            assert_eq!(
                block_mails.is_some(),
                matches!(transition, Transition::Block | Transition::Unblock),
                "{transition:?}"
            );
            assert_eq!(
                change.connection,
                Connection {
                    state,
                    block_mails,
                    updated_at: now(),
                    ..before
                },
                "{from}, {transition:?} by {by}"
            );
        }
    }
}

#[test]
fn repeated_blocking_sends_six_mails_an_hour() {
    let mut connection = Connection {
        state: state(ACTIVE),
        ..Pair::between_two_companies().connection
    };
    let mut mails = Vec::new();
    for minute in 0..90 {
        let transition = if minute % 2 == 0 {
            Transition::Block
        } else {
            Transition::Unblock
        };
        let change = connection
            .apply(
                transition,
                Side::Source,
                now() + SignedDuration::from_mins(minute),
            )
            .expect("allowed");
        if change.mail.is_some() {
            mails.push(minute);
        }
        connection = change.connection;
    }
    assert_eq!(mails, [0, 1, 2, 3, 4, 5, 60, 61, 62, 63, 64, 65]);
    assert_eq!(u32::try_from(mails.len()), Ok(2 * BLOCK_MAILS_PER_HOUR));
}

#[test]
fn a_transition_adds_the_next_history_entry() {
    let actions = [
        (INVITED, Transition::Accept, Side::Target, Action::Accepted),
        (INVITED, Transition::Decline, Side::Target, Action::Declined),
        (
            INVITED,
            Transition::Withdraw,
            Side::Source,
            Action::Withdrawn,
        ),
        (ACTIVE, Transition::Block, Side::Source, Action::Blocked),
        (ACTIVE, Transition::Block, Side::Target, Action::Blocked),
        (
            BLOCKED_BY_SOURCE,
            Transition::Unblock,
            Side::Source,
            Action::Unblocked,
        ),
        (
            BLOCKED_BY_TARGET,
            Transition::Unblock,
            Side::Target,
            Action::Unblocked,
        ),
    ];
    for (from, transition, by, action) in actions {
        let (before, change) = applied(from, transition, by);
        let expected = HistoryEntry {
            number: before.version + 1,
            at: now(),
            by,
            action,
            changes: Vec::new(),
        };
        assert_eq!(change.entry, expected);
    }
}

#[test]
fn a_transition_mails_the_other_side_with_the_actors_name() {
    let connection = Pair::between_two_companies().connection;
    let (connection_id, source, target) = (
        connection.id,
        connection.source.name,
        connection.target.name,
    );
    let accepted = MailKind::InvitationAccepted {
        target_name: target.clone(),
        connection_id,
    };
    let declined = MailKind::InvitationDeclined {
        target_name: target.clone(),
        connection_id,
    };
    let withdrawn = MailKind::InvitationWithdrawn {
        source_name: source.clone(),
        connection_id,
    };
    let blocked = |by_name| MailKind::ConnectionBlocked {
        by_name,
        connection_id,
    };
    let unblocked = |by_name| MailKind::ConnectionUnblocked {
        by_name,
        connection_id,
    };
    let mails = [
        (INVITED, Transition::Accept, Side::Target, accepted),
        (INVITED, Transition::Decline, Side::Target, declined),
        (INVITED, Transition::Withdraw, Side::Source, withdrawn),
        (
            ACTIVE,
            Transition::Block,
            Side::Source,
            blocked(source.clone()),
        ),
        (
            ACTIVE,
            Transition::Block,
            Side::Target,
            blocked(target.clone()),
        ),
        (
            BLOCKED_BY_SOURCE,
            Transition::Unblock,
            Side::Source,
            unblocked(source),
        ),
        (
            BLOCKED_BY_TARGET,
            Transition::Unblock,
            Side::Target,
            unblocked(target),
        ),
    ];
    for (from, transition, by, mail) in mails {
        assert_eq!(
            applied(from, transition, by).1.mail,
            Some((by.other(), mail)),
            "{from}, {transition:?} by {by}"
        );
    }
}

#[test]
fn an_impossible_transition_names_the_current_status() {
    let connection = Connection {
        state: State::Declined,
        ..Pair::within_one_company().connection
    };
    let error = connection
        .apply(Transition::Accept, Side::Target, now())
        .expect_err("declined is final");
    assert_eq!(
        error.to_string(),
        "a connection that is declined cannot be changed by 'accept'"
    );
}

#[test]
fn only_invited_active_and_blocked_connections_are_live() {
    let live =
        [INVITED, ACTIVE, BLOCKED_BY_SOURCE, BLOCKED_BY_TARGET].map(|name| state(name).is_live());
    assert_eq!(live, [true; 4]);
    assert_eq!(
        [DECLINED, WITHDRAWN].map(|name| state(name).is_live()),
        [false; 2]
    );
}

#[test]
fn a_client_has_the_side_of_its_party() {
    let pair = Pair::within_one_company();
    assert_eq!(pair.connection.side_of(pair.source.id), Some(Side::Source));
    assert_eq!(pair.connection.side_of(pair.target.id), Some(Side::Target));
    assert_eq!(pair.connection.side_of(crate::fixtures::id(99)), None);
    assert_eq!(
        pair.connection.party(Side::Source).client_id,
        pair.source.id
    );
    assert_eq!(
        pair.connection.party(Side::Target).client_id,
        pair.target.id
    );
    assert!(pair.connection.within_one_company());
    assert!(
        !Pair::between_two_companies()
            .connection
            .within_one_company()
    );
}
