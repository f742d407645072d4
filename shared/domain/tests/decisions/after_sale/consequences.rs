//! The consequences of a change for the source.

use tandem_domain::payout::PaidState;
use tandem_domain::subscription::{Life, Role, Status, Subscription};

use super::{Sold, cancelled, every_change, own, paid_until};
use crate::fixtures::{euro, id, now};

#[test]
fn a_sale_of_an_own_offer_concerns_no_other_client() {
    for (moved, ..) in every_change(Sold::Own) {
        assert_eq!(
            (moved.rows.source, moved.payout, moved.announcement),
            (None, None, None)
        );
    }
}

#[test]
fn the_source_row_follows_except_its_customer_and_version() {
    for sold in [Sold::WithinOneCompany, Sold::BetweenTwoCompanies] {
        for (moved, _, event) in every_change(sold) {
            let source = moved.rows.source.expect("a row");
            let expected = Subscription {
                client_id: id(11),
                role: Role::Source,
                customer_id: Some(id(41)),
                voucher_hash: source.voucher_hash.clone(),
                version: 9,
                ..moved.rows.seller
            };
            assert_eq!(source, expected, "{sold:?} {event:?}");
            assert_eq!(source.updated_at, now());
        }
    }
}

#[test]
fn money_between_clients_creates_a_payout_row() {
    for sold in [Sold::WithinOneCompany, Sold::BetweenTwoCompanies] {
        for (moved, expected, event) in every_change(sold) {
            let Some((payout_type, gross, period_number)) = expected else {
                assert_eq!(moved.payout, None, "{event:?}");
                continue;
            };
            let row = moved.payout.expect("a row");
            assert_eq!(
                (row.payout_type, row.gross, row.period_number),
                (payout_type, gross, period_number)
            );
            assert_eq!(row.due, euro(gross.amount * 4 / 5));
            assert_eq!(
                (row.source_client_id, row.target_client_id, row.customer_id),
                (id(11), id(12), id(40))
            );
            assert_eq!(
                (row.order_id, row.subscription_id, row.offer_id),
                (id(50), id(70), id(61))
            );
            assert_eq!(
                (row.id, row.paid, row.created_at, row.version),
                (id(0x1001), PaidState::Open, now(), 1)
            );
        }
    }
}

#[test]
fn only_a_source_of_another_company_is_called_back() {
    for (moved, ..) in every_change(Sold::WithinOneCompany) {
        assert_eq!(moved.announcement, None);
    }
    for (moved, _, event) in every_change(Sold::BetweenTwoCompanies) {
        let announcement = moved.announcement.expect("a callback");
        assert_eq!(announcement.event, event);
        assert_eq!(
            (announcement.client_id, announcement.connection_id),
            (id(11), Some(id(20)))
        );
        assert_eq!(
            (announcement.order_id, announcement.subscription_id),
            (Some(id(50)), Some(id(70)))
        );
    }
}

#[test]
fn a_source_row_is_pending_only_while_its_sale_is_active() {
    let pending = |life| {
        Subscription {
            role: Role::Source,
            customer_id: None,
            life,
            ..own()
        }
        .status(now())
    };
    assert_eq!(pending(Life::Active), Status::Pending);
    assert_eq!(pending(cancelled(paid_until())), Status::Cancelled);
    let (ended_at, cancelled_at) = (now(), None);
    let refunded = Life::Refunded {
        ended_at,
        cancelled_at,
        reversed_period: None,
    };
    assert_eq!(pending(refunded), Status::Refunded);
    let charged_back = Life::ChargedBack {
        ended_at,
        cancelled_at,
        reversed_period: None,
    };
    assert_eq!(pending(charged_back), Status::ChargedBack);
    let linked = Subscription {
        role: Role::Source,
        customer_id: None,
        ..own()
    }
    .linked_to(id(42), now());
    assert_eq!(
        (linked.status(now()), linked.customer_id, linked.updated_at),
        (Status::Active, Some(id(42)), now())
    );
}
