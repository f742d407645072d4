//! Changes of a subscription after the sale, and their consequences.

mod cancelling;
mod consequences;
mod order;
mod past_due;
mod paying;
mod reversing;
mod table;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_domain::after_sale::{
    CancelRequest, PaymentRequest, ReverseRequest, Rows, SubscriptionChange, SubscriptionError,
};
use tandem_domain::callback::EventType;
use tandem_domain::metadata::Metadata;
use tandem_domain::money::{BasisPoints, Money};
use tandem_domain::offer::RenewalRules;
use tandem_domain::order::Reversal;
use tandem_domain::paid_period::PaidPeriod;
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
        unpaid: Vec::new(),
        rules: RenewalRules::default(),
        life: Life::Active,
        cross_client: None,
        voucher_hash: None,
        external_system_id: None,
        metadata: Metadata::default(),
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
        cost_center: None,
        offer_metadata: Metadata::default(),
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
    rows.renew(&payment(&json!({})), None, now(), &mut Counter::default())
}

fn cancel(rows: Rows) -> Result<SubscriptionChange, SubscriptionError> {
    let moved = rows.cancel(&cancellation(&json!({})), now())?;
    Ok(moved.expect("another end than before"))
}

/// The last period goes back whole, and the subscription ends.
fn reverse(rows: Rows, kind: Reversal) -> SubscriptionChange {
    let last = rows.seller.periods_paid;
    let request = ReverseRequest {
        kind,
        amount: None,
        ends: true,
    };
    rows.reverse(&request, last, None, now(), &mut Counter::default())
        .expect("a paid period")
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
        reversed_period: None,
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
        reversed_period: None,
    };
    assert!(!has_access(refunded, true));
    let future = Subscription {
        started_at: now() + moment,
        ..own()
    };
    assert!(!future.has_access(now()));
    assert!(!expired().seller.has_access(now()));
}

/// The type, gross amount and period of a payout row.
type Owed = (PayoutType, Money, u32);

/// Half of the eighth period is back.
fn half_back() -> PaidPeriod {
    PaidPeriod {
        client_id: id(12),
        subscription_id: id(70),
        number: 8,
        amount: euro(3_000),
        reversed: euro(1_500),
        version: 3,
    }
}

/// Every change of a subscription, with the expected payout row and callback.
fn every_change(sold: Sold) -> [(SubscriptionChange, Option<Owed>, EventType); 7] {
    let active = || rows(sold, Life::Active, true);
    let back = euro(-3_000);
    let (ids, half) = (&mut Counter::default(), euro(1_500));
    let charge_back = ReverseRequest {
        kind: Reversal::ChargeBack,
        amount: Some(half),
        ends: false,
    };
    let again = payment(&json!({"periodNumber": 8}));
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
        (
            active()
                .reverse(&charge_back, 8, Some(half_back()), now(), ids)
                .expect("allowed"),
            Some((PayoutType::Loss, half.negated(), 8)),
            EventType::SubscriptionPaymentReversed,
        ),
        (
            active()
                .renew(&again, Some(half_back()), now(), &mut Counter::default())
                .expect("allowed"),
            Some((PayoutType::Payment, half, 8)),
            EventType::SubscriptionPaidAgain,
        ),
        (
            rows(sold, cancelled(paid_until()), true)
                .undo_cancellation(now())
                .expect("allowed"),
            None,
            EventType::SubscriptionCancellationUndone,
        ),
    ]
}

#[test]
fn each_callback_describes_its_event() {
    let named = [
        "renewed",
        "cancelled",
        "refunded",
        "charged_back",
        "payment_reversed",
        "paid_again",
        "cancellation_undone",
    ];
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
    let amount = json!({"amount": -1, "currency": "EUX"});
    let wrong =
        json!({"paymentMethod": "x", "periodNumber": 0, "amount": amount, "endSubscription": true});
    let errors = PaymentRequest::parse(&wrong).expect_err("invalid input");
    let expected = [
        ("paymentMethod", "unknown_value"),
        ("periodNumber", "out_of_range"),
        ("amount.amount", "out_of_range"),
        ("amount.currency", "unknown_currency"),
        ("endSubscription", "unknown_field"),
    ];
    assert_eq!(codes(&errors), expected);
    let wrong = json!({"at": "tomorrow", "endsAt": "tomorrow", "reason": ""});
    let errors = CancelRequest::parse(&wrong).expect_err("invalid input");
    let expected = [
        ("at", "invalid_date"),
        ("endsAt", "invalid_date"),
        ("reason", "unknown_field"),
    ];
    assert_eq!(codes(&errors), expected);
    let wrong = json!({"amount": {"amount": 0, "currency": "EUR"}, "endSubscription": 1});
    let errors = ReverseRequest::parse(&wrong).expect_err("invalid input");
    let expected = [
        ("kind", "required"),
        ("amount.amount", "out_of_range"),
        ("endSubscription", "not_a_boolean"),
    ];
    assert_eq!(codes(&errors), expected);
}
