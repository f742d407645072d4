//! Rows that only the table needs: uniqueness, shares, stored answers.
//!
//! Also the rows of values that do not contain their parent's id.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_domain::callback::{Attempt, Concerned};
use tandem_domain::connection::{HistoryEntry, TermsEntry};
use tandem_domain::ids::{
    CallbackId, ClientId, CompanyId, ConnectionId, CustomerId, OfferId, OrderId,
};
use tandem_domain::import::decide::ExternalHash;
use tandem_domain::sealed::Sealed;

/// Ensures that an ordered pair of clients has at most one live connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pair {
    pub source: ClientId,
    pub target: ClientId,
    pub connection_id: ConnectionId,
}

/// Lists an offer for a target client that it names. The offer and the connection decide whether the target may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    pub target: ClientId,
    pub offer_id: OfferId,
    pub source: ClientId,
    pub source_company: CompanyId,
}

/// A member that is unique among the customers of a contracting company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unique {
    /// Compared without case.
    Email,
    ExternalSystemId,
}

impl Unique {
    pub(crate) fn guard_name(self, hash: &str) -> String {
        match self {
            Self::Email => format!("email#{hash}"),
            Self::ExternalSystemId => format!("external#{hash}"),
        }
    }
}

/// Reserves one unique value for a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Guard {
    pub company_id: CompanyId,
    // Part of the key. Keys are logged, so the value itself may not be in it.
    /// `email#<sha256>` or `external#<sha256>`.
    pub unique: String,
    pub customer_id: CustomerId,
}

impl Guard {
    pub fn new(company: CompanyId, unique: Unique, hash: &str, customer: CustomerId) -> Self {
        Self {
            company_id: company,
            unique: unique.guard_name(hash),
            customer_id: customer,
        }
    }
}

/// Ensures that an `externalSystemId` belongs to one purchase of a client, and finds its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExternalOrder {
    /// The seller.
    pub client_id: ClientId,
    /// Part of the key.
    pub hash: ExternalHash,
    pub order_id: OrderId,
}

/// Sealed under the data key of this table: a function with another key does not start. Written with the first contracting
/// company, before anything else is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Canary {
    pub sealed: Sealed,
}

/// The stored answer of a request with an `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdempotencyRecord {
    /// `cli_…` or `operator`.
    pub caller: String,
    /// Hex SHA-256 of method, route with its parameters, and key.
    pub scope: String,
    /// HTTP status.
    pub status: u16,
    /// `Location` header.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<String>,
    /// The customer whose data the answer contains. The answer is then sealed under that customer's key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub concerned: Option<Concerned>,
    /// The fingerprint of the request and the body of the answer. Sealed, because both may contain a secret or a customer's data.
    pub sealed_answer: Sealed,
    /// Compared with the clock: DynamoDB deletes expired rows days later.
    pub valid_until: Timestamp,
}

/// A history entry of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryRow {
    pub connection_id: ConnectionId,
    #[serde(flatten)]
    pub entry: HistoryEntry,
}

/// A change of an offer's terms, in the history of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TermsRow {
    pub connection_id: ConnectionId,
    #[serde(flatten)]
    pub entry: TermsEntry,
}

/// An attempt to deliver a callback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptRow {
    /// The source client.
    pub client_id: ClientId,
    pub callback_id: CallbackId,
    #[serde(flatten)]
    pub attempt: Attempt,
}
