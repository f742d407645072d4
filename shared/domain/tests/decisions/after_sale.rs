//! Changes of a subscription after the sale, and their consequences.

mod cancelling;
mod consequences;
mod paying;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_domain::after_sale::{
    CancelRequest, PaymentRequest, Rows, SubscriptionChange, SubscriptionError,
};
use tandem_domain::callback::EventType;
use tandem_domain::money::{BasisPoints, Money};
use tandem_domain::order::Reversal;
use tandem_domain::payment_method::PaymentMethod;
use tandem_domain::payout::PayoutType;
use tandem_domain::subscription::{CrossClientLink, Life, Role, Subscription};
use tandem_domain::voucher::VoucherHash;
use tandem_domain::zone::Zone;

use crate::fixtures::{Counter, at, codes, euro, id, monthly, name, now};

fn started() -> Timestamp {
    at("2026-01-31T10:00:00Z")
}

/// The end of the eighth period, the last paid one: on a 30th, because September has no 31st.
fn paid_until() -> Timestamp {
    at("2026-09-30T10:00:00Z")
}

/// An own subscription of quantity 3 at 10.00 EUR a month, paid for eight months.
pub(crate) fn own() -> Subscription {
    Subscription {
        id: id(70),
        client_id: id(12),
        role: Role::Own,
        customer_id: Some(id(40)),
        order_id: id(50),
        position: 2,
        offer_id: id(61),
        offer_name: name("Digitalabo"),
        quantity: 3,
        unit_price: euro(1_000),
        payment_method: PaymentMethod::CreditCard,
        period: monthly(),
        renews: true,
        time_zone: Zone::default(),
        started_at: started(),
        periods_paid: 8,
        paid_until: paid_until(),
        life: Life::Active,
        cross_client: None,
        voucher_hash: None,
        external: None,
        created_at: started(),
        updated_at: started(),
        version: 6,
    }
}

fn link(between_companies: bool) -> CrossClientLink {
    CrossClientLink {
        source_client_id: id(11),
        source_name: name("Tagblatt 11"),
        target_client_id: id(12),
        target_name: name("Tagblatt 12"),
        connection_id: id(20),
        seller_share_basis_points: BasisPoints(2_000),
        between_companies,
    }
}

/// The source's row, redeemed.
pub(crate) fn sold_to_another_company() -> Subscription {
    let rows = rows(Sold::BetweenTwoCompanies, Life::Active, true);
    rows.source.expect("a source")
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Sold {
    Own,
    WithinOneCompany,
    BetweenTwoCompanies,
}

const WAYS: [Sold; 3] = [Sold::Own, Sold::WithinOneCompany, Sold::BetweenTwoCompanies];

/// Both rows of a subscription with this life; the source's has another customer, as after a redemption.
fn rows(sold: Sold, life: Life, renews: bool) -> Rows {
    let own = Subscription {
        life,
        renews,
        ..own()
    };
    if sold == Sold::Own {
        return Rows {
            seller: own,
            source: None,
        };
    }
    let between_companies = sold == Sold::BetweenTwoCompanies;
    let seller = Subscription {
        role: Role::Seller,
        cross_client: Some(link(between_companies)),
        ..own
    };
    let source = Subscription {
        client_id: id(11),
        role: Role::Source,
        customer_id: Some(id(41)),
        voucher_hash: between_companies.then(|| VoucherHash("hash".to_owned())),
        version: 9,
        ..seller.clone()
    };
    Rows {
        seller,
        source: Some(source),
    }
}

fn cancelled(ends_at: Timestamp) -> Life {
    Life::Cancelled {
        cancelled_at: started(),
        ends_at,
    }
}

fn payment(value: &Value) -> PaymentRequest {
    PaymentRequest::parse(value).expect("a payment")
}

fn cancellation(value: &Value) -> CancelRequest {
    CancelRequest::parse(value).expect("a cancellation")
}

fn renew(rows: Rows) -> Result<SubscriptionChange, SubscriptionError> {
    rows.renew(&payment(&json!({})), now(), &mut Counter::default())
}

fn cancel(rows: Rows) -> Result<SubscriptionChange, SubscriptionError> {
    rows.cancel(&cancellation(&json!({})), now())
}

fn reverse(rows: Rows, reversal: Reversal) -> SubscriptionChange {
    rows.reverse(reversal, now(), &mut Counter::default())
}

type Outcome = Result<Life, SubscriptionError>;

/// The life, whether it renews, and the life after a payment and after a cancellation.
#[rustfmt::skip]
fn table() -> [(Life, bool, Outcome, Outcome); 12] {
    let refunded = Life::Refunded { ended_at: started(), cancelled_at: None };
    let charged_back = Life::ChargedBack { ended_at: started(), cancelled_at: None };
    let at_its_end = cancelled(paid_until());
    let later = cancelled(paid_until() + SignedDuration::from_millis(1));
    let earlier = cancelled(paid_until() - SignedDuration::from_millis(1));
    let now_cancelled = Life::Cancelled { cancelled_at: now(), ends_at: paid_until() };
    let does_not_renew = Err(SubscriptionError::DoesNotRenew);
    let ended = |status| Err(SubscriptionError::Ended { status });
    [
        // life, renews          payment                 cancellation
        (Life::Active, true,     Ok(Life::Active),       Ok(now_cancelled)),
        (later, true,            Ok(later),              ended("cancelled")),
        (at_its_end, true,       ended("cancelled"),     ended("cancelled")),
        (earlier, true,          ended("cancelled"),     ended("cancelled")),
        (refunded, true,         ended("refunded"),      ended("refunded")),
        (charged_back, true,     ended("chargedBack"),   ended("chargedBack")),
        (Life::Active, false,    does_not_renew,         Ok(now_cancelled)),
        (later, false,           does_not_renew,         ended("cancelled")),
        (at_its_end, false,      does_not_renew,         ended("cancelled")),
        (earlier, false,         does_not_renew,         ended("cancelled")),
        (refunded, false,        does_not_renew,         ended("refunded")),
        (charged_back, false,    does_not_renew,         ended("chargedBack")),
    ]
}

#[test]
fn payment_and_cancellation_follow_the_table_in_every_life() {
    for sold in WAYS {
        for (life, renews, paid, ended) in table() {
            let after = |moved: Result<SubscriptionChange, SubscriptionError>| {
                moved.map(|moved| moved.rows.seller.life)
            };
            assert_eq!(
                after(renew(rows(sold, life, renews))),
                paid,
                "{sold:?} {life:?} {renews}"
            );
            assert_eq!(
                after(cancel(rows(sold, life, renews))),
                ended,
                "{sold:?} {life:?} {renews}"
            );
        }
    }
}

#[test]
fn a_reversal_ends_every_life() {
    for sold in WAYS {
        for (life, renews, ..) in table() {
            let after = |reversal| reverse(rows(sold, life, renews), reversal).rows.seller.life;
            // Access that has ended keeps its end.
            let ended_at = life.ends_at().map_or(now(), |end| end.min(now()));
            let cancelled_at = life.cancelled_at();
            assert_eq!(
                after(Reversal::Refund),
                Life::Refunded {
                    ended_at,
                    cancelled_at
                }
            );
            assert_eq!(
                after(Reversal::ChargeBack),
                Life::ChargedBack {
                    ended_at,
                    cancelled_at
                }
            );
        }
    }
}

#[test]
fn a_late_charge_back_keeps_the_end_and_the_cancellation() {
    let ended_at = now() - SignedDuration::from_hours(24 * 30);
    let cancelled = cancelled(ended_at);
    let moved = reverse(
        rows(Sold::BetweenTwoCompanies, cancelled, true),
        Reversal::ChargeBack,
    );
    let expected = Life::ChargedBack {
        ended_at,
        cancelled_at: Some(started()),
    };
    assert_eq!(moved.rows.seller.life, expected);
    assert_eq!(moved.rows.source.expect("a row").life, expected);
    let data = moved.announcement.expect("a callback").data;
    assert_eq!(data["endedAt"], json!(ended_at));
}

/// A non-renewing subscription whose only period has ended.
fn expired() -> Rows {
    let mut rows = rows(Sold::WithinOneCompany, Life::Active, false);
    rows.seller.paid_until = now() - SignedDuration::from_hours(1);
    rows
}

#[test]
fn an_expired_subscription_gets_no_later_end() {
    assert_eq!(cancel(expired()), Err(SubscriptionError::Expired));
    let paid_until = expired().seller.paid_until;
    for reversal in [Reversal::Refund, Reversal::ChargeBack] {
        let life = reverse(expired(), reversal).rows.seller.life;
        assert_eq!(life.ends_at(), Some(paid_until));
    }
}

proptest! {
    #[test]
    fn no_reversal_extends_access(
        hours in -2_000..2_000_i64, renews: bool, is_cancelled: bool, is_refund: bool, later in 0..2_000_i64,
    ) {
        let end = now() + SignedDuration::from_hours(hours);
        let life = if is_cancelled { cancelled(end) } else { Life::Active };
        let mut before = rows(Sold::WithinOneCompany, life, renews);
        before.seller.paid_until = end;
        let reversal = if is_refund { Reversal::Refund } else { Reversal::ChargeBack };
        let after = reverse(before.clone(), reversal).rows.seller;
        prop_assert!(!after.has_access(now()));
        let then = now() - SignedDuration::from_hours(later);
        prop_assert!(before.seller.has_access(then) || !after.has_access(then));
        prop_assert_eq!(after.life.cancelled_at(), before.seller.life.cancelled_at());
    }
}

#[test]
fn access_lasts_from_the_start_until_the_end() {
    let has_access = |life, renews| {
        Subscription {
            life,
            renews,
            ..own()
        }
        .has_access(now())
    };
    let moment = SignedDuration::from_millis(1);
    assert!(has_access(Life::Active, true));
    assert!(has_access(Life::Active, false), "until paidUntil");
    assert!(has_access(cancelled(now() + moment), true));
    assert!(!has_access(cancelled(now()), true));
    let refunded = Life::Refunded {
        ended_at: now(),
        cancelled_at: None,
    };
    assert!(!has_access(refunded, true));
    let future = Subscription {
        started_at: now() + moment,
        ..own()
    };
    assert!(!future.has_access(now()));
    assert!(!expired().seller.has_access(now()));
}

#[test]
fn the_source_cannot_change_a_subscription() {
    let seller = Subscription {
        role: Role::Source,
        ..own()
    };
    let rows = Rows {
        seller,
        source: None,
    };
    assert_eq!(renew(rows.clone()), Err(SubscriptionError::ReadOnly));
    assert_eq!(cancel(rows), Err(SubscriptionError::ReadOnly));
}

/// The type, gross amount and period of a payout row.
type Owed = (PayoutType, Money, u32);

/// Every change of an active subscription, with the expected payout row and callback.
fn every_change(sold: Sold) -> [(SubscriptionChange, Option<Owed>, EventType); 4] {
    let active = || rows(sold, Life::Active, true);
    let back = euro(-3_000);
    [
        (
            renew(active()).expect("allowed"),
            Some((PayoutType::Payment, euro(3_000), 9)),
            EventType::SubscriptionRenewed,
        ),
        (
            cancel(active()).expect("allowed"),
            None,
            EventType::SubscriptionCancelled,
        ),
        (
            reverse(active(), Reversal::Refund),
            Some((PayoutType::Refund, back, 8)),
            EventType::SubscriptionRefunded,
        ),
        (
            reverse(active(), Reversal::ChargeBack),
            Some((PayoutType::Loss, back, 8)),
            EventType::SubscriptionRefunded,
        ),
    ]
}

#[test]
fn each_callback_describes_its_event() {
    let named = ["renewed", "cancelled", "refunded", "charged_back"];
    for (name, (moved, ..)) in named
        .into_iter()
        .zip(every_change(Sold::BetweenTwoCompanies))
    {
        let body = moved.announcement.expect("a callback").body(now());
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        insta::assert_json_snapshot!(format!("callback_{name}"), body);
    }
}

#[test]
fn invalid_requests_report_each_wrong_member() {
    let errors =
        PaymentRequest::parse(&json!({"paymentMethod": "x", "periodNumber": 1, "amount": 1}))
            .expect_err("invalid input");
    let expected = [
        ("paymentMethod", "unknown_value"),
        ("periodNumber", "out_of_range"),
        ("amount", "unknown_field"),
    ];
    assert_eq!(codes(&errors), expected);
    let errors = CancelRequest::parse(&json!({"endsAt": "tomorrow", "reason": ""}))
        .expect_err("invalid input");
    assert_eq!(
        codes(&errors),
        [("endsAt", "invalid_date"), ("reason", "unknown_field")]
    );
}
