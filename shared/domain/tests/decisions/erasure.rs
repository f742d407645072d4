//! Erasing customers, and the callbacks about erased ones.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tandem_domain::erasure::ErasureError;
use tandem_domain::external::External;
use tandem_domain::subscription::{Life, Subscription};
use tandem_domain::text::ExternalId;

use crate::after_sale::own;
use crate::fixtures::{at, company, customer, id, now};

const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

fn erase(subscriptions: &[Subscription]) -> Result<(), ErasureError> {
    customer(40, &company(1, true))
        .erase(id(12), subscriptions, now())
        .map(|_| ())
}

fn imported() -> External {
    External {
        external_system_id: ExternalId::parse(&json!("PRINT-1")).expect("an id"),
        ordered_at: None,
        delivery_customer_id: None,
        discount_basis_points: None,
        current_payment_period_paid: None,
    }
}

#[test]
fn the_record_names_client_customer_and_time_only() {
    let erasure = customer(40, &company(1, true))
        .erase(id(12), [], now())
        .expect("no running subscription");
    let written = json!(erasure);
    let names: Vec<&String> = written.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["askedBy", "companyId", "customerId", "erasedAt"]);
    assert_eq!(
        (erasure.customer_id, erasure.asked_by, erasure.erased_at),
        (id(40), id(12), now())
    );
}

#[test]
fn running_subscriptions_must_end_before_an_erasure() {
    let once = |paid_until: Timestamp| Subscription {
        renews: false,
        paid_until,
        ..own()
    };
    let ending = |ends_at| Subscription {
        life: Life::Cancelled {
            cancelled_at: own().started_at,
            ends_at,
        },
        ..own()
    };
    let mirrored = Subscription {
        external: Some(imported()),
        renews: false,
        paid_until: own().started_at,
        ..own()
    };
    let lapsed = Subscription {
        paid_until: own().started_at,
        ..own()
    };
    for (row, runs) in [
        (own(), true),
        (lapsed, true),
        (mirrored, true),
        (once(now() + MILLISECOND), true),
        (once(now()), false),
        (ending(now() + MILLISECOND), true),
        (ending(now()), false),
        (
            Subscription {
                life: Life::Refunded {
                    ended_at: now(),
                    cancelled_at: None,
                    reversed_period: None,
                },
                ..own()
            },
            false,
        ),
        (
            Subscription {
                life: Life::ChargedBack {
                    ended_at: now(),
                    cancelled_at: None,
                    reversed_period: None,
                },
                ..own()
            },
            false,
        ),
    ] {
        assert_eq!(row.is_running(now()), runs, "{row:?}");
        assert_eq!(erase(std::slice::from_ref(&row)).is_err(), runs, "{row:?}");
    }
}

#[test]
fn a_refusal_names_only_the_callers_subscriptions() {
    let (mine, ended) = (
        own(),
        Subscription {
            life: Life::Refunded {
                ended_at: now(),
                cancelled_at: None,
                reversed_period: None,
            },
            ..own()
        },
    );
    let ends_at = at("2026-12-31T00:00:00Z");
    let leaving = Subscription {
        id: id(71),
        life: Life::Cancelled {
            cancelled_at: now(),
            ends_at,
        },
        ..own()
    };
    let theirs = Subscription {
        id: id(72),
        client_id: id(11),
        ..own()
    };
    let own = vec![(id(70), "active"), (id(71), "cancelled")];
    assert_eq!(
        erase(&[mine, ended, leaving, theirs.clone()]),
        Err(ErasureError::StillRunning { own, others: true })
    );
    assert_eq!(
        erase(&[theirs]),
        Err(ErasureError::StillRunning {
            own: Vec::new(),
            others: true
        })
    );
}
