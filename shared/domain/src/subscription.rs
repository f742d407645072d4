//! Subscriptions.
//!
//! A sold cross-client position has one subscription id and two rows: the seller's, with the seller's customer, and the
//! source's, with the source's. Each client sees its own row only. The seller's row moves; the source's follows in the same
//! transaction. Between two contracting companies the source's row has no customer until the voucher is redeemed: it is
//! `pending`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::external::{External, ManagedBy};
use crate::ids::{ClientId, ConnectionId, CustomerId, OfferId, OrderId, SubscriptionId};
use crate::money::{BasisPoints, Money};
use crate::payment_method::PaymentMethod;
use crate::period::Period;
use crate::text::Name;
use crate::voucher::VoucherHash;
use crate::words::words;

words! {
    /// The part of a row's client in the subscription.
    pub enum Role {
        /// Sold its own offer.
        Own = "own",
        /// Sold another client's offer.
        Seller = "seller",
        /// Owns the offer that another client sold.
        Source = "source",
    }

    /// The public word of a subscription's life and link.
    pub enum Status {
        /// The source has not redeemed its voucher.
        Pending = "pending",
        Active = "active",
        /// Ends at a date.
        Cancelled = "cancelled",
        Refunded = "refunded",
        ChargedBack = "chargedBack",
    }
}

/// How a subscription goes on or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "life"
)]
pub enum Life {
    /// Goes on.
    Active,
    /// Ends at a date.
    Cancelled {
        /// When it was cancelled.
        cancelled_at: Timestamp,
        /// When it ends.
        ends_at: Timestamp,
    },
    /// The money was given back; ended at once.
    Refunded {
        /// When.
        ended_at: Timestamp,
    },
    /// The customer's bank took the money back; ended at once.
    ChargedBack {
        /// When.
        ended_at: Timestamp,
    },
}

/// What binds the two rows of a cross-client subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CrossClientLink {
    /// Owns the offer.
    pub source_client_id: ClientId,
    /// The source's name when it was sold.
    pub source_name: Name,
    /// Sold it.
    pub target_client_id: ClientId,
    /// The target's name when it was sold.
    pub target_name: Name,
    /// By which connection.
    pub connection_id: ConnectionId,
    /// What the seller keeps of each payment.
    pub seller_share_basis_points: BasisPoints,
    /// Set between two contracting companies.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub voucher_hash: Option<VoucherHash>,
}

/// One client's row of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Id; the same in both rows of a cross-client one.
    pub id: SubscriptionId,
    /// The client that sees this row.
    pub client_id: ClientId,
    /// What it is to the subscription.
    pub role: Role,
    /// The client's customer; absent while pending.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub customer_id: Option<CustomerId>,
    /// The order by which it was sold.
    pub order_id: OrderId,
    /// The position of that order.
    pub position: u8,
    /// What was sold.
    pub offer_id: OfferId,
    /// The offer's name when it was sold.
    pub offer_name: Name,
    /// How many.
    pub quantity: u32,
    /// Price of one unit for one period when it was sold.
    pub unit_price: Money,
    /// How it is paid.
    pub payment_method: PaymentMethod,
    /// What one payment covers.
    pub period: Period,
    /// Whether further periods may be paid.
    pub renews: bool,
    /// Start of the first period.
    pub started_at: Timestamp,
    /// How many periods were paid.
    pub periods_paid: u32,
    /// End of the last paid period.
    pub paid_until: Timestamp,
    /// How it goes on.
    #[serde(flatten)]
    pub life: Life,
    /// Set for a cross-client one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cross_client: Option<CrossClientLink>,
    /// Set for one that was imported; `periods_paid` and `paid_until` then say nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub external: Option<External>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

impl Subscription {
    /// What the client sees.
    pub fn status(&self) -> Status {
        match self.life {
            Life::Active if self.customer_id.is_none() => Status::Pending,
            Life::Active => Status::Active,
            Life::Cancelled { .. } => Status::Cancelled,
            Life::Refunded { .. } => Status::Refunded,
            Life::ChargedBack { .. } => Status::ChargedBack,
        }
    }

    /// What one period costs, less the discount of an imported one.
    pub fn amount(&self) -> Money {
        let gross = self.unit_price.times(self.quantity);
        let discount = self
            .external
            .as_ref()
            .and_then(|external| external.discount_basis_points);
        discount.map_or(gross, |discount| gross.after_share(discount))
    }

    /// Who changes it.
    pub fn managed_by(&self) -> ManagedBy {
        ManagedBy::of(self.external.as_ref())
    }

    /// The source's row after its voucher was redeemed.
    pub fn linked_to(self, customer_id: CustomerId, now: Timestamp) -> Self {
        Self {
            customer_id: Some(customer_id),
            updated_at: now,
            ..self
        }
    }

    /// The source's row after the seller's row moved: everything but the link follows.
    pub fn following(self, seller: &Self) -> Self {
        Self {
            payment_method: seller.payment_method,
            periods_paid: seller.periods_paid,
            paid_until: seller.paid_until,
            life: seller.life,
            updated_at: seller.updated_at,
            ..self
        }
    }
}
