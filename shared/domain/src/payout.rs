//! The payout list: what clients owe each other.
//!
//! A row is due to the source if its amount is positive (`PAYMENT`), to the target if it is negative (`REFUND`, `LOSS`).
//! Whoever the money is due to says when it has come; nobody can take that back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, CustomerId, OfferId, OrderId, PayoutId, SubscriptionId};
use crate::money::{BasisPoints, Money};
use crate::payment_method::PaymentMethod;
use crate::text::Name;
use crate::words::words;

words! {
    pub enum PayoutType {
        /// The customer paid a period.
        Payment = "PAYMENT",
        /// The seller gave money back.
        Refund = "REFUND",
        /// The customer's bank took money back.
        Loss = "LOSS",
    }

    /// The public word of a [`PaidState`].
    pub enum PaidStatus {
        Open = "OPEN",
        Paid = "PAID",
    }
}

/// Whether the money has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "paidStatus"
)]
pub enum PaidState {
    /// Not yet.
    #[serde(rename = "OPEN")]
    Open,
    /// It has.
    #[serde(rename = "PAID")]
    Paid {
        /// When that was said.
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

/// A row of the payout list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payout {
    /// Id.
    pub id: PayoutId,
    /// What made it.
    #[serde(rename = "type")]
    pub payout_type: PayoutType,
    /// Owns the offer.
    pub source_client_id: ClientId,
    /// The source's name then.
    pub source_name: Name,
    /// Sold it and took the money.
    pub target_client_id: ClientId,
    /// The target's name then.
    pub target_name: Name,
    /// The target's order.
    pub order_id: OrderId,
    /// The subscription.
    pub subscription_id: SubscriptionId,
    /// Which paid period of the subscription, counted from 1.
    pub period_number: u32,
    /// What was sold.
    pub offer_id: OfferId,
    /// Its name then.
    pub offer_name: Name,
    /// The target's customer.
    pub customer_id: CustomerId,
    /// How the customer paid.
    pub payment_method: PaymentMethod,
    /// What the customer paid; negative if it went back.
    pub gross: Money,
    /// What the seller keeps of it.
    pub seller_share_basis_points: BasisPoints,
    /// What is due to the source; negative if it is due to the target.
    pub due: Money,
    /// Whether it has come.
    #[serde(flatten)]
    pub paid: PaidState,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

/// Why a row is not marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayoutError {
    /// Only the one who gets the money can say that it came.
    #[error("only the client to whom the amount is due may mark it paid")]
    NotDueToCaller,
}

impl Payout {
    /// The other party, as seen by one of the two.
    pub fn partner_of(&self, client: ClientId) -> ClientId {
        if client == self.source_client_id {
            self.target_client_id
        } else {
            self.source_client_id
        }
    }

    /// To whom the money is due.
    pub fn creditor(&self) -> ClientId {
        if self.due.amount < 0 {
            self.target_client_id
        } else {
            self.source_client_id
        }
    }

    /// The row after the money came. `None` if it was marked before: nothing changes.
    ///
    /// # Errors
    /// The caller is not the one to whom it is due.
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

/// One line of a statement: all rows of a partner, month and currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementLine {
    /// The other party.
    pub partner_client_id: ClientId,
    /// Its name in the newest of the rows.
    pub partner_name: Name,
    /// What the caller is in these rows: `source` or `target`.
    pub role: crate::connection::Side,
    /// UTC month of the rows, `YYYY-MM`.
    pub month: String,
    /// Rows summed.
    pub rows: u64,
    /// Sum of the gross amounts.
    pub gross: Money,
    /// Sum of what is due to the source.
    pub due: Money,
    /// The part of `due` that is still open.
    pub open: Money,
}

/// Sums rows as one client sees them, row by row, so that any number of rows needs memory only for the lines.
#[derive(Debug, Default)]
pub struct Statement {
    lines: std::collections::BTreeMap<(String, String, bool, String), StatementLine>,
}

impl Statement {
    /// Adds a row.
    pub fn add(&mut self, client: ClientId, row: &Payout) {
        use crate::connection::Side;
        let is_source = client == row.source_client_id;
        let partner = row.partner_of(client);
        let month = row
            .created_at
            .to_string()
            .chars()
            .take(7)
            .collect::<String>();
        let currency = row.gross.currency;
        let zero = Money {
            amount: 0,
            currency,
        };
        let key = (
            month.clone(),
            partner.to_string(),
            is_source,
            currency.to_string(),
        );
        let line = self.lines.entry(key).or_insert_with(|| StatementLine {
            partner_client_id: partner,
            partner_name: if is_source {
                row.target_name.clone()
            } else {
                row.source_name.clone()
            },
            role: if is_source {
                Side::Source
            } else {
                Side::Target
            },
            month,
            rows: 0,
            gross: zero,
            due: zero,
            open: zero,
        });
        line.rows += 1;
        line.gross.amount += row.gross.amount;
        line.due.amount += row.due.amount;
        if row.paid == PaidState::Open {
            line.open.amount += row.due.amount;
        }
    }

    /// The lines, by month, partner, role and currency.
    pub fn into_lines(self) -> Vec<StatementLine> {
        self.lines.into_values().collect()
    }
}
