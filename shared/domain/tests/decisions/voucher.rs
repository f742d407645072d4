//! Redemption of vouchers.

use serde_json::json;
use tandem_domain::ids::CustomerId;
use tandem_domain::subscription::{Life, Subscription};
use tandem_domain::voucher::{RedeemError, RedeemRequest, Redemption};

use crate::after_sale::sold_to_another_company;
use crate::fixtures::{codes, id, now, yesterday};

/// The source's row of a sale between two contracting companies.
fn row(customer_id: Option<CustomerId>, life: Life) -> Subscription {
    Subscription {
        customer_id,
        life,
        ..sold_to_another_company()
    }
}

#[test]
fn every_event_is_defined_in_every_state() {
    let (customer, other): (CustomerId, CustomerId) = (id(41), id(42));
    let cancelled = Life::Cancelled {
        cancelled_at: yesterday(),
        ends_at: yesterday(),
    };
    let refunded = Life::Refunded {
        ended_at: yesterday(),
        cancelled_at: None,
        reversed_period: None,
    };
    let charged_back = Life::ChargedBack {
        ended_at: yesterday(),
        cancelled_at: None,
        reversed_period: None,
    };
    for life in [Life::Active, cancelled, refunded, charged_back] {
        let reversed = [refunded, charged_back].contains(&life);
        let first = if reversed {
            Err(RedeemError::NotFound)
        } else {
            let row = row(None, life).linked_to(customer, now());
            Ok(Redemption::First(row))
        };
        // The linked customer, and the outcome of a redemption for a customer.
        let table = [
            (None, first),
            (
                Some(customer),
                Ok(Redemption::Repeated(row(Some(customer), life))),
            ),
            (Some(other), Err(RedeemError::OtherCustomer)),
        ];
        for (linked, outcome) in table {
            let redeemed = row(linked, life).redeem(customer, now());
            assert_eq!(redeemed, outcome, "{linked:?}, {life:?}");
        }
    }
}

#[test]
fn only_a_reversal_before_the_redemption_voids_a_voucher() {
    let ended = Life::Refunded {
        ended_at: now(),
        cancelled_at: None,
        reversed_period: None,
    };
    let cancelled = Life::Cancelled {
        cancelled_at: now(),
        ends_at: now(),
    };
    for (linked, life, is_void) in [
        (None, ended, true),
        (None, cancelled, false),
        (Some(id(41)), ended, false),
        (Some(id(41)), cancelled, false),
    ] {
        let seller = row(Some(id(42)), life);
        let source = row(linked, Life::Active).following(&seller);
        assert_eq!(
            source.voucher_hash.is_none(),
            is_void,
            "{linked:?}, {life:?}"
        );
    }
}

#[test]
fn a_redemption_names_customer_and_code() {
    let customer: CustomerId = id(41);
    let request = json!({"customerId": customer, "voucherCode": "7q2m9-x4tok-3hgwb-pz5ra"});
    let request = RedeemRequest::parse(&request).expect("a request");
    assert_eq!(
        (request.customer_id, request.code.canonical()),
        (customer, "7Q2M9X4T0K3HGWBPZ5RA")
    );
    assert!(
        !format!("{request:?}").contains("7Q2M9"),
        "a code is not shown"
    );
    let errors =
        RedeemRequest::parse(&json!({"customerId": "x", "voucherCode": "x", "clientId": "x"}))
            .expect_err("invalid input");
    let expected = [
        ("customerId", "invalid"),
        ("voucherCode", "invalid_voucher_code"),
        ("clientId", "unknown_field"),
    ];
    assert_eq!(codes(&errors), expected);
    let errors = RedeemRequest::parse(&json!({})).expect_err("invalid input");
    assert_eq!(
        codes(&errors),
        [("customerId", "required"), ("voucherCode", "required")]
    );
}
