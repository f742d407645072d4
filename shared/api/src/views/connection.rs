//! A connection as one of its sides sees it.

use serde_json::{Value, json};
use tandem_domain::Timestamp;
use tandem_domain::connection::{Action, CallbackSettings, Connection, Party, Side, State};
use tandem_domain::endpoint_health::EndpointHealth;
use tandem_domain::invitation_mail::InvitationMail;
use tandem_store::rows::{HistoryRow, TermsRow};

use crate::views::endpoint_health;

/// A connection as a list shows it. Only the source sees its metadata and the callback settings; the secrets are never shown.
pub fn summary(connection: &Connection, side: Side) -> Value {
    let party = |party: &Party| json!({"clientId": party.client_id, "contractingCompanyId": party.company_id, "name": party.name});
    let mut view = json!({
        "id": connection.id,
        "role": side,
        "status": connection.state.as_str(),
        "source": party(&connection.source),
        "target": party(&connection.target),
        "offersAccess": connection.offers_access,
        "createdAt": connection.created_at,
        "updatedAt": connection.updated_at,
    });
    if let State::Blocked(blocks) = connection.state {
        let first = blocks.first();
        view["blockedBy"] = json!(first.by);
        view["blockedAt"] = json!(first.at);
        view["blocks"] = blocks.iter().map(|block| json!(block)).collect();
    }
    if side == Side::Source {
        view["metadata"] = json!(connection.metadata);
    }
    if let (Side::Source, Some(callback)) = (side, &connection.callback) {
        view["callback"] = json!({"url": callback.url, "headerNames": header_names(callback)});
    }
    view
}

/// The names of the static headers; their values are never shown.
pub(crate) fn header_names(settings: &CallbackSettings) -> &[String] {
    let headers = settings.headers.as_ref();
    headers.map_or(&[], |headers| &headers.names)
}

/// The newest lines of a connection's history.
#[derive(Debug, Default)]
pub struct History {
    pub changes: Vec<HistoryRow>,
    pub terms: Vec<TermsRow>,
}

impl History {
    /// Newest first, at most `most` lines.
    fn lines(&self, connection: &Connection, most: usize) -> Value {
        let line = |at: Timestamp, by: Side, action: Action, changes: &[String]| {
            let client = connection.party(by).client_id;
            json!({"at": at, "by": by, "clientId": client, "action": action, "changes": changes})
        };
        let changes = self.changes.iter().map(|row| {
            let entry = &row.entry;
            let line = line(entry.at, entry.by, entry.action, &entry.changes);
            (entry.at, line)
        });
        let terms = self.terms.iter().map(|row| {
            let entry = &row.entry;
            let mut line = line(entry.at, entry.by, entry.action, &entry.changes);
            line["offerId"] = json!(entry.offer_id);
            (entry.at, line)
        });
        let mut lines: Vec<_> = changes.chain(terms).collect();
        lines.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        lines.into_iter().take(most).map(|(_, line)| line).collect()
    }
}

/// Newest history lines shown with a connection.
pub const SHOWN_HISTORY: usize = 100;

/// A connection with its history, newest first. The source also sees the health of its endpoint and the state of the invitation
/// mail.
pub fn full(
    connection: &Connection,
    side: Side,
    history: &History,
    health: Option<&EndpointHealth>,
    mail: Option<&InvitationMail>,
) -> Value {
    let mut view = summary(connection, side);
    if side == Side::Source {
        view["invitationMail"] =
            json!(mail.map(|mail| json!({"status": mail.status, "at": mail.at})));
    }
    view["history"] = history.lines(connection, SHOWN_HISTORY);
    if let Some(callback) = view.get_mut("callback") {
        endpoint_health::add(callback, health);
    }
    view
}
