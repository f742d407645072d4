use tandem_domain::connection::{Connection, Side};
use tandem_domain::ids::{ClientId, ConnectionId};
use tandem_domain::invitation_mail::InvitationMail;

use crate::entity::{Entity, Indexes, Key};
use crate::list::List;
use crate::rows::{HistoryRow, Pair, TermsRow};

/// Read a connection by [`crate::Store::connection_of`], which returns it to its two parties only.
pub fn connection(id: ConnectionId) -> Key<Connection> {
    Key::new(id.to_string(), "connection")
}

/// The connections that have the client on this side.
pub fn connections_of(client: ClientId, side: Side) -> List<Connection> {
    match side {
        Side::Source => List::gsi1(format!("{client}#connections#source")),
        Side::Target => List::gsi2(format!("{client}#connections#target")),
    }
}

impl Entity for Connection {
    fn key(&self) -> Key<Self> {
        connection(self.id)
    }
    fn indexes(&self) -> Indexes {
        let (source, target) = (self.source.client_id, self.target.client_id);
        Indexes::default()
            .in_list(connections_of(source, Side::Source), self.id)
            .in_list(connections_of(target, Side::Target), self.id)
    }
    fn version(&self) -> u64 {
        self.version
    }
}

pub fn pair(source: ClientId, target: ClientId) -> Key<Pair> {
    Key::new(format!("{source}#{target}"), "pair")
}

impl Entity for Pair {
    fn key(&self) -> Key<Self> {
        pair(self.source, self.target)
    }
}

/// The prefix of the sort keys of a connection's history, which is in the connection's own partition.
const HISTORY: &str = "history#";

pub fn history_of(connection: ConnectionId) -> List<HistoryRow> {
    List::table(connection.to_string(), HISTORY)
}

impl Entity for HistoryRow {
    fn key(&self) -> Key<Self> {
        let sort = format!("{HISTORY}{:010}", self.entry.number);
        Key::new(self.connection_id.to_string(), sort)
    }
}

/// The prefix of the sort keys of changes of terms; their ids sort by time.
const TERMS: &str = "terms#";

pub fn terms_of(connection: ConnectionId) -> List<TermsRow> {
    List::table(connection.to_string(), TERMS)
}

impl Entity for TermsRow {
    fn key(&self) -> Key<Self> {
        let sort = format!("{TERMS}{}", self.entry.id);
        Key::new(self.connection_id.to_string(), sort)
    }
}

/// The delivery status of the mail that invited to the connection.
pub fn invitation_mail(connection: ConnectionId) -> Key<InvitationMail> {
    Key::new(connection.to_string(), "invitationMail")
}

impl Entity for InvitationMail {
    fn key(&self) -> Key<Self> {
        invitation_mail(self.connection_id)
    }
    fn version(&self) -> u64 {
        self.version
    }
}
