//! Money that goes back, in whole or in part, and comes again.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;
use tandem_domain::after_sale::{MAX_UNPAID, ReverseRequest, Rows, SubscriptionError};
use tandem_domain::money::{BasisPoints, Money};
use tandem_domain::order::Reversal;
use tandem_domain::paid_period::{PaidPeriod, PeriodNumber};
use tandem_domain::payout::{Payout, PayoutType};
use tandem_domain::subscription::Life;

use super::{Sold, payment, rows};
use crate::fixtures::{Counter, euro, now};

/// A subscription and the row of one period, as they are stored.
struct Stored {
    rows: Rows,
    period: Option<PaidPeriod>,
    payouts: Vec<Payout>,
}

impl Stored {
    fn new(amount: i64, share: u16) -> Self {
        let mut rows = rows(Sold::WithinOneCompany, Life::Active, true);
        for row in [Some(&mut rows.seller), rows.source.as_mut()]
            .into_iter()
            .flatten()
        {
            row.unit_price = euro(amount);
            row.quantity = 1;
            let link = row.cross_client.as_mut().expect("a link");
            link.seller_share_basis_points = BasisPoints(share);
        }
        let (period, payouts) = (None, Vec::new());
        Self {
            rows,
            period,
            payouts,
        }
    }

    fn store(&mut self, moved: tandem_domain::after_sale::SubscriptionChange) {
        self.rows = moved.rows;
        self.period = moved.period.map(|period| PaidPeriod {
            version: period.version + 1,
            ..period
        });
        self.payouts.extend(moved.payout);
    }

    fn reverse(&mut self, amount: Option<i64>) -> Result<(), SubscriptionError> {
        let request = ReverseRequest {
            kind: Reversal::ChargeBack,
            amount: amount.map(euro),
            ends: false,
        };
        let (rows, period) = (self.rows.clone(), self.period.clone());
        self.store(rows.reverse(&request, 8, period, now(), &mut Counter::default())?);
        Ok(())
    }

    fn pay_again(&mut self, amount: Option<i64>) -> Result<(), SubscriptionError> {
        let mut body = json!({"periodNumber": 8});
        if let Some(amount) = amount {
            body["amount"] = json!(euro(amount));
        }
        let (rows, period) = (self.rows.clone(), self.period.clone());
        self.store(rows.renew(&payment(&body), period, now(), &mut Counter::default())?);
        Ok(())
    }

    fn sums(&self) -> (i64, i64) {
        let sum = |of: fn(&Payout) -> Money| self.payouts.iter().map(|row| of(row).amount).sum();
        (sum(|row| row.gross), sum(|row| row.due))
    }
}

proptest! {
    #[test]
    fn the_reversals_of_a_payment_add_up_exactly(
        amount in 1..=100_000_i64, share in 0_u16..=10_000, parts in prop::collection::vec(1..=40_000_i64, 0..8),
    ) {
        let mut stored = Stored::new(amount, share);
        let due = euro(amount).after_share(BasisPoints(share)).amount;
        let mut left = amount;
        for part in parts {
            let reversed = stored.reverse(Some(part));
            prop_assert_eq!(reversed.is_ok(), part <= left);
            if reversed.is_ok() {
                left -= part;
            }
            let (gross, back) = stored.sums();
            prop_assert_eq!(gross, left - amount);
            prop_assert!((0..=due).contains(&(due + back)));
        }
        if left > 0 {
            stored.reverse(None).expect("something is left");
        }
        prop_assert_eq!(stored.sums(), (-amount, -due));
        prop_assert_eq!(stored.reverse(None), Err(SubscriptionError::NothingLeft { number: 8 }));
        prop_assert!(stored.payouts.iter().all(|row| row.due.amount <= 0 && row.payout_type == PayoutType::Loss));
    }

    #[test]
    fn money_that_goes_and_comes_keeps_the_rows_exact(
        amount in 1..=10_000_i64, share in 0_u16..=10_000,
        moves in prop::collection::vec((any::<bool>(), prop::option::of(1..=6_000_i64)), 1..24),
    ) {
        let mut stored = Stored::new(amount, share);
        let of = |amount: i64| euro(amount).after_share(BasisPoints(share)).amount;
        // The first payment made a row of its own.
        let (mut paid, mut due) = (amount, of(amount));
        for (back, part) in moves {
            let rows = stored.payouts.len();
            let unpaid = stored.period.as_ref().is_some_and(PaidPeriod::is_unpaid);
            let moved = if back { stored.reverse(part) } else { stored.pay_again(part) };
            prop_assert_eq!(stored.payouts.len(), rows + usize::from(moved.is_ok()));
            if let Some(row) = stored.payouts.get(rows) {
                paid += row.gross.amount;
                due += row.due.amount;
                prop_assert!((row.gross.amount < 0) == back);
                prop_assert!(!unpaid || back || row.due.amount == of(row.gross.amount));
            }
            let of_payment = stored.period.as_ref().map_or(amount, |period| period.amount.amount);
            prop_assert!((0..=of_payment).contains(&paid));
            prop_assert!((0..=of(of_payment)).contains(&due));
            prop_assert_eq!(paid == 0, !stored.rows.seller.unpaid.is_empty());
        }
    }
}

#[test]
fn only_paid_periods_are_reversed() {
    let request = ReverseRequest {
        kind: Reversal::Refund,
        amount: None,
        ends: false,
    };
    let reverse = |number| {
        let rows = rows(Sold::Own, Life::Active, true);
        rows.reverse(&request, number, None, now(), &mut Counter::default())
    };
    for number in [0, 9, u32::MAX] {
        assert_eq!(
            reverse(number),
            Err(SubscriptionError::NoSuchPeriod { number })
        );
    }
    for number in [1, 8] {
        let period = reverse(number).expect("a paid period").period;
        assert!(period.expect("a row").is_unpaid());
    }
}

#[test]
fn the_number_of_a_period_has_one_spelling() {
    for (text, number) in [("1", 1), ("40", 40), ("4294967295", u32::MAX)] {
        assert_eq!(text.parse(), Ok(PeriodNumber(number)));
    }
    for text in ["", "0", "01", "+1", "-1", "1.0", "4294967296", "eins"] {
        assert!(text.parse::<PeriodNumber>().is_err(), "{text}");
    }
}

#[test]
fn a_reversal_notes_at_most_fifty_unpaid_periods() {
    let mut rows = rows(Sold::Own, Life::Active, true);
    rows.seller.periods_paid = 60;
    rows.seller.paid_until = rows.seller.end_of(60);
    let request = |ends| ReverseRequest {
        kind: Reversal::ChargeBack,
        amount: None,
        ends,
    };
    let reverse = |rows: &Rows, number, ends| {
        let ids = &mut Counter::default();
        rows.clone()
            .reverse(&request(ends), number, None, now(), ids)
            .map(|moved| moved.rows)
    };
    let bound = u32::try_from(MAX_UNPAID).expect("small");
    // The first five periods are over.
    for number in 6..6 + bound {
        rows = reverse(&rows, number, false).expect("allowed");
    }
    assert_eq!(rows.seller.unpaid.len(), MAX_UNPAID);
    assert_eq!(
        reverse(&rows, 60, false),
        Err(SubscriptionError::TooManyUnpaid)
    );
    assert!(reverse(&rows, 2, false).is_ok(), "it is over");
    let ended = reverse(&rows, 60, true).expect("allowed").seller;
    assert!(ended.unpaid.is_empty() && ended.life.is_reversed());
}

/// A row of the release before, whose refund had no period of its own.
#[test]
fn a_refund_of_an_earlier_release_left_nothing_of_its_period() {
    let ended = |number: Option<u32>| Life::Refunded {
        ended_at: now(),
        cancelled_at: None,
        reversed_period: number,
    };
    let request = ReverseRequest {
        kind: Reversal::ChargeBack,
        amount: None,
        ends: false,
    };
    let reverse = |life, number| {
        let rows = rows(Sold::WithinOneCompany, life, true);
        rows.reverse(&request, number, None, now(), &mut Counter::default())
    };
    let gone = |number| Err(SubscriptionError::NothingLeft { number });
    assert_eq!(reverse(ended(None), 8), gone(8));
    assert!(reverse(ended(None), 7).is_ok());
    assert_eq!(reverse(ended(Some(7)), 7), gone(7));
    assert!(reverse(ended(Some(7)), 8).is_ok());
}

/// Of a period whose end is after a time.
#[test]
fn a_reversal_that_ends_names_its_period_unless_it_is_the_last() {
    let request = ReverseRequest {
        kind: Reversal::Refund,
        amount: Some(euro(1)),
        ends: true,
    };
    let life = |number| -> (Life, bool) {
        let rows = rows(Sold::WithinOneCompany, Life::Active, true);
        let moved = rows
            .reverse(&request, number, None, now(), &mut Counter::default())
            .expect("allowed");
        (moved.rows.seller.life, moved.period.is_some())
    };
    let refunded = |ended_at: Timestamp, period| Life::Refunded {
        ended_at,
        cancelled_at: None,
        reversed_period: period,
    };
    // A part goes back, so the period has a row.
    assert_eq!(life(8), (refunded(now(), None), true));
    assert_eq!(life(2), (refunded(now(), Some(2)), true));
}
