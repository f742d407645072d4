//! The events of a changed connection, for the event endpoints of both clients.

use serde_json::{Value, json};

use super::{Action, Change, Connection, HistoryEntry, Party, Side, State};
use crate::callback::{Announcement, EventType};

/// Begins the entry of a changed access in [`HistoryEntry::changes`].
pub(super) const OFFERS_ACCESS: &str = "offersAccess: ";

impl Change {
    /// An event for each side: the side that acted gets it, too, because its receiver may be another system than its caller.
    pub fn events(&self) -> Vec<Announcement> {
        let Some(event) = event_of(&self.entry) else {
            return Vec::new();
        };
        let of_side = |side| {
            let client = self.connection.party(side).client_id;
            let data = data(&self.connection, side, self.entry.by);
            Announcement::of_client(client, event, data)
        };
        [Side::Source, Side::Target].map(of_side).into()
    }
}

fn event_of(entry: &HistoryEntry) -> Option<EventType> {
    match entry.action {
        Action::Invited => Some(EventType::ConnectionInvited),
        Action::Accepted => Some(EventType::ConnectionAccepted),
        Action::Declined => Some(EventType::ConnectionDeclined),
        Action::Withdrawn => Some(EventType::ConnectionWithdrawn),
        Action::Blocked => Some(EventType::ConnectionBlocked),
        Action::Unblocked => Some(EventType::ConnectionUnblocked),
        Action::Edited => {
            let mut changes = entry.changes.iter();
            let access = changes.any(|change| change.starts_with(OFFERS_ACCESS));
            access.then_some(EventType::ConnectionAccessChanged)
        }
        Action::InvitationResent | Action::SecretRotated
        // Lines about terms do not change the connection.
        | Action::TermsProposed
        | Action::TermsFavoured
        | Action::TermsAccepted => None,
    }
}

fn data(connection: &Connection, role: Side, by: Side) -> Value {
    let party = |party: &Party| json!({"clientId": party.client_id, "name": party.name});
    let blocks: Vec<_> = match connection.state {
        State::Blocked(blocks) => blocks.iter().collect(),
        _ => Vec::new(),
    };
    json!({
        "connectionId": connection.id,
        "role": role,
        "by": by,
        "status": connection.state.as_str(),
        "source": party(&connection.source),
        "target": party(&connection.target),
        "offersAccess": connection.offers_access,
        "blocks": blocks,
    })
}
