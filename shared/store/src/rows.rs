//! Rows that only the table needs: uniqueness, shares, answers to repeat.
//!
//! Also the rows of values that do not know their own key, because it lies in their parent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_domain::callback::{Attempt, Concerned};
use tandem_domain::connection::HistoryEntry;
use tandem_domain::ids::{CallbackId, ClientId, CompanyId, ConnectionId, CustomerId, OfferId};
use tandem_domain::invitation_mail::InvitationMail;

use crate::entity::{Entity, Indexes, Key};
use crate::page::Collection;

/// Holds that an ordered pair of clients has at most one live connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pair {
    /// Shares.
    pub source: ClientId,
    /// Sells.
    pub target: ClientId,
    /// Their live connection.
    pub connection_id: ConnectionId,
}

impl Pair {
    /// The row of an ordered pair.
    pub fn key_of(source: ClientId, target: ClientId) -> Key<Self> {
        Key::new(format!("{source}#{target}"), "pair")
    }
}

impl Entity for Pair {
    fn key(&self) -> Key<Self> {
        Self::key_of(self.source, self.target)
    }
}

/// Tells a target client that an offer names it; whether it may be seen is decided from the offer and the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// Who may sell.
    pub target: ClientId,
    /// What.
    pub offer_id: OfferId,
    /// Whose it is.
    pub source: ClientId,
    /// The contracting company of the source.
    pub source_company: CompanyId,
}

impl Share {
    /// The share of an offer with a target.
    pub fn key_of(target: ClientId, offer: OfferId) -> Key<Self> {
        Key::new(format!("{target}#shared"), offer.to_string())
    }

    /// All shares with a target.
    pub fn with(target: ClientId) -> Collection<Self> {
        Collection::table(format!("{target}#shared"), "off_")
    }
}

impl Entity for Share {
    fn key(&self) -> Key<Self> {
        Self::key_of(self.target, self.offer_id)
    }
}

/// What must be unique among the customers of a contracting company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unique {
    /// The e-mail address, without case.
    Email,
    /// The id of another system.
    ExternalSystemId,
}

/// Holds one unique value of a customer. The key has only a hash of the value, so that keys can be logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Guard {
    /// Contracting company.
    pub company_id: CompanyId,
    /// `email#<sha256>` or `external#<sha256>`.
    pub unique: String,
    /// Who has the value.
    pub customer_id: CustomerId,
}

impl Guard {
    /// The guard of a value; `hash` is the hex SHA-256 of its compared form.
    pub fn key_of(company: CompanyId, unique: Unique, hash: &str) -> Key<Self> {
        Key::new(format!("{company}#{}", Self::name(unique, hash)), "guard")
    }

    /// A guard for a customer.
    pub fn new(company: CompanyId, unique: Unique, hash: &str, customer: CustomerId) -> Self {
        Self {
            company_id: company,
            unique: Self::name(unique, hash),
            customer_id: customer,
        }
    }

    fn name(unique: Unique, hash: &str) -> String {
        match unique {
            Unique::Email => format!("email#{hash}"),
            Unique::ExternalSystemId => format!("external#{hash}"),
        }
    }
}

impl Entity for Guard {
    fn key(&self) -> Key<Self> {
        Key::new(format!("{}#{}", self.company_id, self.unique), "guard")
    }
}

impl Entity for InvitationMail {
    fn key(&self) -> Key<Self> {
        invitation_mail(self.connection_id)
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// What is known of the mail that invited to a connection.
pub fn invitation_mail(connection: ConnectionId) -> Key<InvitationMail> {
    Key::new(connection.to_string(), "invitationMail")
}

/// The answer of a request that had an `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdempotencyRecord {
    /// `cli_…` or `operator`.
    pub caller: String,
    /// Hex SHA-256 of method, route with its parameters, and key.
    pub scope: String,
    /// Tells whether a body is the same one: hex, made of the canonical body under the data key.
    pub fingerprint: String,
    /// HTTP status of the answer.
    pub status: u16,
    /// `Location` of the answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<String>,
    /// Whose data the answer holds, if a customer's; it is then sealed under that person's key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub concerned: Option<Concerned>,
    /// The answer's body, sealed: it may hold a secret or a person's data.
    pub sealed_answer: String,
    /// Until when the key is known; checked by time.
    pub valid_until: Timestamp,
}

impl IdempotencyRecord {
    /// The record of a caller and scope.
    pub fn key_of(caller: &str, scope: &str) -> Key<Self> {
        Key::new(format!("{caller}#idempotency#{scope}"), "idempotency")
    }
}

impl Entity for IdempotencyRecord {
    fn key(&self) -> Key<Self> {
        Self::key_of(&self.caller, &self.scope)
    }
    fn indexes(&self) -> Indexes {
        Indexes {
            expires: Some(self.valid_until),
            ..Indexes::default()
        }
    }
}

/// A history line with the connection it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryRow {
    /// The connection.
    pub connection_id: ConnectionId,
    /// The line.
    #[serde(flatten)]
    pub entry: HistoryEntry,
}

impl HistoryRow {
    /// The history of a connection, in the connection's own partition.
    pub fn of(connection: ConnectionId) -> Collection<Self> {
        Collection::table(connection.to_string(), "history#")
    }
}

impl Entity for HistoryRow {
    fn key(&self) -> Key<Self> {
        Key::new(
            self.connection_id.to_string(),
            format!("history#{:010}", self.entry.number),
        )
    }
}

/// An attempt with the callback it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptRow {
    /// The source client.
    pub client_id: ClientId,
    /// The callback.
    pub callback_id: CallbackId,
    /// The attempt.
    #[serde(flatten)]
    pub attempt: Attempt,
}

impl AttemptRow {
    /// The attempts of a callback, in the callback's own partition.
    pub fn of(source: ClientId, callback: CallbackId) -> Collection<Self> {
        Collection::table(format!("{source}#{callback}"), "attempt#")
    }
}

impl Entity for AttemptRow {
    fn key(&self) -> Key<Self> {
        Key::new(
            format!("{}#{}", self.client_id, self.callback_id),
            format!("attempt#{:06}", self.attempt.number),
        )
    }
}
