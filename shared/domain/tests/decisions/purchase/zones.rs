//! The time zone of a sale.

use serde_json::json;
use tandem_domain::after_sale::{PaymentRequest, Rows};
use tandem_domain::cart::Choice;

use super::bought;
use crate::fixtures::{Counter, Pair, at, monthly, now, zone};

#[test]
fn a_sale_counts_in_the_zone_of_its_sellers_company() {
    let mut pair = Pair::between_two_companies();
    pair.source_company.time_zone = zone("America/New_York");
    pair.target_company.time_zone = zone("Europe/Berlin");
    let own = crate::fixtures::offer(60, pair.target.id);
    let shared = pair.shared_offer(61);
    let sale = bought(
        &pair,
        &[(&own, Choice::Mandatory), (&shared, Choice::Mandatory)],
        &json!([]),
    );
    assert_eq!(sale.subscriptions.len(), 3);
    for row in &sale.subscriptions {
        assert_eq!(row.time_zone, zone("Europe/Berlin"), "{:?}", row.role);
        assert_eq!(row.paid_until, monthly().end_of(now(), 1, &row.time_zone));
    }
    // Paid until after the clocks changed: noon in UTC is one hour earlier in Berlin's winter.
    let [_, seller, source] = sale.subscriptions.try_into().expect("three rows");
    let mut rows = Rows {
        seller,
        source: Some(source),
    };
    let payment = PaymentRequest::parse(&json!({})).expect("a payment");
    for _ in 0..4 {
        let moved = rows.renew(&payment, None, now(), &mut Counter::default());
        rows = moved.expect("the next period").rows;
    }
    assert_eq!(rows.seller.paid_until, at("2026-12-01T13:00:00Z"));
    let source = rows.source.expect("a row");
    assert_eq!(source.paid_until, rows.seller.paid_until);
}

#[test]
fn a_zone_of_utc_is_not_stored() {
    let pair = Pair::within_one_company();
    let own = crate::fixtures::offer(60, pair.target.id);
    let row = |pair: &Pair| {
        let sale = bought(pair, &[(&own, Choice::Mandatory)], &json!([]));
        json!(sale.subscriptions[0])
    };
    assert_eq!(row(&pair)["timeZone"], json!(null));
    assert_eq!(json!(pair.target_company)["timeZone"], json!(null));
    let mut abroad = pair;
    abroad.target_company.time_zone = zone("Asia/Tokyo");
    assert_eq!(row(&abroad)["timeZone"], "Asia/Tokyo");
}
