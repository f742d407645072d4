//! Redemption of vouchers.

use serde_json::json;
use tandem_domain::ids::CustomerId;
use tandem_domain::voucher::{
    RedeemError, RedeemRequest, Redemption, Voucher, VoucherHash, VoucherState,
};

use crate::fixtures::{codes, id, now, yesterday};

pub(crate) fn voucher(state: VoucherState) -> Voucher {
    Voucher {
        client_id: id(11),
        hash: VoucherHash("5f2a".to_owned()),
        subscription_id: id(70),
        order_id: id(50),
        connection_id: id(20),
        state,
        created_at: yesterday(),
        version: 1,
    }
}

#[test]
fn every_event_is_defined_in_every_state() {
    let (customer, other): (CustomerId, CustomerId) = (id(41), id(42));
    let redeemed = |customer_id, redeemed_at| VoucherState::Redeemed {
        customer_id,
        redeemed_at,
    };
    let first = |state| Ok(Redemption::First(voucher(state)));
    let void = VoucherState::Void {
        void_at: yesterday(),
    };
    // The state, and its outcome for a redemption by one customer, by another one, and for a reversal of the sale.
    let table = [
        (
            VoucherState::Issued,
            first(redeemed(customer, now())),
            first(redeemed(other, now())),
            Some(voucher(VoucherState::Void { void_at: now() })),
        ),
        (
            redeemed(customer, yesterday()),
            Ok(Redemption::Repeated),
            Err(RedeemError::OtherCustomer),
            None,
        ),
        (
            redeemed(other, yesterday()),
            Err(RedeemError::OtherCustomer),
            Ok(Redemption::Repeated),
            None,
        ),
        (
            void,
            Err(RedeemError::NotFound),
            Err(RedeemError::NotFound),
            None,
        ),
    ];
    for (state, by_customer, by_other, voided) in table {
        assert_eq!(
            voucher(state).redeem(customer, now()),
            by_customer,
            "{state:?}"
        );
        assert_eq!(voucher(state).redeem(other, now()), by_other, "{state:?}");
        assert_eq!(voucher(state).void(now()), voided, "{state:?}");
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
