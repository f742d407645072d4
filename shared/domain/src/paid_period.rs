//! A paid period of which money went back, or whose amount differs from the terms. A plain paid period has no row.
//!
//! Money goes back in parts and may come again: `reversed` is the part that is away now. The source's part is always computed of
//! that sum, and a payout row has the difference to the sum before. So the rows of a period add up exactly, whatever the
//! rounding: to nothing once all of it went back, and never to less than nothing or more than the due of its payment.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, SubscriptionId};
use crate::money::{BasisPoints, Money};

/// The number of a period in a path: digits without a leading zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeriodNumber(pub u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the number of a period, counted from 1")]
pub struct NoPeriodNumber;

impl FromStr for PeriodNumber {
    type Err = NoPeriodNumber;

    fn from_str(text: &str) -> Result<Self, NoPeriodNumber> {
        let is_number = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        let number = text.parse().map_err(|_| NoPeriodNumber)?;
        is_number.then_some(Self(number)).ok_or(NoPeriodNumber)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaidPeriod {
    /// The seller.
    pub client_id: ClientId,
    pub subscription_id: SubscriptionId,
    /// Counted from 1.
    pub number: u32,
    /// The customer's last payment of the period.
    pub amount: Money,
    /// The part of it that went back.
    pub reversed: Money,
    /// 0 if the period has no row yet.
    pub version: u64,
}

/// The gross amount of a payout row and the source's part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    pub gross: Money,
    pub due: Money,
}

impl PaidPeriod {
    /// The part of the payment that the seller has.
    pub fn left(&self) -> Money {
        self.amount.plus(self.reversed.negated())
    }

    /// Whether money went back and nothing is left.
    pub fn is_unpaid(&self) -> bool {
        self.reversed.amount > 0 && self.left().amount == 0
    }

    /// Takes money back; at most what is left.
    pub fn reverse(&mut self, back: Money, share: BasisPoints) -> Moved {
        self.reverse_to(self.reversed.plus(back), share)
    }

    /// Brings money again; at most what went back.
    pub fn restore(&mut self, again: Money, share: BasisPoints) -> Moved {
        self.reverse_to(self.reversed.plus(again.negated()), share)
    }

    /// Replaces a payment of which nothing is left.
    pub fn replace(&mut self, amount: Money, share: BasisPoints) -> Moved {
        self.amount = amount;
        self.reversed = Money {
            amount: 0,
            ..amount
        };
        Moved {
            gross: amount,
            due: amount.after_share(share),
        }
    }

    fn reverse_to(&mut self, reversed: Money, share: BasisPoints) -> Moved {
        let before = self.reversed;
        self.reversed = reversed;
        let back = |of: Money| of.after_share(share).negated();
        Moved {
            gross: before.plus(reversed.negated()),
            due: back(reversed).plus(back(before).negated()),
        }
    }
}
