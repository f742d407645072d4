//! The payout list: the amounts that clients owe each other.
//!
//! A positive row (`PAYMENT`) is due to the source, a negative one (`REFUND`, `LOSS`) to the target. The creditor marks it
//! paid, and cannot undo this.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::connection::Side;
use crate::ids::{ClientId, CustomerId, OfferId, OrderId, PayoutId, SubscriptionId};
use crate::money::{BasisPoints, Currency, Money};
use crate::payment_method::PaymentMethod;
use crate::text::Name;
use crate::words::words;

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
    /// The customer's payment; negative if reversed.
    pub gross: Money,
    /// The seller's part of the gross amount.
    pub seller_share_basis_points: BasisPoints,
    /// Due to the source; to the target if negative.
    pub due: Money,
    #[serde(flatten)]
    pub paid: PaidState,
    pub created_at: Timestamp,
    pub version: u64,
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

/// The part of a row that a statement sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PayoutSum {
    pub id: PayoutId,
    #[serde(rename = "type")]
    pub payout_type: PayoutType,
    pub paid_status: PaidStatus,
    pub source_client_id: ClientId,
    pub target_client_id: ClientId,
    pub gross: Money,
    pub due: Money,
}

impl From<&Payout> for PayoutSum {
    fn from(row: &Payout) -> Self {
        Self {
            id: row.id,
            payout_type: row.payout_type,
            paid_status: row.paid.status(),
            source_client_id: row.source_client_id,
            target_client_id: row.target_client_id,
            gross: row.gross,
            due: row.due,
        }
    }
}

impl PayoutSum {
    /// The other party.
    pub fn partner_of(&self, client: ClientId) -> ClientId {
        if client == self.source_client_id {
            self.target_client_id
        } else {
            self.source_client_id
        }
    }
}

/// One line of a statement: all rows of one partner, role, month and currency. The sums may exceed 2^53 - 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementLine {
    pub partner_client_id: ClientId,
    /// The partner's name in the newest row.
    pub partner_name: Name,
    /// The caller's side.
    pub role: Side,
    /// In UTC, `YYYY-MM`.
    pub month: String,
    /// The number of rows.
    pub rows: u64,
    pub gross: Money,
    /// Due to the source.
    pub due: Money,
    /// The unpaid part of `due`.
    pub open: Money,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// A sum exceeds an `i64`: more than a thousand rows of the largest amount.
    #[error("a sum of the statement is too large; limit the time by from and before")]
    TooLarge,
    /// The row that has the partner's name was not read.
    #[error("a row of the statement is missing; send the request again")]
    RowMissing,
}

/// Sums rows from one client's view, row by row: memory grows with the lines, not with the rows.
#[derive(Debug, Default)]
pub struct Statement {
    lines: std::collections::BTreeMap<(String, String, bool, String), LineSums>,
}

/// A line that is being summed. 2^64 amounts of an `i64` fit an `i128`.
#[derive(Debug)]
struct LineSums {
    newest: PayoutId,
    partner_client_id: ClientId,
    role: Side,
    month: String,
    currency: Currency,
    rows: u64,
    gross: i128,
    due: i128,
    open: i128,
}

impl LineSums {
    fn finish(self, rows: &[Payout]) -> Result<StatementLine, StatementError> {
        let newest = rows.iter().find(|row| row.id == self.newest);
        let newest = newest.ok_or(StatementError::RowMissing)?;
        let partner_name = match self.role {
            Side::Source => newest.target_name.clone(),
            Side::Target => newest.source_name.clone(),
        };
        let money = |sum: i128| {
            Ok(Money {
                amount: i64::try_from(sum).map_err(|_| StatementError::TooLarge)?,
                currency: self.currency,
            })
        };
        Ok(StatementLine {
            gross: money(self.gross)?,
            due: money(self.due)?,
            open: money(self.open)?,
            partner_client_id: self.partner_client_id,
            partner_name,
            role: self.role,
            month: self.month,
            rows: self.rows,
        })
    }
}

impl Statement {
    pub fn add(&mut self, client: ClientId, row: &PayoutSum) {
        let is_source = client == row.source_client_id;
        let partner = row.partner_of(client);
        let month = month_of(row.id);
        let currency = row.gross.currency;
        let key = (
            month.clone(),
            partner.to_string(),
            is_source,
            currency.to_string(),
        );
        let line = self.lines.entry(key).or_insert_with(|| LineSums {
            newest: row.id,
            partner_client_id: partner,
            role: if is_source {
                Side::Source
            } else {
                Side::Target
            },
            month,
            currency,
            rows: 0,
            gross: 0,
            due: 0,
            open: 0,
        });
        line.newest = line.newest.max(row.id);
        line.rows += 1;
        line.gross += i128::from(row.gross.amount);
        line.due += i128::from(row.due.amount);
        if row.paid_status == PaidStatus::Open {
            line.open += i128::from(row.due.amount);
        }
    }

    /// The newest row of each line, which has the partner's name.
    pub fn newest(&self) -> Vec<PayoutId> {
        self.lines.values().map(|line| line.newest).collect()
    }

    /// By month, partner, role and currency. `rows` are those of [`Self::newest`].
    pub fn into_lines(self, rows: &[Payout]) -> Result<Vec<StatementLine>, StatementError> {
        let lines = self.lines.into_values();
        lines.map(|line| line.finish(rows)).collect()
    }
}

/// In UTC, `YYYY-MM`.
fn month_of(id: PayoutId) -> String {
    id.time().to_string().chars().take(7).collect()
}
