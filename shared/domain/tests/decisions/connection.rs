//! The states and transitions of a connection.

mod blocking;
mod events;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;
use tandem_domain::connection::{
    Action, Blocks, Change, Connection, ConnectionError, HistoryEntry, Side, State, Transition,
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
    /// Only that side blocks, and only it may unblock.
    BlockedBy(Side),
}
use Outcome::{BlockedBy, Impossible, ReservedFor, To};

const INVITED: &str = "invited";
const ACTIVE: &str = "active";
const DECLINED: &str = "declined";
const WITHDRAWN: &str = "withdrawn";
const BLOCKED_BY_SOURCE: &str = "blocked by source";
const BLOCKED_BY_TARGET: &str = "blocked by target";
const BLOCKED_BY_SOURCE_AND_TARGET: &str = "blocked by source, then by target";
const BLOCKED_BY_TARGET_AND_SOURCE: &str = "blocked by target, then by source";

fn blocked(by: Side, at: Timestamp) -> State {
    State::Blocked(Blocks::by(by, at))
}

/// Blocked by `first` yesterday, and by the other side since.
fn blocked_by_both(first: Side, since: Timestamp) -> State {
    let (by, at) = (first, yesterday());
    let stored =
        json!({"status": "blocked", "blockedBy": by, "blockedAt": at, "otherBlockedAt": since});
    serde_json::from_value(stored).expect("a stored state")
}

/// The state, the transition, and its outcome for the source and for the target.
#[rustfmt::skip]
fn table() -> Vec<(&'static str, Transition, Outcome, Outcome)> {
    use Transition::{Accept, Block, Decline, Unblock, Withdraw};
    use Side::{Source, Target};
    let by = |side| To(blocked(side, now()));
    let still_by = |side| To(blocked(side, yesterday()));
    let by_both = |first| To(blocked_by_both(first, now()));
    vec![
        (INVITED,           Accept,   ReservedFor(Target),      To(State::Active)),
        (INVITED,           Decline,  ReservedFor(Target),      To(State::Declined)),
        (INVITED,           Withdraw, To(State::Withdrawn),     ReservedFor(Source)),
        (INVITED,           Block,    Impossible,               Impossible),
        (INVITED,           Unblock,  Impossible,               Impossible),

        (ACTIVE,            Accept,   ReservedFor(Target),      Impossible),
        (ACTIVE,            Decline,  ReservedFor(Target),      Impossible),
        (ACTIVE,            Withdraw, Impossible,               ReservedFor(Source)),
        (ACTIVE,            Block,    by(Source),               by(Target)),
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
        (BLOCKED_BY_SOURCE, Block,    Impossible,               by_both(Source)),
        (BLOCKED_BY_SOURCE, Unblock,  To(State::Active),        BlockedBy(Source)),

        (BLOCKED_BY_TARGET, Accept,   ReservedFor(Target),      Impossible),
        (BLOCKED_BY_TARGET, Decline,  ReservedFor(Target),      Impossible),
        (BLOCKED_BY_TARGET, Withdraw, Impossible,               ReservedFor(Source)),
        (BLOCKED_BY_TARGET, Block,    by_both(Target),          Impossible),
        (BLOCKED_BY_TARGET, Unblock,  BlockedBy(Target),        To(State::Active)),

        (BLOCKED_BY_SOURCE_AND_TARGET, Accept,   ReservedFor(Target), Impossible),
        (BLOCKED_BY_SOURCE_AND_TARGET, Decline,  ReservedFor(Target), Impossible),
        (BLOCKED_BY_SOURCE_AND_TARGET, Withdraw, Impossible,          ReservedFor(Source)),
        (BLOCKED_BY_SOURCE_AND_TARGET, Block,    Impossible,          Impossible),
        (BLOCKED_BY_SOURCE_AND_TARGET, Unblock,  still_by(Target),    still_by(Source)),

        (BLOCKED_BY_TARGET_AND_SOURCE, Accept,   ReservedFor(Target), Impossible),
        (BLOCKED_BY_TARGET_AND_SOURCE, Decline,  ReservedFor(Target), Impossible),
        (BLOCKED_BY_TARGET_AND_SOURCE, Withdraw, Impossible,          ReservedFor(Source)),
        (BLOCKED_BY_TARGET_AND_SOURCE, Block,    Impossible,          Impossible),
        (BLOCKED_BY_TARGET_AND_SOURCE, Unblock,  still_by(Target),    still_by(Source)),
    ]
}

fn state(name: &str) -> State {
    match name {
        INVITED => State::Invited,
        ACTIVE => State::Active,
        DECLINED => State::Declined,
        WITHDRAWN => State::Withdrawn,
        BLOCKED_BY_SOURCE => blocked(Side::Source, yesterday()),
        BLOCKED_BY_TARGET => blocked(Side::Target, yesterday()),
        BLOCKED_BY_SOURCE_AND_TARGET => blocked_by_both(Side::Source, yesterday()),
        BLOCKED_BY_TARGET_AND_SOURCE => blocked_by_both(Side::Target, yesterday()),
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
            Transition::Block,
            Side::Target,
            Action::Blocked,
        ),
        (
            BLOCKED_BY_SOURCE,
            Transition::Unblock,
            Side::Source,
            Action::Unblocked,
        ),
        (
            BLOCKED_BY_TARGET_AND_SOURCE,
            Transition::Unblock,
            Side::Target,
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
    let unblocked = |by_name, still_blocked| MailKind::ConnectionUnblocked {
        by_name,
        connection_id,
        still_blocked,
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
            unblocked(source.clone(), false),
        ),
        (
            BLOCKED_BY_TARGET,
            Transition::Unblock,
            Side::Target,
            unblocked(target.clone(), false),
        ),
        (
            BLOCKED_BY_TARGET,
            Transition::Block,
            Side::Source,
            blocked(source.clone()),
        ),
        (
            BLOCKED_BY_SOURCE_AND_TARGET,
            Transition::Unblock,
            Side::Source,
            unblocked(source, true),
        ),
        (
            BLOCKED_BY_SOURCE_AND_TARGET,
            Transition::Unblock,
            Side::Target,
            unblocked(target, true),
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
    let live = [
        INVITED,
        ACTIVE,
        BLOCKED_BY_SOURCE,
        BLOCKED_BY_TARGET,
        BLOCKED_BY_SOURCE_AND_TARGET,
    ];
    assert_eq!(live.map(|name| state(name).is_live()), [true; 5]);
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
