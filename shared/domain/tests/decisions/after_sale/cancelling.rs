//! The end of a cancelled subscription.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tandem_domain::after_sale::{CancelRequest, Rows, SubscriptionError};
use tandem_domain::subscription::{Life, Subscription};

use super::{Sold, cancel, cancellation, cancelled, own, paid_until, rows, started};
use crate::fixtures::{at, codes, now};

fn end(request: &Value) -> Result<Life, SubscriptionError> {
    let rows = rows(Sold::Own, Life::Active, true);
    let moved = rows.cancel(&cancellation(request), now())?;
    Ok(moved.expect("a new end").rows.seller.life)
}

fn ends(ends_at: &str) -> Result<Life, SubscriptionError> {
    Ok(Life::Cancelled {
        cancelled_at: now(),
        ends_at: at(ends_at),
    })
}

#[test]
fn a_cancellation_ends_at_its_date() {
    for member in ["at", "endsAt"] {
        let at = |time: &str| end(&json!({member: time}));
        assert_eq!(at("2027-01-01T00:00:00Z"), ends("2027-01-01T00:00:00Z"));
        assert_eq!(at("2026-07-01T12:00:00Z"), ends("2026-07-01T12:00:00Z"));
        // The caller's clock may be five minutes slow.
        assert_eq!(at("2026-07-01T11:59:59.999Z"), ends("2026-07-01T12:00:00Z"));
        assert_eq!(at("2026-07-01T11:55:00Z"), ends("2026-07-01T12:00:00Z"));
        assert_eq!(
            at("2026-07-01T11:54:59.999Z"),
            Err(SubscriptionError::EndsInThePast { member })
        );
    }
}

#[test]
fn a_cancellation_ends_now_or_with_the_period() {
    assert_eq!(end(&json!({"at": "now"})), ends("2026-07-01T12:00:00Z"));
    let of_period = ends(&paid_until().to_string());
    assert_eq!(end(&json!({"at": "endOfPeriod"})), of_period);
    assert_eq!(end(&json!({})), of_period);
    let both = json!({"at": "now", "endsAt": "2027-01-01T00:00:00Z"});
    let errors = CancelRequest::parse(&both).expect_err("contradiction");
    assert_eq!(codes(&errors), [("endsAt", "only_one")]);
}

#[test]
fn a_cancellation_is_moved_until_it_takes_effect() {
    let move_to = |before: Life, request: Value| {
        let rows = rows(Sold::BetweenTwoCompanies, before, true);
        let moved = rows.cancel(&cancellation(&request), now())?;
        Ok(moved.map(|moved| moved.rows.source.expect("a row").life))
    };
    let later = cancelled(now() + SignedDuration::from_millis(1));
    assert_eq!(
        move_to(later, json!({"at": "2027-01-01T00:00:00Z"})),
        ends("2027-01-01T00:00:00Z").map(Some)
    );
    assert_eq!(
        move_to(later, json!({"at": "now"})),
        ends("2026-07-01T12:00:00Z").map(Some)
    );
    // The same end again changes nothing.
    assert_eq!(move_to(cancelled(paid_until()), json!({})), Ok(None));
    let status = "cancelled";
    let ended = Err(SubscriptionError::Ended { status });
    assert_eq!(move_to(cancelled(now()), json!({"at": "now"})), ended);
}

#[test]
fn after_an_undone_cancellation_renewals_go_on() {
    let rows = rows(Sold::WithinOneCompany, cancelled(paid_until()), true);
    assert!(super::renew(rows.clone()).is_err());
    let undone = rows.undo_cancellation(now()).expect("allowed").rows;
    assert_eq!(
        undone.source.as_ref().map(|row| row.life),
        Some(Life::Active)
    );
    let renewed = super::renew(undone).expect("allowed");
    assert_eq!(renewed.rows.seller.periods_paid, 9);
}

#[test]
fn a_cancellation_defaults_to_the_end_of_the_paid_period() {
    let overdue = Subscription {
        paid_until: started(),
        ..own()
    };
    let moved = cancel(Rows {
        seller: overdue,
        source: None,
    })
    .expect("allowed");
    assert_eq!(
        moved.rows.seller.life,
        Life::Cancelled {
            cancelled_at: now(),
            ends_at: now()
        }
    );
}

#[test]
fn a_cancellation_has_an_end() {
    for text in ["9999-12-31", "9999-12-31T23:59:59Z"] {
        let errors = CancelRequest::parse(&json!({"endsAt": text})).expect_err(text);
        assert_eq!(codes(&errors), [("endsAt", "out_of_range")]);
    }
    assert!(CancelRequest::parse(&json!({"endsAt": "2027-01-01T00:00:00.5+01:00"})).is_ok());
}
