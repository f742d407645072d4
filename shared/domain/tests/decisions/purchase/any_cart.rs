//! Properties of purchases of any cart.

use proptest::prelude::*;
use serde_json::json;
use tandem_domain::cart::{Choice, Occasion, OfferLookup, Position, SellableOffer, check};
use tandem_domain::money::BasisPoints;
use tandem_domain::offer::Offer;
use tandem_domain::order::OrderPosition;
use tandem_domain::subscription::Role;

use super::{bought, full_cart, single};
use crate::fixtures::{Pair, euro, now, offer};

/// The choices of up to 20 positions, each with the kind of its offer: own single, own subscription or shared.
fn any_mix() -> impl Strategy<Value = Vec<(u8, Choice)>> {
    let choice = prop_oneof![
        Just(Choice::Mandatory),
        Just(Choice::Optional),
        Just(Choice::Preselected)
    ];
    prop::collection::vec((0..3_u8, choice), 1..=20)
}

proptest! {
    #[test]
    fn each_sellable_shared_position_sells_once(mix in any_mix(), between in any::<bool>()) {
        let pair = if between { Pair::between_two_companies() } else { Pair::within_one_company() };
        let offers: Vec<Offer> = (60..)
            .zip(&mix)
            .map(|(number, (kind, _))| match kind {
                0 => single(offer(number, pair.target.id)),
                1 => offer(number, pair.target.id),
                _ => pair.shared_offer(number),
            })
            .collect();
        let positions: Vec<(Position, OfferLookup<'_>)> = (1_u8..)
            .zip(offers.iter().zip(&mix))
            .map(|(number, (offer, (_, choice)))| (pair.position(number, offer, *choice), pair.found(offer)))
            .collect();
        let Ok(sellable) = check(pair.target.id, &positions, (Occasion::Sale, now())) else { return Ok(()) };
        prop_assert_eq!(sellable.positions.len(), positions.len());

        let chosen: Vec<_> = offers.iter().map(|offer| (offer, Choice::Mandatory)).collect();
        let sale = bought(&pair, &chosen, &json!([]));
        for position in &sellable.positions {
            let rows = |role| {
                sale.subscriptions
                    .iter()
                    .filter(|row| row.position == position.number && row.role == role)
                    .collect::<Vec<_>>()
            };
            let SellableOffer::Shared(shared, terms) = position.offer else {
                prop_assert!(rows(Role::Seller).is_empty() && rows(Role::Source).is_empty());
                continue;
            };
            let (seller, source) = (rows(Role::Seller), rows(Role::Source));
            prop_assert_eq!((seller.len(), source.len()), (1, 1));
            let (seller, source) = (seller[0], source[0]);
            prop_assert_eq!((source.id, source.client_id), (seller.id, shared.connection.source.client_id));
            let payouts: Vec<_> =
                sale.payouts.iter().filter(|row| row.subscription_id == seller.id).collect();
            prop_assert_eq!(payouts.len(), 1);
            prop_assert_eq!(payouts[0].seller_share_basis_points, terms.seller_share_basis_points);
        }
        let shared = mix.iter().filter(|(kind, _)| *kind == 2).count();
        prop_assert_eq!(sale.payouts.len(), shared);
        let announced = if between { shared } else { 0 };
        let vouchers = sale.subscriptions.iter().filter(|row| row.voucher_hash.is_some());
        prop_assert_eq!((sale.announcements.len(), vouchers.count()), (announced, announced));
    }
}

fn any_cart() -> impl Strategy<Value = Vec<(i64, u32, u16)>> {
    prop::collection::vec(
        // 20 of the largest positions stay below 2^53.
        (0..=45_000_000_000_i64, 1..=10_000_u32, 0..=10_000_u16),
        1..=20,
    )
}

proptest! {
    #[test]
    fn money_adds_up(positions in any_cart(), between in any::<bool>()) {
        let pair = if between { Pair::between_two_companies() } else { Pair::within_one_company() };
        let offers: Vec<Offer> = full_cart(&pair, 19)
            .into_iter()
            .zip(&positions)
            .map(|(mut offer, (price, _, share))| {
                offer.price = euro(*price);
                if let Some(sharing) = &mut offer.cross_client {
                    sharing.seller_share_basis_points = BasisPoints(*share);
                }
                offer
            })
            .collect();
        let cart: Vec<_> = offers.iter().map(|offer| (offer, Choice::Mandatory)).collect();
        let quantities: Vec<_> = (1..)
            .zip(&positions)
            .map(|(number, (_, quantity, _))| json!({"position": number, "quantity": quantity}))
            .collect();
        let sale = bought(&pair, &cart, &json!(quantities));

        let amount = |position: &OrderPosition| i128::from(position.amount.amount);
        let all: i128 = positions.iter().map(|(price, quantity, _)| i128::from(*price) * i128::from(*quantity)).sum();
        prop_assert_eq!(sale.order.positions.iter().map(amount).sum::<i128>(), all);
        prop_assert_eq!(i128::from(sale.order.total.amount), all);

        let cross_client: i128 =
            sale.order.positions.iter().filter(|position| position.source_client_id.is_some()).map(amount).sum();
        prop_assert_eq!(sale.payouts.iter().map(|row| i128::from(row.gross.amount)).sum::<i128>(), cross_client);
        prop_assert_eq!(sale.payouts.len(), positions.len() - 1);
        for (row, (price, quantity, share)) in sale.payouts.iter().zip(&positions[1..]) {
            let gross = i128::from(*price) * i128::from(*quantity);
            let kept = (gross * i128::from(*share) + 5_000) / 10_000;
            prop_assert_eq!(i128::from(row.gross.amount), gross);
            prop_assert_eq!(i128::from(row.due.amount), gross - kept);
        }
    }
}
