//! The full table: every state of a subscription and every event, with the status that follows or the refusal.

use jiff::SignedDuration;
use serde_json::json;
use tandem_domain::after_sale::{ReverseRequest, Rows, SubscriptionChange, SubscriptionError};
use tandem_domain::callback::EventType;
use tandem_domain::external::External;
use tandem_domain::order::Reversal;
use tandem_domain::paid_period::PaidPeriod;
use tandem_domain::subscription::{Life, Role, Status, Subscription, UnpaidPeriod};

use super::{Sold, cancellation, cancelled, half_back, payment, rows, started};
use crate::fixtures::{Counter, at, euro, now};

/// The period that covers [`now`], which is the last paid one.
const LAST: u32 = 6;

/// Of a state, the rows and the row of the last paid period.
type State = (Rows, Option<PaidPeriod>);

fn state(life: Life, renews: bool) -> State {
    let mut rows = rows(Sold::BetweenTwoCompanies, life, renews);
    let end = rows.seller.end_of(LAST);
    for row in [Some(&mut rows.seller), rows.source.as_mut()] {
        let row = row.expect("a row");
        (row.periods_paid, row.paid_until) = (LAST, end);
    }
    (rows, None)
}

fn with_reversed(cents: i64) -> State {
    let (mut rows, _) = state(Life::Active, true);
    let period = PaidPeriod {
        number: LAST,
        reversed: euro(cents),
        ..half_back()
    };
    if period.is_unpaid() {
        for row in [Some(&mut rows.seller), rows.source.as_mut()] {
            row.expect("a row").unpaid = vec![UnpaidPeriod {
                number: LAST,
                reversed_at: started(),
            }];
        }
    }
    (rows, Some(period))
}

fn expired() -> State {
    let (mut rows, period) = state(Life::Active, false);
    for row in [Some(&mut rows.seller), rows.source.as_mut()] {
        let row = row.expect("a row");
        row.paid_until = now() - SignedDuration::from_hours(1);
    }
    (rows, period)
}

fn imported() -> State {
    let external = json!({"externalSystemId": "A-1", "orderedAt": null});
    let external: External = serde_json::from_value(external).expect("external");
    let seller = Subscription {
        external: Some(external),
        ..super::own()
    };
    let source = None;
    (Rows { seller, source }, None)
}

fn seen_by_source() -> State {
    let (rows, period) = state(Life::Active, true);
    let seller = rows.source.expect("a source");
    assert_eq!(seller.role, Role::Source);
    let source = None;
    (Rows { seller, source }, period)
}

fn reversed(kind: Reversal) -> State {
    let (rows, _) = state(Life::Active, true);
    let request = ReverseRequest {
        kind,
        amount: None,
        ends: true,
    };
    let moved = rows.reverse(&request, LAST, None, now(), &mut Counter::default());
    let moved = moved.expect("allowed");
    (moved.rows, moved.period)
}

fn refusal(error: SubscriptionError) -> &'static str {
    match error {
        SubscriptionError::ReadOnly => "read only",
        SubscriptionError::ExternallyManaged => "external",
        SubscriptionError::DoesNotRenew => "not renewing",
        SubscriptionError::Ended { .. } => "ended",
        SubscriptionError::Expired => "expired",
        SubscriptionError::OtherPeriod { .. } => "other period",
        SubscriptionError::PastDue { .. } => "name the period",
        SubscriptionError::NoSuchPeriod { .. } => "no such period",
        SubscriptionError::NothingLeft { .. } => "nothing left",
        SubscriptionError::AmountOutOfRange { .. } => "out of range",
        SubscriptionError::OtherCurrency { .. } => "other currency",
        SubscriptionError::TooManyUnpaid => "too many",
        SubscriptionError::EndsInThePast { .. } => "in the past",
        SubscriptionError::NotCancelled => "not cancelled",
    }
}

fn pay(
    (rows, period): State,
    number: Option<u32>,
) -> Result<SubscriptionChange, SubscriptionError> {
    let body = number.map_or(json!({}), |number| json!({"periodNumber": number}));
    rows.renew(&payment(&body), period, now(), &mut Counter::default())
}

fn reverse(
    (rows, period): State,
    amount: Option<i64>,
    ends: bool,
) -> Result<SubscriptionChange, SubscriptionError> {
    let request = ReverseRequest {
        kind: Reversal::Refund,
        amount: amount.map(euro),
        ends,
    };
    rows.reverse(&request, LAST, period, now(), &mut Counter::default())
}

fn cancel((rows, _): State, at: &str) -> Result<SubscriptionChange, SubscriptionError> {
    let moved = rows.cancel(&cancellation(&json!({"at": at})), now())?;
    Ok(moved.expect("another end"))
}

type Event = fn(State) -> Result<SubscriptionChange, SubscriptionError>;

const EVENTS: [Event; 8] = [
    |state| pay(state, None),
    |state| pay(state, Some(LAST + 1)),
    |state| pay(state, Some(LAST)),
    |state| reverse(state, None, false),
    |state| reverse(state, Some(1), true),
    |state| cancel(state, "now"),
    |state| cancel(state, "2027-03-01T00:00:00Z"),
    |(rows, _)| rows.undo_cancellation(now()),
];

/// The word of the event and the status after it, or the refusal.
type Outcome = Result<(EventType, Status), &'static str>;

/// Of each state, the outcome of: a payment; one of the next period; one of the last period; the reversal of that period; the
/// reversal of a part, that ends; a cancellation now; one at a later date; its undoing.
#[rustfmt::skip]
fn table() -> Vec<(&'static str, State, [Outcome; 8])> {
    use EventType::{
        SubscriptionCancellationUndone as Undone, SubscriptionCancelled as Ends, SubscriptionPaidAgain as Again,
        SubscriptionPaymentReversed as Back, SubscriptionRefunded as Refund, SubscriptionRenewed as Paid,
    };
    use Status::{Active, Cancelled, ChargedBack, PastDue, Refunded};
    let later = cancelled(at("2026-12-24T00:00:00Z"));
    let (at_end, over) = (cancelled(at("2026-07-31T10:00:00Z")), cancelled(now()));
    let not = |why: &'static str| -> Outcome { Err(why) };
    let all = |why: &'static str| -> [Outcome; 8] { std::array::from_fn(|_| Err(why)) };
    vec![
        ("active", state(Life::Active, true), [
            Ok((Paid, Active)), Ok((Paid, Active)), not("other period"), Ok((Back, PastDue)),
            Ok((Refund, Refunded)), Ok((Ends, Cancelled)), Ok((Ends, Cancelled)), not("not cancelled"),
        ]),
        ("without renewal", state(Life::Active, false), [
            not("not renewing"), not("not renewing"), not("not renewing"), Ok((Back, PastDue)),
            Ok((Refund, Refunded)), Ok((Ends, Cancelled)), Ok((Ends, Cancelled)), not("not cancelled"),
        ]),
        ("expired", expired(), [
            not("not renewing"), not("not renewing"), not("not renewing"), Ok((Back, Active)),
            Ok((Refund, Refunded)), not("expired"), not("expired"), not("not cancelled"),
        ]),
        ("half is back", with_reversed(1_500), [
            Ok((Paid, Active)), Ok((Paid, Active)), Ok((Again, Active)), Ok((Back, PastDue)),
            Ok((Refund, Refunded)), Ok((Ends, Cancelled)), Ok((Ends, Cancelled)), not("not cancelled"),
        ]),
        // A payment of the next period does not pay the current one.
        ("past due", with_reversed(3_000), [
            not("name the period"), Ok((Paid, PastDue)), Ok((Again, Active)), not("nothing left"),
            not("nothing left"), Ok((Ends, Cancelled)), Ok((Ends, Cancelled)), not("not cancelled"),
        ]),
        ("cancelled later", state(later, true), [
            Ok((Paid, Cancelled)), Ok((Paid, Cancelled)), not("other period"), Ok((Back, Cancelled)),
            Ok((Refund, Refunded)), Ok((Ends, Cancelled)), Ok((Ends, Cancelled)), Ok((Undone, Active)),
        ]),
        ("cancelled at its end", state(at_end, true), [
            not("ended"), not("ended"), not("ended"), Ok((Back, Cancelled)),
            Ok((Refund, Refunded)), Ok((Ends, Cancelled)), Ok((Ends, Cancelled)), Ok((Undone, Active)),
        ]),
        ("cancelled and over", state(over, true), [
            not("ended"), not("ended"), not("ended"), Ok((Back, Cancelled)),
            Ok((Refund, Refunded)), not("ended"), not("ended"), not("ended"),
        ]),
        // Money that comes again does not revive a subscription.
        ("refunded", reversed(Reversal::Refund), [
            not("ended"), not("ended"), Ok((Again, Refunded)), not("nothing left"),
            not("nothing left"), not("ended"), not("ended"), not("ended"),
        ]),
        ("charged back", reversed(Reversal::ChargeBack), [
            not("ended"), not("ended"), Ok((Again, ChargedBack)), not("nothing left"),
            not("nothing left"), not("ended"), not("ended"), not("ended"),
        ]),
        ("imported", imported(), all("external")),
        ("the source's", seen_by_source(), all("read only")),
    ]
}

fn outcome(event: Event, state: State) -> Outcome {
    let moved = event(state).map_err(refusal)?;
    let announcement = moved.announcement.expect("a callback");
    let (seller, source) = (moved.rows.seller, moved.rows.source.expect("a source"));
    assert_eq!(source.life, seller.life);
    if source.is_linked() {
        assert_eq!(source.status(now()), seller.status(now()));
        assert_eq!(source.has_access(now()), seller.has_access(now()));
    }
    Ok((announcement.event, seller.status(now())))
}

#[test]
fn every_event_follows_the_table_in_every_state() {
    for (name, state, expected) in table() {
        for (number, (event, expected)) in EVENTS.into_iter().zip(expected).enumerate() {
            let found = outcome(event, state.clone());
            assert_eq!(found, expected, "event {number} of a state: {name}");
        }
    }
}

/// The same table for an unredeemed voucher: the seller's row follows it, and the source's stays pending until it ends.
#[test]
fn an_unredeemed_row_follows_and_its_voucher_is_void_at_the_end() {
    for (name, (mut rows, period), expected) in table() {
        let Some(source) = rows.source.as_mut() else {
            continue;
        };
        source.customer_id = None;
        if source.life.is_reversed() {
            source.voucher_hash = None;
        }
        for (event, expected) in EVENTS.into_iter().zip(expected) {
            let found = outcome(event, (rows.clone(), period.clone()));
            assert_eq!(found, expected, "{name}");
            if let Ok(moved) = event((rows.clone(), period.clone())) {
                let source = moved.rows.source.expect("a source");
                let is_void = source.voucher_hash.is_none();
                assert_eq!(is_void, source.life.is_reversed(), "{name}");
                let status = source.status(now());
                assert_eq!(status == Status::Pending, source.life == Life::Active);
            }
        }
    }
}

/// An own subscription has the same table, without a source.
#[test]
fn an_own_subscription_has_the_same_table() {
    for (name, (rows, period), expected) in table() {
        if rows.seller.role != Role::Seller {
            continue;
        }
        let seller = Subscription {
            role: Role::Own,
            cross_client: None,
            ..rows.seller
        };
        let source = None;
        let own = (Rows { seller, source }, period);
        for (event, expected) in EVENTS.into_iter().zip(expected) {
            let found = event(own.clone()).map_err(refusal);
            let status = found.map(|moved| {
                assert!(moved.payout.is_none() && moved.announcement.is_none());
                moved.rows.seller.status(now())
            });
            assert_eq!(status, expected.map(|(_, status)| status), "{name}");
        }
    }
}
