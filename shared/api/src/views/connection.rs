//! A connection as one of its sides sees it.

use serde_json::{Value, json};
use tandem_domain::connection::{CallbackSettings, Connection, Party, Side, State};
use tandem_domain::endpoint_health::EndpointHealth;
use tandem_domain::invitation_mail::InvitationMail;
use tandem_store::rows::HistoryRow;

use crate::views::endpoint_health;

/// A connection as a list shows it. Only the source sees the callback settings; the secrets are never shown.
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

/// A connection with its history, newest first. The source also sees the health of its endpoint and the state of the invitation
/// mail.
pub fn full(
    connection: &Connection,
    side: Side,
    history: &[HistoryRow],
    health: Option<&EndpointHealth>,
    mail: Option<&InvitationMail>,
) -> Value {
    let mut view = summary(connection, side);
    if side == Side::Source {
        view["invitationMail"] =
            json!(mail.map(|mail| json!({"status": mail.status, "at": mail.at})));
    }
    view["history"] = history
        .iter()
        .map(|row| {
            let entry = &row.entry;
            let by = connection.party(entry.by);
            json!({"at": entry.at, "by": entry.by, "clientId": by.client_id, "action": entry.action, "changes": entry.changes})
        })
        .collect();
    if let Some(callback) = view.get_mut("callback") {
        endpoint_health::add(callback, health);
    }
    view
}
