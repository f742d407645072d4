//! Subscriptions.
//!
//! A sold cross-client position has one subscription id and two rows: the seller's, with the seller's customer, and the
//! source's, with the source's. Each client sees its own row only. The seller changes its row; the source's row follows in the
//! same transaction. Between two contracting companies, the source's row is `pending`, without a customer, until the voucher
//! is redeemed.

mod past_due;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::external::{External, ManagedBy};
use crate::ids::{ClientId, ConnectionId, CustomerId, OfferId, OrderId, SubscriptionId};
use crate::metadata::Metadata;
use crate::money::{BasisPoints, Money};
use crate::offer::CostCenter;
use crate::offer::RenewalRules;
use crate::paid_period::PaidPeriod;
use crate::payment_method::PaymentMethod;
use crate::period::Period;
use crate::text::{ExternalId, Name};
use crate::voucher::VoucherHash;
use crate::words::words;
use crate::zone::Zone;

pub use past_due::UnpaidPeriod;

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

    /// The public word of a subscription's life.
    pub enum Status {
        /// Active, and not yet linked to a customer of the source.
        Pending = "pending",
        Active = "active",
        /// Active, but the payment of the current period went back.
        PastDue = "pastDue",
        /// Ends at a date.
        Cancelled = "cancelled",
        Refunded = "refunded",
        ChargedBack = "chargedBack",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "life"
)]
pub enum Life {
    Active,
    Cancelled {
        cancelled_at: Timestamp,
        /// May be in the future.
        ends_at: Timestamp,
    },
    /// Ended at once: the seller refunded the money.
    Refunded {
        ended_at: Timestamp,
        /// Set if it was cancelled before. Rows of earlier releases lack it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        cancelled_at: Option<Timestamp>,
        /// The period whose money went back, if it is not the last paid one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reversed_period: Option<u32>,
    },
    /// Ended at once: the customer's bank returned the money.
    ChargedBack {
        ended_at: Timestamp,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        cancelled_at: Option<Timestamp>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reversed_period: Option<u32>,
    },
}

impl Life {
    /// Whether a reversal ended it.
    pub fn is_reversed(self) -> bool {
        matches!(self, Self::Refunded { .. } | Self::ChargedBack { .. })
    }

    pub fn cancelled_at(self) -> Option<Timestamp> {
        match self {
            Self::Active => None,
            Self::Cancelled { cancelled_at, .. } => Some(cancelled_at),
            Self::Refunded { cancelled_at, .. } | Self::ChargedBack { cancelled_at, .. } => {
                cancelled_at
            }
        }
    }

    /// The end by cancellation, refund or charge-back.
    pub fn ends_at(self) -> Option<Timestamp> {
        match self {
            Self::Active => None,
            Self::Cancelled { ends_at, .. } => Some(ends_at),
            Self::Refunded { ended_at, .. } | Self::ChargedBack { ended_at, .. } => Some(ended_at),
        }
    }
}

/// The data that both rows of a cross-client subscription share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CrossClientLink {
    /// The owner of the offer.
    pub source_client_id: ClientId,
    /// At the time of the sale.
    pub source_name: Name,
    /// The seller.
    pub target_client_id: ClientId,
    /// At the time of the sale.
    pub target_name: Name,
    pub connection_id: ConnectionId,
    /// The seller's part of each payment.
    pub seller_share_basis_points: BasisPoints,
    /// Between two contracting companies, the source receives callbacks and a voucher.
    #[serde(skip_serializing_if = "is_false", default)]
    pub between_companies: bool,
    /// The offer's for this seller, at the time of the sale.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cost_center: Option<CostCenter>,
    /// Of the offer at the time of the sale.
    #[serde(skip_serializing_if = "Metadata::is_empty", default)]
    pub offer_metadata: Metadata,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature of serde")]
fn is_false(value: &bool) -> bool {
    !value
}

/// One client's row of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// The same in both rows of a cross-client subscription.
    pub id: SubscriptionId,
    /// The client that sees this row.
    pub client_id: ClientId,
    pub role: Role,
    /// The client's customer; absent while pending.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub customer_id: Option<CustomerId>,
    pub order_id: OrderId,
    /// The number of the order's position.
    pub position: u8,
    pub offer_id: OfferId,
    /// At the time of the sale.
    pub offer_name: Name,
    pub quantity: u32,
    /// Of one unit for one period, at the time of the sale.
    pub unit_price: Money,
    pub payment_method: PaymentMethod,
    /// The time that one payment covers.
    pub period: Period,
    /// Whether further periods may be paid.
    pub renews: bool,
    /// Of the seller's contracting company at the time of the sale. Its calendar counts the periods.
    #[serde(skip_serializing_if = "Zone::is_utc", default)]
    pub time_zone: Zone,
    /// The start of the first period.
    pub started_at: Timestamp,
    pub periods_paid: u32,
    /// The end of the last paid period.
    pub paid_until: Timestamp,
    /// The periods of which nothing is left, unless they are over and a later one was paid.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub unpaid: Vec<UnpaidPeriod>,
    #[serde(flatten)]
    pub rules: RenewalRules,
    #[serde(flatten)]
    pub life: Life,
    /// Set for a cross-client subscription.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cross_client: Option<CrossClientLink>,
    /// Set in the source's row between two contracting companies, while its voucher is valid or redeemed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub voucher_hash: Option<VoucherHash>,
    /// The order's id in the seller's system, in the seller's row.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub external_system_id: Option<ExternalId>,
    /// The order's, in the seller's row.
    #[serde(skip_serializing_if = "Metadata::is_empty", default)]
    pub metadata: Metadata,
    /// Set for an imported subscription; `periods_paid` and `paid_until` are then meaningless.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub external: Option<External>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: u64,
}

impl Subscription {
    pub fn status(&self, now: Timestamp) -> Status {
        match self.life {
            Life::Active if self.customer_id.is_none() => Status::Pending,
            Life::Active if self.past_due_since(now).is_some() => Status::PastDue,
            Life::Active => Status::Active,
            Life::Cancelled { .. } => Status::Cancelled,
            Life::Refunded { .. } => Status::Refunded,
            Life::ChargedBack { .. } => Status::ChargedBack,
        }
    }

    /// Whether the row is linked to a customer of its client. The source's row is not, until its voucher is redeemed.
    pub fn is_linked(&self) -> bool {
        self.customer_id.is_some()
    }

    /// The end of the customer's access. A non-renewing subscription ends with its period; a renewing one runs until it is
    /// cancelled, paid or not; an externally managed one runs until the leading system ends it.
    pub fn access_ends_at(&self) -> Option<Timestamp> {
        self.life.ends_at().or_else(|| {
            (!self.renews && self.managed_by() == ManagedBy::Tandem).then_some(self.paid_until)
        })
    }

    /// Whether the subscription gives access now or later.
    pub fn is_running(&self, now: Timestamp) -> bool {
        self.access_ends_at().is_none_or(|end| end > now)
    }

    /// Whether the subscription gives access now: from its start until its end, and not while the current period is unpaid and
    /// its days of grace are over. An unlinked row gives it to the seller's customer.
    pub fn has_access(&self, now: Timestamp) -> bool {
        let is_in_grace = |since| now < self.end_of_grace(since);
        self.started_at <= now
            && self.is_running(now)
            && self.past_due_since(now).is_none_or(is_in_grace)
    }

    /// The start of a period, counted from 1.
    pub fn start_of(&self, number: u32) -> Timestamp {
        match number.saturating_sub(1) {
            0 => self.started_at,
            before => self.end_of(before),
        }
    }

    /// The end of a period, counted from 1.
    pub fn end_of(&self, number: u32) -> Timestamp {
        self.period.end_of(self.started_at, number, &self.time_zone)
    }

    /// A paid period without a row of its own. Of the period whose reversal ended the subscription, nothing is left.
    pub(crate) fn plain_period(&self, number: u32) -> PaidPeriod {
        let amount = self.amount();
        let ended_by = match self.life {
            Life::Refunded {
                reversed_period, ..
            }
            | Life::ChargedBack {
                reversed_period, ..
            } => Some(reversed_period.unwrap_or(self.periods_paid)),
            Life::Active | Life::Cancelled { .. } => None,
        };
        let is_back = ended_by == Some(number);
        PaidPeriod {
            client_id: self.client_id,
            subscription_id: self.id,
            number,
            amount,
            reversed: Money {
                amount: if is_back { amount.amount } else { 0 },
                ..amount
            },
            version: 0,
        }
    }

    /// The price of one period, less the discount of an imported subscription.
    pub fn amount(&self) -> Money {
        let gross = self.unit_price.times(self.quantity);
        let discount = self
            .external
            .as_ref()
            .and_then(|external| external.discount_basis_points);
        discount.map_or(gross, |discount| gross.after_share(discount))
    }

    pub fn managed_by(&self) -> ManagedBy {
        ManagedBy::of(self.external.as_ref())
    }

    /// The source's row after the redemption of its voucher.
    pub fn linked_to(self, customer_id: CustomerId, now: Timestamp) -> Self {
        Self {
            customer_id: Some(customer_id),
            updated_at: now,
            ..self
        }
    }

    /// The source's row after a change of the seller's row: everything but the link follows. A reversal that ends the
    /// subscription before the redemption makes the voucher void.
    pub fn following(self, seller: &Self) -> Self {
        let voucher_hash = self
            .voucher_hash
            .filter(|_| self.customer_id.is_some() || !seller.life.is_reversed());
        Self {
            voucher_hash,
            payment_method: seller.payment_method,
            periods_paid: seller.periods_paid,
            paid_until: seller.paid_until,
            unpaid: seller.unpaid.clone(),
            life: seller.life,
            updated_at: seller.updated_at,
            ..self
        }
    }
}
