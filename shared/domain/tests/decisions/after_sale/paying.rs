//! Payments of further periods.

use serde_json::json;
use tandem_domain::after_sale::{Rows, SubscriptionChange, SubscriptionError};
use tandem_domain::payment_method::PaymentMethod;
use tandem_domain::subscription::{Life, Subscription};

use super::{Sold, payment, renew, rows};
use crate::fixtures::{Counter, at, now};

#[test]
fn a_payment_adds_a_period_counted_from_the_start() {
    let moved = renew(rows(Sold::Own, Life::Active, true)).expect("allowed");
    let expected = Subscription {
        periods_paid: 9,
        paid_until: at("2026-10-31T10:00:00Z"),
        updated_at: now(),
        ..rows(Sold::Own, Life::Active, true).seller
    };
    assert_eq!(
        moved,
        SubscriptionChange {
            rows: Rows {
                seller: expected,
                source: None
            },
            payout: None,
            announcement: None
        }
    );
}

#[test]
fn a_payment_may_change_the_payment_method() {
    let asked = payment(&json!({"paymentMethod": "PAYPAL"}));
    let moved = rows(Sold::WithinOneCompany, Life::Active, true).renew(
        &asked,
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
        rows(Sold::Own, Life::Active, true).renew(&asked, now(), &mut Counter::default())
    };
    assert_eq!(renewed(9).expect("allowed").rows.seller.periods_paid, 9);
    for number in [2, 8, 10] {
        assert_eq!(
            renewed(number),
            Err(SubscriptionError::OtherPeriod { next: 9 })
        );
    }
}
