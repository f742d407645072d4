//! Statements: the sums of payout rows by partner, role, month and currency.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{PaidStatus, Payout, PayoutType};
use crate::connection::Side;
use crate::ids::{ClientId, PayoutId};
use crate::money::{Currency, Money};
use crate::text::Name;
use crate::zone::{Calendar, Month, Zone};

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
    /// Of the caller's time zone, `YYYY-MM`.
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
    calendar: Calendar,
    lines: HashMap<LineKey, LineSums>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct LineKey {
    month: Month,
    partner: ClientId,
    is_source: bool,
    currency: Currency,
}

impl LineKey {
    /// By month, partner, role and currency.
    fn order(&self) -> (Month, ClientId, bool, String) {
        let currency = self.currency.to_string();
        (self.month, self.partner, self.is_source, currency)
    }
}

/// A line that is being summed. 2^64 amounts of an `i64` fit an `i128`.
#[derive(Debug)]
struct LineSums {
    newest: PayoutId,
    rows: u64,
    gross: i128,
    due: i128,
    open: i128,
}

impl LineSums {
    fn finish(self, key: LineKey, rows: &[Payout]) -> Result<StatementLine, StatementError> {
        let newest = rows.iter().find(|row| row.id == self.newest);
        let newest = newest.ok_or(StatementError::RowMissing)?;
        let (role, partner_name) = if key.is_source {
            (Side::Source, newest.target_name.clone())
        } else {
            (Side::Target, newest.source_name.clone())
        };
        let money = |sum: i128| {
            Ok(Money {
                amount: i64::try_from(sum).map_err(|_| StatementError::TooLarge)?,
                currency: key.currency,
            })
        };
        Ok(StatementLine {
            gross: money(self.gross)?,
            due: money(self.due)?,
            open: money(self.open)?,
            partner_client_id: key.partner,
            partner_name,
            role,
            month: key.month.to_string(),
            rows: self.rows,
        })
    }
}

impl Statement {
    /// A statement by months of this zone.
    pub fn in_zone(zone: Zone) -> Self {
        Self {
            calendar: Calendar::new(zone),
            lines: HashMap::new(),
        }
    }

    pub fn zone(&self) -> &Zone {
        self.calendar.zone()
    }

    pub fn add(&mut self, client: ClientId, row: &PayoutSum) {
        let key = LineKey {
            month: self.calendar.month_of(row.id.time()),
            partner: row.partner_of(client),
            is_source: client == row.source_client_id,
            currency: row.gross.currency,
        };
        let line = self.lines.entry(key).or_insert_with(|| LineSums {
            newest: row.id,
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
        let mut lines: Vec<_> = self.lines.into_iter().collect();
        lines.sort_by_cached_key(|(key, _)| key.order());
        let lines = lines.into_iter();
        lines.map(|(key, line)| line.finish(key, rows)).collect()
    }
}
