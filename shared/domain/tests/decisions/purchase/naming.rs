//! The start and the `externalSystemId` that a purchase names.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tandem_domain::cart::Choice;
use tandem_domain::purchase::{MAX_START_DISTANCE, PurchaseError, PurchaseRequest, Sale, decide};
use tandem_domain::subscription::Role;

use crate::fixtures::{Counter, Pair, monthly, now, offer};

fn bought(pair: &Pair, start: Option<Timestamp>) -> Result<Sale, PurchaseError> {
    let (own, shared) = (offer(60, pair.target.id), pair.shared_offer(61));
    let cart = pair.cart(vec![
        pair.position(1, &own, Choice::Mandatory),
        pair.position(2, &shared, Choice::Mandatory),
    ]);
    let body = json!({
        "customerId": pair.customer().id, "paymentMethod": "ZERO", "startDate": start, "externalSystemId": "shop-1",
    });
    let request = PurchaseRequest::parse(&body).expect("a request");
    let chosen = [
        (cart.positions[0], pair.found(&own)),
        (cart.positions[1], pair.found(&shared)),
    ];
    let seller = (&pair.customer(), &pair.target_company.time_zone);
    decide(
        &cart,
        &request,
        &chosen,
        seller,
        now(),
        &mut Counter::default(),
    )
}

#[test]
fn periods_count_from_the_given_start() {
    let start = now() + SignedDuration::from_hours(240);
    let sale = bought(&Pair::between_two_companies(), Some(start)).expect("a sale");
    for row in &sale.subscriptions {
        assert_eq!((row.started_at, row.created_at), (start, now()));
        let end = monthly().end_of(start, 1, &row.time_zone);
        assert_eq!((row.paid_until, row.has_access(now())), (end, false));
    }
    assert_eq!(sale.order.created_at, now());
    assert!(sale.payouts.iter().all(|row| row.created_at == now()));
}

#[test]
fn a_start_lies_within_a_year_of_the_purchase() {
    let millisecond = SignedDuration::from_millis(1);
    for (distance, is_taken) in [
        (MAX_START_DISTANCE, true),
        (-MAX_START_DISTANCE, true),
        (MAX_START_DISTANCE + millisecond, false),
        (-MAX_START_DISTANCE - millisecond, false),
    ] {
        let sale = bought(&Pair::within_one_company(), Some(now() + distance));
        assert_eq!(sale.is_ok(), is_taken, "{distance:?}");
        if let Err(error) = sale {
            assert_eq!(error, PurchaseError::StartTooFar);
        }
    }
}

#[test]
fn the_sellers_id_is_in_its_own_rows_and_the_payout_row() {
    for pair in [Pair::within_one_company(), Pair::between_two_companies()] {
        let sale = bought(&pair, None).expect("a sale");
        let is_named = |id: Option<&tandem_domain::text::ExternalId>| {
            id.is_some_and(|id| id.as_str() == "shop-1")
        };
        assert!(is_named(sale.order.external_system_id.as_ref()));
        assert!(is_named(sale.payouts[0].external_system_id.as_ref()));
        for row in &sale.subscriptions {
            let named = is_named(row.external_system_id.as_ref());
            assert_eq!(named, row.role != Role::Source, "{:?}", row.role);
        }
    }
}
