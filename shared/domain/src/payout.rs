//! The payout list: the amounts that clients owe each other.
//!
//! A positive row (`PAYMENT`) is due to the source, a negative one (`REFUND`, `LOSS`) to the target. The creditor marks it
//! paid, and cannot undo this.

mod statement;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, CustomerId, OfferId, OrderId, PayoutId, SubscriptionId};
use crate::metadata::Metadata;
use crate::money::{BasisPoints, Money};
use crate::offer::CostCenter;
use crate::payment_method::PaymentMethod;
use crate::text::{ExternalId, Name};
use crate::words::words;

pub use statement::{PayoutSum, Statement, StatementError, StatementLine};

words! {
    pub enum PayoutType {
        /// The customer paid a period.
        Payment = "PAYMENT",
        /// The seller gave money back.
        Refund = "REFUND",
        /// The customer's bank returned the money.
        Loss = "LOSS",
    }

    /// The public word of a [`PaidState`].
    pub enum PaidStatus {
        Open = "OPEN",
        Paid = "PAID",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "paidStatus"
)]
pub enum PaidState {
    #[serde(rename = "OPEN")]
    Open,
    #[serde(rename = "PAID")]
    Paid {
        /// When the creditor marked the row.
        paid_at: Timestamp,
    },
}

impl PaidState {
    pub fn status(self) -> PaidStatus {
        match self {
            Self::Open => PaidStatus::Open,
            Self::Paid { .. } => PaidStatus::Paid,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payout {
    pub id: PayoutId,
    #[serde(rename = "type")]
    pub payout_type: PayoutType,
    /// The owner of the offer.
    pub source_client_id: ClientId,
    /// At the time of the sale.
    pub source_name: Name,
    /// The seller, who has the customer's money.
    pub target_client_id: ClientId,
    /// At the time of the sale.
    pub target_name: Name,
    /// Of the target.
    pub order_id: OrderId,
    pub subscription_id: SubscriptionId,
    /// The paid period of the subscription, counted from 1.
    pub period_number: u32,
    pub offer_id: OfferId,
    pub offer_name: Name,
    /// Of the target.
    pub customer_id: CustomerId,
    pub payment_method: PaymentMethod,
    /// The order's id in the seller's system.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub external_system_id: Option<ExternalId>,
    /// The order's.
    #[serde(skip_serializing_if = "Metadata::is_empty", default)]
    pub metadata: Metadata,
    #[serde(skip_serializing_if = "Metadata::is_empty", default)]
    pub offer_metadata: Metadata,
    /// The offer's for this target.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cost_center: Option<CostCenter>,
    /// The customer's payment; negative if reversed.
    pub gross: Money,
    /// The seller's part of the gross amount.
    pub seller_share_basis_points: BasisPoints,
    /// Due to the source; to the target if negative.
    pub due: Money,
    /// Whether the amount of the payment differs from the sold terms.
    #[serde(skip_serializing_if = "is_false", default)]
    pub differs_from_terms: bool,
    #[serde(flatten)]
    pub paid: PaidState,
    pub created_at: Timestamp,
    pub version: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature of serde")]
fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayoutError {
    #[error("only the client to whom the amount is due may mark it paid")]
    NotDueToCaller,
}

impl Payout {
    /// The other party.
    pub fn partner_of(&self, client: ClientId) -> ClientId {
        if client == self.source_client_id {
            self.target_client_id
        } else {
            self.source_client_id
        }
    }

    /// The client to which the amount is due.
    pub fn creditor(&self) -> ClientId {
        if self.due.amount < 0 {
            self.target_client_id
        } else {
            self.source_client_id
        }
    }

    /// Marks the row paid; `None` if it already is.
    pub fn mark_paid(self, by: ClientId, now: Timestamp) -> Result<Option<Self>, PayoutError> {
        if by != self.creditor() {
            return Err(PayoutError::NotDueToCaller);
        }
        match self.paid {
            PaidState::Paid { .. } => Ok(None),
            PaidState::Open => Ok(Some(Self {
                paid: PaidState::Paid { paid_at: now },
                ..self
            })),
        }
    }
}
