//! The mirror of an order and its subscription in a leading system.
//!
//! Only an import writes them. Payments, cancellations and reversals happen in the leading system and are refused here;
//! Tandem does not count the periods of such a subscription.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::CustomerId;
use crate::money::BasisPoints;
use crate::text::ExternalId;
use crate::words::words;

/// The error text of a refused change.
pub const USE_THE_IMPORT: &str = "it is managed by another system; change it there and import it again by POST /v1/imports/orders";

/// The leading system's data about an order, kept in the order and in its subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct External {
    /// The order's id in the leading system; unique for a client.
    pub external_system_id: ExternalId,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ordered_at: Option<Timestamp>,
    /// The recipient, if another customer pays.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delivery_customer_id: Option<CustomerId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub discount_basis_points: Option<BasisPoints>,
    /// Whether the leading system was paid for the current period.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub current_payment_period_paid: Option<bool>,
}

words! {
    /// The system that changes an order or a subscription.
    pub enum ManagedBy {
        Tandem = "tandem",
        External = "external",
    }
}

impl ManagedBy {
    pub fn of(external: Option<&External>) -> Self {
        if external.is_some() {
            Self::External
        } else {
            Self::Tandem
        }
    }
}
