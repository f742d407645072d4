//! Access while a period is unpaid, because its payment went back.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tandem_domain::after_sale::{ReverseRequest, Rows};
use tandem_domain::offer::RenewalRules;
use tandem_domain::order::Reversal;
use tandem_domain::subscription::{Life, Role, Status, Subscription};

use super::{Sold, payment, rows};
use crate::fixtures::{Counter, at, now};

const CHARGE_BACK: ReverseRequest = ReverseRequest {
    kind: Reversal::ChargeBack,
    amount: None,
    ends: false,
};

/// Period 6 covers [`now`], periods 7 and 8 are paid ahead.
fn with_grace(days: u16) -> Rows {
    let mut rows = rows(Sold::BetweenTwoCompanies, Life::Active, true);
    let rules = RenewalRules {
        grace_days: days,
        renewal_amount_tolerance_percent: None,
    };
    rows.seller.rules = rules;
    rows.source.as_mut().expect("a source").rules = rules;
    rows
}

fn charged_back(rows: Rows, number: u32, now: Timestamp) -> Rows {
    rows.reverse(&CHARGE_BACK, number, None, now, &mut Counter::default())
        .expect("allowed")
        .rows
}

fn seen(row: &Subscription, now: Timestamp) -> (Status, bool) {
    (row.status(now), row.has_access(now))
}

#[test]
fn an_unpaid_current_period_gives_access_for_the_days_of_grace() {
    for (days, end) in [(0, now()), (3, at("2026-07-04T12:00:00Z"))] {
        let rows = charged_back(with_grace(days), 6, now());
        let moment = SignedDuration::from_millis(1);
        for row in [&rows.seller, rows.source.as_ref().expect("a source")] {
            assert_eq!(row.past_due_since(now()), Some(now()));
            assert_eq!(row.lapses_at(now()), Some(end));
            assert_eq!(seen(row, end), (Status::PastDue, false), "{days}");
            let before = end - moment;
            assert!(row.has_access(before) || before < now());
        }
    }
}

#[test]
fn a_later_period_is_past_due_when_it_begins() {
    let rows = charged_back(with_grace(0), 8, now());
    let begins = rows.seller.start_of(8);
    let moment = SignedDuration::from_millis(1);
    assert_eq!(seen(&rows.seller, now()), (Status::Active, true));
    assert_eq!(seen(&rows.seller, begins - moment), (Status::Active, true));
    assert_eq!(seen(&rows.seller, begins), (Status::PastDue, false));
    assert_eq!(rows.seller.lapses_at(now()), Some(begins));
    // No later period was paid, so it stays the current one.
    let over = rows.seller.end_of(8) + SignedDuration::from_hours(900);
    assert_eq!(seen(&rows.seller, over), (Status::PastDue, false));
}

#[test]
fn a_period_that_is_over_takes_no_access() {
    let rows = charged_back(with_grace(0), 5, now());
    assert_eq!(seen(&rows.seller, now()), (Status::Active, true));
    assert!(rows.seller.unpaid.is_empty());
}

#[test]
fn the_next_period_ends_what_the_last_one_left_unpaid() {
    let late = at("2026-10-02T10:00:00Z");
    let rows = charged_back(with_grace(0), 8, late);
    assert_eq!(seen(&rows.seller, late), (Status::PastDue, false));
    let next = payment(&serde_json::json!({"periodNumber": 9}));
    let renewed = rows.renew(&next, None, late, &mut Counter::default());
    let renewed = renewed.expect("allowed").rows;
    assert_eq!(seen(&renewed.seller, late), (Status::Active, true));
    assert!(renewed.seller.unpaid.is_empty());
}

#[test]
fn pending_and_cancelled_rows_keep_their_status_and_lose_access() {
    let rows = charged_back(with_grace(0), 6, now());
    let pending = Subscription {
        role: Role::Source,
        customer_id: None,
        ..rows.seller.clone()
    };
    assert_eq!(seen(&pending, now()), (Status::Pending, false));
    let cancelled = Subscription {
        life: super::cancelled(at("2026-08-01T00:00:00Z")),
        ..rows.seller
    };
    assert_eq!(seen(&cancelled, now()), (Status::Cancelled, false));
    let over = at("2026-08-01T00:00:00Z");
    assert_eq!(cancelled.past_due_since(over), None, "it has ended");
}

proptest! {
    #[test]
    fn access_returns_with_the_money(
        numbers in prop::collection::btree_set(1_u32..=8, 1..8), days in 0_u16..40, hours in -6_000..3_000_i64,
    ) {
        let (before, mut rows) = (with_grace(days), with_grace(days));
        let then = now() + SignedDuration::from_hours(hours);
        for number in &numbers {
            rows = charged_back(rows, *number, now());
        }
        let unpaid = |number: u32| numbers.contains(&number);
        let current = (1..=8).find(|number| rows.seller.end_of(*number) > then).unwrap_or(8);
        if then >= now() {
            prop_assert_eq!(rows.seller.past_due_since(then).is_some(), unpaid(current));
        }
        prop_assert!(before.seller.has_access(then) || !rows.seller.has_access(then));
        for number in &numbers {
            let again = payment(&serde_json::json!({"periodNumber": number}));
            let stored = tandem_domain::paid_period::PaidPeriod {
                client_id: rows.seller.client_id,
                subscription_id: rows.seller.id,
                number: *number,
                amount: rows.seller.amount(),
                reversed: rows.seller.amount(),
                version: 1,
            };
            rows = rows.renew(&again, Some(stored), now(), &mut Counter::default()).expect("allowed").rows;
        }
        prop_assert_eq!(&rows.seller.unpaid, &before.seller.unpaid);
        prop_assert_eq!(seen(&rows.seller, then), seen(&before.seller, then));
    }
}
