//! What is mirrored from a leading system: an order and its subscription that Tandem did not sell.
//!
//! Only an import writes them. Payments, cancellations and money that goes back happen in the leading system, so they are
//! refused here; Tandem does not count periods of such a subscription either.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::CustomerId;
use crate::money::BasisPoints;
use crate::text::ExternalId;

/// What the caller of a refused change is told.
pub const USE_THE_IMPORT: &str =
    "it is managed by another system; change it there and send it again by POST /v1/imports/orders";

/// What the leading system told of an order, kept in the order and in its subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct External {
    /// The order's id in the leading system; unique for a client.
    pub external_system_id: ExternalId,
    /// When it was ordered there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ordered_at: Option<Timestamp>,
    /// Who gets it, if not the one who pays.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delivery_customer_id: Option<CustomerId>,
    /// What is taken off the price.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub discount_basis_points: Option<BasisPoints>,
    /// Whether the leading system has been paid for the period under way.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub current_payment_period_paid: Option<bool>,
}

/// Who changes an order or a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ManagedBy {
    /// It was sold here.
    Tandem,
    /// It is mirrored.
    External,
}

impl ManagedBy {
    /// The words on the wire, for filters.
    pub const WORDS: &'static [(&'static str, Self)] =
        &[("tandem", Self::Tandem), ("external", Self::External)];

    /// Who changes what has, or has not, something mirrored.
    pub fn of(external: Option<&External>) -> Self {
        if external.is_some() {
            Self::External
        } else {
            Self::Tandem
        }
    }
}
