//! The number and the ids of the rows.

use serde_json::json;
use tandem_domain::cart::Choice;
use tandem_domain::purchase::Sale;
use tandem_domain::subscription::Role;

use super::{bought, full_cart};
use crate::fixtures::Pair;

fn rows(sale: &Sale) -> [usize; 5] {
    [
        1,
        sale.subscriptions.len(),
        sale.payouts.len(),
        sale.vouchers.len(),
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
    assert_eq!(rows(&sale), [1, 1 + 2 * 19, 19, 19, 19]);
    // A transaction has at most 100 actions; three remain for the idempotency record and the guards.
    assert_eq!(rows(&sale).iter().sum::<usize>(), 97);

    let pair = Pair::within_one_company();
    let offers = full_cart(&pair, 19);
    let cart: Vec<_> = offers
        .iter()
        .map(|offer| (offer, Choice::Mandatory))
        .collect();
    assert_eq!(
        rows(&bought(&pair, &cart, &json!([]))),
        [1, 1 + 2 * 19, 19, 0, 0]
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
        distinct(sale.vouchers.iter().map(|row| row.hash.0.clone()).collect()),
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
        assert_eq!(sale.vouchers[index].subscription_id, id);
        let hash = rows[0]
            .cross_client
            .as_ref()
            .and_then(|link| link.voucher_hash.as_ref());
        assert_eq!(hash, Some(&sale.vouchers[index].hash));
        assert_eq!(sale.announcements[index].subscription_id, Some(id));
        assert_eq!(
            sale.announcements[index].data["subscription"]["id"],
            json!(id)
        );
    }
}
