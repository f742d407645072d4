//! The German texts.

use tandem_domain::Timestamp;
use tandem_domain::ids::{CallbackId, ConnectionId};
use tandem_domain::mail::MailKind;
use tandem_domain::text::Name;

use crate::words::{Words, change, time};

pub(crate) fn words(kind: &MailKind) -> Words {
    match kind {
        MailKind::Invitation {
            source_name,
            connection_id,
        } => invitation(source_name, *connection_id),
        MailKind::InvitationAccepted {
            target_name,
            connection_id,
        } => accepted(target_name, *connection_id),
        MailKind::InvitationDeclined {
            target_name,
            connection_id,
        } => declined(target_name, *connection_id),
        MailKind::InvitationWithdrawn {
            source_name,
            connection_id,
        } => withdrawn(source_name, *connection_id),
        MailKind::ConnectionBlocked {
            by_name,
            connection_id,
        } => blocked(by_name, *connection_id),
        MailKind::ConnectionUnblocked {
            by_name,
            connection_id,
        } => unblocked(by_name, *connection_id),
        MailKind::CallbackExhausted {
            callback_id,
            connection_id,
            attempts,
        } => exhausted(*callback_id, *connection_id, *attempts),
        MailKind::EndpointDisabled {
            callback_id,
            connection_id,
        } => disabled(*callback_id, *connection_id),
        MailKind::EndpointFailing {
            callback_id,
            connection_id,
            failing_since,
        } => failing(*callback_id, *connection_id, *failing_since),
        MailKind::EndpointGivenUp {
            callback_id,
            connection_id,
            failing_since,
        } => given_up(*callback_id, *connection_id, *failing_since),
    }
}

fn invitation(source: &Name, id: ConnectionId) -> Words {
    Words::about(format!("„{source}“ lädt Sie zum gemeinsamen Verkauf ein"))
        .say(format!(
            "„{source}“ möchte Angebote mit Ihnen teilen (Verbindung {id}). Wenn Sie annehmen, können Sie diese Angebote neben \
             Ihre eigenen in Ihre Warenkörbe legen, und Ihre Kundschaft kauft beides in einem Kauf."
        ))
        .say("Um die Einladung anzunehmen, rufen Sie auf:")
        .call(format!("POST /v1/connections/{id}/accept"))
        .say("Um sie abzulehnen, rufen Sie auf:")
        .call(format!("POST /v1/connections/{id}/decline"))
}

fn accepted(target: &Name, id: ConnectionId) -> Words {
    Words::about(format!("„{target}“ hat Ihre Einladung angenommen"))
        .say(format!(
            "Die Verbindung {id} ist aktiv. „{target}“ kann Ihre Cross-Client-Angebote in eigene Warenkörbe legen, \
             solange der Zugriff auf Ihre Angebote (offersAccess) eingeschaltet ist."
        ))
        .say(format!(
            "Legen Sie als Nächstes ein Angebot für „{target}“ an und nennen Sie den Mandanten in crossClient.targetClientIds. \
             Seine Id steht in der Verbindung:"
        ))
        .call(format!("GET /v1/connections/{id}"))
        .call("POST /v1/offers")
}

fn declined(target: &Name, id: ConnectionId) -> Words {
    Words::about(format!("„{target}“ hat Ihre Einladung abgelehnt"))
        .say(format!("Die Verbindung {id} ist nicht zustande gekommen. Zwischen Ihnen und „{target}“ wird nichts geteilt."))
        .say("Sie müssen nichts tun. Falls etwas anderes vereinbart war, können Sie den Mandanten erneut einladen:")
        .call("POST /v1/connections")
}

fn withdrawn(source: &Name, id: ConnectionId) -> Words {
    Words::about(format!("„{source}“ hat die Einladung zurückgezogen"))
        .say(format!("„{source}“ hat die Einladung zur Verbindung {id} zurückgezogen. Sie können sie nicht mehr annehmen."))
        .say(format!("Sie müssen nichts tun. Falls Sie das überrascht, fragen Sie bitte bei „{source}“ nach."))
}

fn blocked(by: &Name, id: ConnectionId) -> Words {
    Words::about(format!("„{by}“ hat die Verbindung mit Ihnen gesperrt"))
        .say(format!(
            "Die Verbindung {id} ist gesperrt. Darüber geteilte Angebote können nicht verkauft und Warenkörbe, die sie enthalten, \
             nicht gekauft werden. Was vorher verkauft wurde, bleibt: Abonnements laufen weiter und Voucher können \
             eingelöst werden."
        ))
        .say(format!(
            "Nur „{by}“ kann die Sperre aufheben; fragen Sie dort bitte nach, falls Sie den Grund nicht kennen. So lesen Sie \
             die Verbindung:"
        ))
        .call(format!("GET /v1/connections/{id}"))
}

fn unblocked(by: &Name, id: ConnectionId) -> Words {
    Words::about(format!("„{by}“ hat die Sperre der Verbindung mit Ihnen aufgehoben"))
        .say(format!(
            "Die Verbindung {id} ist wieder aktiv. Darüber geteilte Angebote können verkauft und Warenkörbe, die sie enthalten, \
             gekauft werden."
        ))
        .say("Sie müssen nichts tun. So lesen Sie die Verbindung:")
        .call(format!("GET /v1/connections/{id}"))
}

fn exhausted(callback: CallbackId, connection: Option<ConnectionId>, attempts: u32) -> Words {
    let address = connection.map_or("Ihren Ereignis-Endpunkt".to_owned(), |id| {
        format!("die Callback-Adresse der Verbindung {id}")
    });
    Words::about("Ein Callback konnte nicht zugestellt werden")
        .say(format!(
            "Der Callback {callback} konnte nicht an {address} zugestellt werden. Bisherige Versuche: {attempts}. Von selbst folgt kein weiterer Versuch. Der Callback bleibt erhalten und wartet auf Sie."
        ))
        .say("Das Protokoll zeigt, was Ihre Callback-Adresse geantwortet hat:")
        .call(format!("GET /v1/callbacks/{callback}"))
        .say("Sobald die Ursache behoben ist, lassen Sie den Callback erneut zustellen:")
        .call(format!("POST /v1/callbacks/{callback}/replay"))
}

fn disabled(callback: CallbackId, connection: Option<ConnectionId>) -> Words {
    let Some(id) = connection else {
        return own_disabled(callback);
    };
    Words::about("Ihre Callback-Adresse wurde abgeschaltet")
        .say(format!(
            "Die Callback-Adresse der Verbindung {id} hat den Callback {callback} mit dem Status 410 (Gone) beantwortet. An sie \
             wird nichts mehr gesendet. Die Callbacks dieser Verbindung bleiben erhalten und warten auf Sie."
        ))
        .say(
            "Sobald die Adresse wieder Callbacks annimmt oder Sie eine andere haben, setzen Sie sie als callback.url, auch wenn \
             es dieselbe ist:",
        )
        .call(format!("PATCH /v1/connections/{id}"))
        .say("Lassen Sie danach die wartenden Callbacks zustellen:")
        .call("POST /v1/callbacks/replays")
}

fn own_disabled(callback: CallbackId) -> Words {
    Words::about("Ihr Ereignis-Endpunkt wurde abgeschaltet")
        .say(format!(
            "Ihr Ereignis-Endpunkt hat den Callback {callback} mit dem Status 410 (Gone) beantwortet. An ihn wird nichts mehr \
             gesendet. Seine Callbacks bleiben erhalten und warten auf Sie."
        ))
        .say("Sobald die Adresse wieder Callbacks annimmt oder Sie eine andere haben, setzen Sie sie als url, auch wenn es dieselbe ist:")
        .call("PUT /v1/event-endpoint")
        .say("Lassen Sie danach die wartenden Callbacks zustellen:")
        .call("POST /v1/callbacks/replays")
}

fn failing(callback: CallbackId, connection: Option<ConnectionId>, since: Timestamp) -> Words {
    let (name, address) = address(connection);
    Words::about(format!("{name} wird bald abgeschaltet"))
        .say(format!(
            "Seit {} hat {address} keinen Callback mehr angenommen. Bleibt es dabei, erfolgt frühestens in 24 Stunden die \
             Abschaltung. Die Callbacks bleiben in jedem Fall erhalten.",
            time(since)
        ))
        .say("Das Protokoll zeigt, was zuletzt geantwortet wurde:")
        .call(format!("GET /v1/callbacks/{callback}"))
        .say("Sobald wieder Callbacks angenommen werden, müssen Sie nichts tun. Haben Sie eine andere Adresse, setzen Sie sie:")
        .call(change(connection))
}

fn given_up(callback: CallbackId, connection: Option<ConnectionId>, since: Timestamp) -> Words {
    let (name, address) = address(connection);
    Words::about(format!("{name} wurde nach Tagen ohne Erfolg abgeschaltet"))
        .say(format!(
            "Seit {} hat {address} keinen Callback mehr angenommen. Dorthin wird nichts mehr gesendet. Die Callbacks, auch \
             künftige, bleiben erhalten und warten auf Sie.",
            time(since)
        ))
        .say("Das Protokoll zeigt, was zuletzt geantwortet wurde:")
        .call(format!("GET /v1/callbacks/{callback}"))
        .say(
            "Sobald die Adresse wieder Callbacks annimmt oder Sie eine andere haben, setzen Sie sie, auch wenn es dieselbe ist:",
        )
        .call(change(connection))
        .say("Lassen Sie danach die wartenden Callbacks zustellen:")
        .call("POST /v1/callbacks/replays")
}

/// The endpoint by its kind, and with its connection.
fn address(connection: Option<ConnectionId>) -> (&'static str, String) {
    match connection {
        Some(id) => (
            "Ihre Callback-Adresse",
            format!("die Callback-Adresse der Verbindung {id}"),
        ),
        None => ("Ihr Ereignis-Endpunkt", "Ihr Ereignis-Endpunkt".to_owned()),
    }
}
