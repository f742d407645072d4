//! The number and the ids of the rows.

use serde_json::json;
use tandem_domain::cart::Choice;
use tandem_domain::purchase::Sale;
use tandem_domain::subscription::Role;

use super::{bought, full_cart};
use crate::fixtures::Pair;

fn rows(sale: &Sale) -> [usize; 4] {
    [
        1,
        sale.subscriptions.len(),
        sale.payouts.len(),
        sale.announcements.len(),
    ]
}

#[test]
fn the_longest_purchase_fits_one_transaction() {
    let pair = Pair::between_two_companies();
    let offers = full_cart(&pair, 19);
    let cart: Vec<_> = offers
        .iter()
        .map(|offer| (offer, Choice::Mandatory))
        .collect();
    let sale = bought(&pair, &cart, &json!([]));
    assert_eq!(rows(&sale), [1, 1 + 2 * 19, 19, 19]);
    // A transaction has at most 100 actions; the idempotency record is one more.
    assert_eq!(rows(&sale).iter().sum::<usize>(), 78);

    let pair = Pair::within_one_company();
    let offers = full_cart(&pair, 19);
    let cart: Vec<_> = offers
        .iter()
        .map(|offer| (offer, Choice::Mandatory))
        .collect();
    assert_eq!(
        rows(&bought(&pair, &cart, &json!([]))),
        [1, 1 + 2 * 19, 19, 0]
    );
}

#[test]
fn every_row_of_a_sale_has_its_own_id() {
    let pair = Pair::between_two_companies();
    let offers = full_cart(&pair, 19);
    let cart: Vec<_> = offers
        .iter()
        .map(|offer| (offer, Choice::Mandatory))
        .collect();
    let sale = bought(&pair, &cart, &json!([]));
    let distinct = |ids: Vec<String>| {
        ids.into_iter()
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    };
    let rows = sale
        .subscriptions
        .iter()
        .map(|row| format!("{} {}", row.client_id, row.id))
        .collect();
    assert_eq!(distinct(rows), 39);
    assert_eq!(
        distinct(sale.payouts.iter().map(|row| row.id.to_string()).collect()),
        19
    );
    assert_eq!(
        distinct(
            sale.subscriptions
                .iter()
                .filter_map(|row| Some(row.voucher_hash.clone()?.0))
                .collect()
        ),
        19
    );
}

#[test]
fn subscription_rows_payout_and_voucher_share_their_ids() {
    let pair = Pair::between_two_companies();
    let offers = full_cart(&pair, 3);
    let cart: Vec<_> = offers
        .iter()
        .map(|offer| (offer, Choice::Mandatory))
        .collect();
    let sale = bought(&pair, &cart, &json!([]));
    for (index, position) in sale
        .order
        .positions
        .iter()
        .filter(|position| position.source_client_id.is_some())
        .enumerate()
    {
        let id = position.subscription_id.expect("time-based");
        let rows: Vec<_> = sale
            .subscriptions
            .iter()
            .filter(|row| row.id == id)
            .collect();
        assert_eq!(
            rows.iter().map(|row| row.role).collect::<Vec<_>>(),
            [Role::Seller, Role::Source]
        );
        assert!(
            rows.iter()
                .all(|row| row.offer_id == position.offer_id && row.position == position.position)
        );
        assert_eq!(
            (
                sale.payouts[index].subscription_id,
                sale.payouts[index].offer_id
            ),
            (id, position.offer_id)
        );
        let vouchers: Vec<_> = rows.iter().map(|row| row.voucher_hash.is_some()).collect();
        assert_eq!(vouchers, [false, true]);
        assert_eq!(sale.announcements[index].subscription_id, Some(id));
        assert_eq!(
            sale.announcements[index].data["subscription"]["id"],
            json!(id)
        );
    }
}
