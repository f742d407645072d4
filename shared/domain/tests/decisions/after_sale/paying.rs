//! Payments of further periods.

use proptest::prelude::*;
use serde_json::json;
use tandem_domain::after_sale::{Rows, SubscriptionChange, SubscriptionError};
use tandem_domain::offer::RenewalRules;
use tandem_domain::paid_period::PaidPeriod;
use tandem_domain::payment_method::PaymentMethod;
use tandem_domain::subscription::{Life, Subscription};

use super::{Sold, half_back, payment, renew, rows};
use crate::fixtures::{Counter, at, euro, money, now};

#[test]
fn a_payment_adds_a_period_counted_from_the_start() {
    let moved = renew(rows(Sold::Own, Life::Active, true)).expect("allowed");
    let expected = Subscription {
        periods_paid: 9,
        paid_until: at("2026-10-31T10:00:00Z"),
        updated_at: now(),
        ..rows(Sold::Own, Life::Active, true).seller
    };
    assert_eq!(moved.events.len(), 1, "for the seller");
    assert_eq!(
        moved,
        SubscriptionChange {
            rows: Rows {
                seller: expected,
                source: None
            },
            period: None,
            payout: None,
            announcement: None,
            events: moved.events.clone(),
        }
    );
}

#[test]
fn a_payment_may_change_the_payment_method() {
    let asked = payment(&json!({"paymentMethod": "PAYPAL"}));
    let moved = rows(Sold::WithinOneCompany, Life::Active, true).renew(
        &asked,
        None,
        now(),
        &mut Counter::default(),
    );
    let moved = moved.expect("allowed");
    assert_eq!(moved.rows.seller.payment_method, PaymentMethod::Paypal);
    assert_eq!(
        moved.rows.source.expect("a row").payment_method,
        PaymentMethod::Paypal
    );
    assert_eq!(
        moved.payout.expect("a row").payment_method,
        PaymentMethod::Paypal
    );
}

#[test]
fn a_payment_with_a_period_number_must_name_the_next_period() {
    let renewed = |number: u32| {
        let asked = payment(&json!({"periodNumber": number}));
        rows(Sold::Own, Life::Active, true).renew(&asked, None, now(), &mut Counter::default())
    };
    assert_eq!(renewed(9).expect("allowed").rows.seller.periods_paid, 9);
    for number in [1, 8, 10] {
        assert_eq!(
            renewed(number),
            Err(SubscriptionError::OtherPeriod { next: 9 })
        );
    }
}

/// A subscription at 30.00 EUR a month with this tolerance.
fn with_tolerance(percent: Option<u16>) -> Rows {
    let mut rows = rows(Sold::BetweenTwoCompanies, Life::Active, true);
    rows.seller.rules = RenewalRules {
        grace_days: 0,
        renewal_amount_tolerance_percent: percent,
    };
    rows
}

fn pay(rows: Rows, amount: i64) -> Result<SubscriptionChange, SubscriptionError> {
    let asked = payment(&json!({"amount": {"amount": amount, "currency": "EUR"}}));
    rows.renew(&asked, None, now(), &mut Counter::default())
}

#[test]
fn a_renewal_may_name_another_amount_than_the_terms() {
    for (amount, differs) in [(3_000, false), (3_100, true), (2_999, true), (0, true)] {
        let moved = pay(with_tolerance(None), amount).expect("any amount");
        let payout = moved.payout.expect("a row");
        assert_eq!(
            (payout.gross, payout.differs_from_terms),
            (euro(amount), differs)
        );
        // The seller keeps a fifth, rounded half up.
        let kept = (amount + 2) / 5;
        assert_eq!(payout.due, euro(amount - kept));
        let stored = moved.period.map(|period| (period.number, period.amount));
        assert_eq!(stored, differs.then_some((9, euro(amount))));
        let data = moved.announcement.expect("a callback").data;
        assert_eq!(data["amount"], json!(euro(amount)));
    }
}

#[test]
fn an_amount_beyond_the_tolerance_is_refused_with_the_range() {
    for amount in [2_700, 3_300] {
        assert!(pay(with_tolerance(Some(10)), amount).is_ok(), "{amount}");
    }
    for amount in [2_699, 3_301] {
        let refused = pay(with_tolerance(Some(10)), amount).expect_err("beyond");
        let expected = "expected an amount from 2700 to 3300 minor units: the offer's renewalAmountTolerancePercent";
        assert_eq!(refused.to_string(), expected);
    }
}

#[test]
fn an_amount_is_in_the_sold_currency() {
    let asked = payment(&json!({"amount": {"amount": 3_000, "currency": "CHF"}}));
    let refused = with_tolerance(None).renew(&asked, None, now(), &mut Counter::default());
    let sold = euro(1_000);
    assert_eq!(refused, Err(SubscriptionError::OtherCurrency { sold }));
    assert_ne!(money(1, "CHF").currency, sold.currency);
}

fn pay_again(amount: Option<i64>, stored: PaidPeriod) -> Result<PaidPeriod, SubscriptionError> {
    let mut asked = json!({"periodNumber": stored.number});
    if let Some(amount) = amount {
        asked["amount"] = json!(euro(amount));
    }
    let rows = with_tolerance(Some(10));
    let moved = rows.renew(
        &payment(&asked),
        Some(stored),
        now(),
        &mut Counter::default(),
    )?;
    Ok(moved.period.expect("a changed row"))
}

#[test]
fn of_a_partly_reversed_period_at_most_that_part_is_paid_again() {
    let after = |amount| pay_again(amount, half_back()).map(|period| period.reversed);
    assert_eq!(after(None), Ok(euro(0)));
    assert_eq!(after(Some(1)), Ok(euro(1_499)));
    assert_eq!(after(Some(1_500)), Ok(euro(0)));
    for amount in [0, 1_501] {
        assert!(matches!(
            after(Some(amount)),
            Err(SubscriptionError::AmountOutOfRange { .. })
        ));
    }
}

#[test]
fn a_wholly_reversed_period_may_be_paid_at_another_amount() {
    let unpaid = PaidPeriod {
        reversed: euro(3_000),
        ..half_back()
    };
    let after = |amount| {
        let period = pay_again(amount, unpaid.clone())?;
        Ok((period.amount, period.reversed))
    };
    assert_eq!(after(None), Ok((euro(3_000), euro(0))));
    assert_eq!(after(Some(3_200)), Ok((euro(3_200), euro(0))));
    assert!(matches!(
        after(Some(3_301)),
        Err(SubscriptionError::AmountOutOfRange { .. })
    ));
}

proptest! {
    #[test]
    fn a_tolerance_bounds_what_the_source_gets(
        percent in 0_u16..=100, amount in 0..10_000_i64,
    ) {
        let accepted = pay(with_tolerance(Some(percent)), amount);
        let within = (amount - 3_000).abs() * 100 <= 3_000 * i64::from(percent);
        prop_assert_eq!(accepted.is_ok(), within);
    }
}
