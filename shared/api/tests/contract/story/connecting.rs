//! Bergwelt invites Stadtblick, which accepts and later blocks the connection.

use serde_json::json;
use tandem_api::views;
use tandem_api::views::connection::History;
use tandem_domain::callback_url::LocalTargets;
use tandem_domain::connection::{
    Change, Connection, ConnectionDraft, ConnectionEdit, HistoryEntry, SECRET_OVERLAP,
    SealedSettings, Side, Transition,
};
use tandem_domain::ids::ConnectionId;
use tandem_domain::invitation_mail::{InvitationMail, MailStatus};
use tandem_store::rows::HistoryRow;

use super::{Party, SECRET, Story, at, example};

fn history_of(changes: Vec<HistoryRow>) -> History {
    History {
        changes,
        terms: Vec::new(),
    }
}

impl Story {
    pub(super) fn connect(&mut self, source: &Party, target: &Party) -> Connection {
        let invited = self.invite(source, target);
        let id = invited.connection.id;
        let history_row = |entry: HistoryEntry| HistoryRow {
            connection_id: id,
            entry,
        };
        let first = history_row(invited.entry.clone());
        let mut shown = views::connection::full(
            &invited.connection,
            Side::Source,
            &history_of(vec![first.clone()]),
            None,
            None,
        );
        shown["callback"]["secret"] = json!(SECRET);
        self.show("NewConnection", shown);
        self.show_event_of("ConnectionInvitedEvent", &invited, Side::Target);
        let accepted = invited
            .connection
            .clone()
            .apply(Transition::Accept, Side::Target, at("2026-07-01T10:05:00Z"))
            .expect("an invited connection");
        self.show_events(&invited.connection, &accepted);
        let history = history_of(vec![history_row(accepted.entry.clone()), first]);
        let connection = Connection {
            version: accepted.connection.version + 1,
            ..accepted.connection
        };
        self.show_connection(&connection, &history);
        connection
    }

    fn invite(&mut self, source: &Party, target: &Party) -> Change {
        let draft = ConnectionDraft::parse(example("ConnectionDraft"), &LocalTargets::default())
            .expect("an invitation");
        assert_eq!(draft.target_client_id, target.0.id);
        let id = ConnectionId::generate(&mut self.ids);
        let parties = ((&source.0, &source.1), (&target.0, &target.1));
        draft
            .invite(
                id,
                parties.0,
                parties.1,
                |_| SealedSettings {
                    secret: Vec::new().into(),
                    headers: None,
                },
                self.now,
            )
            .expect("both modules are on")
    }

    /// The events of the invitation and of all that may follow, as the other side gets them, or the source.
    fn show_events(&mut self, invited: &Connection, accepted: &Change) {
        let (answered, later) = (at("2026-07-01T10:05:00Z"), at("2026-10-05T16:20:00Z"));
        let moved = |connection: &Connection, transition, by, time| {
            let change = connection.clone().apply(transition, by, time);
            change.expect("a possible transition")
        };
        let declined = moved(invited, Transition::Decline, Side::Target, answered);
        let withdrawn = moved(invited, Transition::Withdraw, Side::Source, answered);
        let active = &accepted.connection;
        let blocked = moved(active, Transition::Block, Side::Target, later);
        let both = moved(&blocked.connection, Transition::Block, Side::Source, later);
        let unblocked = moved(&both.connection, Transition::Unblock, Side::Source, later);
        let body = json!({"offersAccess": false});
        let edit = ConnectionEdit::parse(&body, &LocalTargets::default()).expect("an edit");
        let edited = active
            .clone()
            .edit(edit, |text| text.to_vec().into(), Side::Source, later);
        let edited = edited.expect("an active connection");
        for (name, change, to) in [
            ("ConnectionAcceptedEvent", accepted, Side::Source),
            ("ConnectionDeclinedEvent", &declined, Side::Source),
            ("ConnectionWithdrawnEvent", &withdrawn, Side::Target),
            ("ConnectionBlockedEvent", &blocked, Side::Source),
            ("ConnectionUnblockedEvent", &unblocked, Side::Target),
            ("ConnectionAccessChangedEvent", &edited, Side::Target),
        ] {
            self.show_event_of(name, change, to);
        }
    }

    fn show_event_of(&mut self, name: &'static str, change: &Change, to: Side) {
        let client = change.connection.party(to).client_id;
        let events = change.events();
        let event = events.iter().find(|event| event.client_id == client);
        self.show_event(name, event.expect("an event"), change.entry.at);
    }

    fn show_connection(&mut self, connection: &Connection, history: &History) {
        self.show(
            "Connection",
            views::connection::summary(connection, Side::Target),
        );
        let mail = InvitationMail::after(
            None,
            connection.id,
            MailStatus::Sent,
            at("2026-07-01T09:30:02.118Z"),
        );
        self.show(
            "ConnectionInFull",
            views::connection::full(connection, Side::Source, history, None, mail.as_ref()),
        );
        let blocked = connection
            .clone()
            .apply(Transition::Block, Side::Target, at("2026-10-05T16:20:00Z"))
            .expect("an active connection");
        self.show(
            "BlockedConnection",
            views::connection::summary(&blocked.connection, Side::Source),
        );
        let until = at("2026-09-01T08:00:00Z")
            .checked_add(SECRET_OVERLAP)
            .expect("a time");
        self.show(
            "CallbackSecret",
            json!({"secret": SECRET, "previousValidUntil": until}),
        );
    }
}
