//! The end of a cancelled subscription.

use serde_json::json;
use tandem_domain::after_sale::{CancelRequest, Rows, SubscriptionError};
use tandem_domain::subscription::{Life, Subscription};

use super::{Sold, cancel, cancellation, own, rows, started};
use crate::fixtures::{at, codes, now};

#[test]
fn a_cancellation_ends_at_its_date() {
    let end = |ends_at: &str| {
        let moved = rows(Sold::Own, Life::Active, true)
            .cancel(&cancellation(&json!({"endsAt": ends_at})), now());
        moved.map(|moved| moved.rows.seller.life)
    };
    let ends = |ends_at: &str| {
        Ok(Life::Cancelled {
            cancelled_at: now(),
            ends_at: at(ends_at),
        })
    };
    assert_eq!(end("2027-01-01T00:00:00Z"), ends("2027-01-01T00:00:00Z"));
    assert_eq!(
        end("2026-07-01T12:00:00Z"),
        ends("2026-07-01T12:00:00Z"),
        "at once"
    );
    assert_eq!(
        end("2026-07-01T11:59:59.999Z"),
        Err(SubscriptionError::EndsInThePast)
    );
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
