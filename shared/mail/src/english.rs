//! The English texts.

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
    Words::about(format!("“{source}” invites you to sell together"))
        .say(format!(
            "“{source}” would like to share offers with you (connection {id}). If you accept, you can put these offers into \
             your carts beside your own, and your customers buy both in one purchase."
        ))
        .say("To accept the invitation, call:")
        .call(format!("POST /v1/connections/{id}/accept"))
        .say("To decline it, call:")
        .call(format!("POST /v1/connections/{id}/decline"))
}

fn accepted(target: &Name, id: ConnectionId) -> Words {
    Words::about(format!("“{target}” has accepted your invitation"))
        .say(format!(
            "Connection {id} is active. “{target}” can put your cross-client offers into its carts, as long as the access to \
             your offers (offersAccess) is on."
        ))
        .say(format!(
            "Next, make an offer for “{target}”: name the client in crossClient.targetClientIds. The client’s id stands in the \
             connection:"
        ))
        .call(format!("GET /v1/connections/{id}"))
        .call("POST /v1/offers")
}

fn declined(target: &Name, id: ConnectionId) -> Words {
    Words::about(format!("“{target}” has declined your invitation"))
        .say(format!("Connection {id} has not come about. Nothing is shared between you and “{target}”."))
        .say("You need not do anything. If you have agreed otherwise, you can invite the client again:")
        .call("POST /v1/connections")
}

fn withdrawn(source: &Name, id: ConnectionId) -> Words {
    Words::about(format!("“{source}” has withdrawn its invitation"))
        .say(format!("“{source}” has taken the invitation to connection {id} back. You can no longer accept it."))
        .say(format!("You need not do anything. If this surprises you, please ask “{source}”."))
}

fn blocked(by: &Name, id: ConnectionId) -> Words {
    Words::about(format!("“{by}” has blocked the connection with you"))
        .say(format!(
            "Connection {id} is blocked. Its shared offers cannot be sold, and carts that hold them cannot be bought. What was \
             sold before stays: subscriptions go on and vouchers can be redeemed."
        ))
        .say(format!("Only “{by}” can unblock the connection; please ask there if you do not know why. This shows it:"))
        .call(format!("GET /v1/connections/{id}"))
}

fn unblocked(by: &Name, id: ConnectionId) -> Words {
    Words::about(format!("“{by}” has unblocked the connection with you"))
        .say(format!("Connection {id} is active again. Its shared offers can be sold, and carts that hold them can be bought."))
        .say("You need not do anything. This shows the connection:")
        .call(format!("GET /v1/connections/{id}"))
}

fn exhausted(callback: CallbackId, connection: Option<ConnectionId>, attempts: u32) -> Words {
    let address = connection.map_or("your event endpoint".to_owned(), |id| {
        format!("the callback address of connection {id}")
    });
    Words::about("A callback could not be delivered")
        .say(format!(
            "Callback {callback} could not be delivered to {address}. Attempts so far: {attempts}. No further attempt will be made by itself. The callback is kept and waits for you."
        ))
        .say("The log shows what your callback address answered:")
        .call(format!("GET /v1/callbacks/{callback}"))
        .say("Once the cause is mended, have the callback delivered again:")
        .call(format!("POST /v1/callbacks/{callback}/replay"))
}

fn disabled(callback: CallbackId, connection: Option<ConnectionId>) -> Words {
    let Some(id) = connection else {
        return own_disabled(callback);
    };
    Words::about("Your callback address has been disabled")
        .say(format!(
            "The callback address of connection {id} answered callback {callback} with status 410 (Gone). Nothing more is \
             sent to it. The callbacks of this connection are kept and wait for you."
        ))
        .say("Once the address takes callbacks again, or you have another one, set it as callback.url, even if it is the same:")
        .call(format!("PATCH /v1/connections/{id}"))
        .say("Then have the waiting callbacks delivered:")
        .call("POST /v1/callbacks/replays")
}

fn own_disabled(callback: CallbackId) -> Words {
    Words::about("Your event endpoint has been disabled")
        .say(format!(
            "Your event endpoint answered callback {callback} with status 410 (Gone). Nothing more is sent to it. Its callbacks \
             are kept and wait for you."
        ))
        .say("Once the address takes callbacks again, or you have another one, set it as url, even if it is the same:")
        .call("PUT /v1/event-endpoint")
        .say("Then have the waiting callbacks delivered:")
        .call("POST /v1/callbacks/replays")
}

fn failing(callback: CallbackId, connection: Option<ConnectionId>, since: Timestamp) -> Words {
    let (name, address) = address(connection);
    Words::about(format!("Your {name} will be disabled soon"))
        .say(format!(
            "Since {}, {address} has taken no callback. If that does not change, it will be disabled in 24 hours at the \
             earliest. Its callbacks are kept either way.",
            time(since)
        ))
        .say("The log shows what was answered last:")
        .call(format!("GET /v1/callbacks/{callback}"))
        .say("You need not do anything once callbacks are taken again. If you have another address, set it:")
        .call(change(connection))
}

fn given_up(callback: CallbackId, connection: Option<ConnectionId>, since: Timestamp) -> Words {
    let (name, address) = address(connection);
    Words::about(format!("Your {name} has been disabled after days without success"))
        .say(format!(
            "Since {}, {address} has taken no callback. Nothing more is sent to it. Its callbacks, also those to come, are \
             kept and wait for you.",
            time(since)
        ))
        .say("The log shows what was answered last:")
        .call(format!("GET /v1/callbacks/{callback}"))
        .say("Once the address takes callbacks again, or you have another one, set it, even if it is the same:")
        .call(change(connection))
        .say("Then have the waiting callbacks delivered:")
        .call("POST /v1/callbacks/replays")
}

/// The endpoint by its kind, and with its connection.
fn address(connection: Option<ConnectionId>) -> (&'static str, String) {
    match connection {
        Some(id) => (
            "callback address",
            format!("the callback address of connection {id}"),
        ),
        None => ("event endpoint", "your event endpoint".to_owned()),
    }
}
