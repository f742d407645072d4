//! The rows that a purchase writes.

use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_domain::callback::EventType;
use tandem_domain::cart::{Choice, OfferLookup, Position, SellableOffer, check};
use tandem_domain::customer::Customer;
use tandem_domain::money::BasisPoints;
use tandem_domain::offer::{Offer, OfferKind};
use tandem_domain::order::{Order, OrderPosition, PositionState};
use tandem_domain::payment_method::PaymentMethod;
use tandem_domain::payout::{PaidState, Payout, PayoutType};
use tandem_domain::purchase::{PurchaseRequest, Sale, decide};
use tandem_domain::subscription::{CrossClientLink, Life, Role, Status, Subscription};
use tandem_domain::voucher::{Voucher, VoucherHash, VoucherState};

use crate::fixtures::{Counter, Pair, at, euro, id, monthly, now, offer};

/// Buys a cart of these offers, in this order.
fn bought(pair: &Pair, offers: &[(&Offer, Choice)], positions: &Value) -> Sale {
    let cart: Vec<Position> = (1_u8..)
        .zip(offers)
        .map(|(number, (offer, choice))| pair.position(number, offer, *choice))
        .collect();
    let cart = pair.cart(cart);
    let customer = pair.customer();
    let request =
        json!({"customerId": customer.id, "paymentMethod": "CREDIT_CARD", "positions": positions});
    let request = PurchaseRequest::parse(&request).expect("a request");
    let chosen: Vec<(Position, OfferLookup<'_>)> = request
        .choose(&cart)
        .expect("positions of the cart")
        .into_iter()
        .map(|position| {
            (
                position,
                pair.found(offers[usize::from(position.number) - 1].0),
            )
        })
        .collect();
    decide(
        &cart,
        &request,
        &chosen,
        &customer,
        now(),
        &mut Counter::default(),
    )
    .expect("a sellable cart")
}

fn single(offer: Offer) -> Offer {
    Offer {
        kind: OfferKind::Single,
        ..offer
    }
}

fn order_position(number: u8, offer: &Offer, quantity: u32) -> OrderPosition {
    OrderPosition {
        position: number,
        offer_id: offer.id,
        offer_name: offer.name.clone(),
        quantity,
        unit_price: offer.price,
        amount: euro(offer.price.amount * i64::from(quantity)),
        source_client_id: None,
        subscription_id: None,
        state: PositionState::Paid,
    }
}

/// The seller's row of a monthly offer of its own, quantity 1.
fn own_row(pair: &Pair, number: u8, offer: &Offer, customer: &Customer) -> Subscription {
    Subscription {
        id: id(0x1002),
        client_id: pair.target.id,
        role: Role::Own,
        customer_id: Some(customer.id),
        order_id: id(0x1001),
        position: number,
        offer_id: offer.id,
        offer_name: offer.name.clone(),
        quantity: 1,
        unit_price: offer.price,
        payment_method: PaymentMethod::CreditCard,
        period: monthly(),
        renews: true,
        started_at: now(),
        periods_paid: 1,
        paid_until: at("2026-08-01T12:00:00Z"),
        life: Life::Active,
        cross_client: None,
        external: None,
        created_at: now(),
        updated_at: now(),
        version: 1,
    }
}

#[test]
fn own_offers_create_an_order_and_subscriptions_only() {
    let pair = Pair::between_two_companies();
    let (paper, issue) = (offer(60, pair.target.id), single(offer(61, pair.target.id)));
    let sale = bought(
        &pair,
        &[(&paper, Choice::Mandatory), (&issue, Choice::Mandatory)],
        &json!([]),
    );
    let order = Order {
        id: id(0x1001),
        client_id: pair.target.id,
        customer_id: pair.customer().id,
        cart_id: Some(id(30)),
        payment_method: PaymentMethod::CreditCard,
        positions: vec![
            OrderPosition {
                subscription_id: Some(id(0x1002)),
                ..order_position(1, &paper, 1)
            },
            order_position(2, &issue, 1),
        ],
        total: euro(2_000),
        external: None,
        created_at: now(),
        updated_at: now(),
        version: 1,
    };
    let subscriptions = vec![own_row(&pair, 1, &paper, &pair.customer())];
    let expected = Sale {
        order,
        subscriptions,
        payouts: Vec::new(),
        vouchers: Vec::new(),
        announcements: Vec::new(),
    };
    assert_eq!(sale, expected);
}

/// Sells an own offer and a shared one, and returns the sale and the shared offer.
fn sold(pair: &Pair) -> (Sale, Offer) {
    let (own, shared) = (single(offer(60, pair.target.id)), pair.shared_offer(61));
    let quantity = json!([{"position": 2, "quantity": 3}]);
    (
        bought(
            pair,
            &[(&own, Choice::Mandatory), (&shared, Choice::Mandatory)],
            &quantity,
        ),
        shared,
    )
}

fn link(pair: &Pair, voucher_hash: Option<VoucherHash>) -> CrossClientLink {
    CrossClientLink {
        source_client_id: pair.source.id,
        source_name: pair.source.name.clone(),
        target_client_id: pair.target.id,
        target_name: pair.target.name.clone(),
        connection_id: pair.connection.id,
        seller_share_basis_points: BasisPoints(2_000),
        voucher_hash,
    }
}

fn payout(pair: &Pair, shared: &Offer) -> Payout {
    Payout {
        id: id(0x1003),
        payout_type: PayoutType::Payment,
        source_client_id: pair.source.id,
        source_name: pair.source.name.clone(),
        target_client_id: pair.target.id,
        target_name: pair.target.name.clone(),
        order_id: id(0x1001),
        subscription_id: id(0x1002),
        period_number: 1,
        offer_id: shared.id,
        offer_name: shared.name.clone(),
        customer_id: pair.customer().id,
        payment_method: PaymentMethod::CreditCard,
        gross: euro(3_000),
        seller_share_basis_points: BasisPoints(2_000),
        due: euro(2_400),
        paid: PaidState::Open,
        created_at: now(),
        version: 1,
    }
}

#[test]
fn a_source_of_the_same_company_gets_its_subscription_at_once() {
    let pair = Pair::within_one_company();
    let (sale, shared) = sold(&pair);
    let seller = Subscription {
        role: Role::Seller,
        quantity: 3,
        cross_client: Some(link(&pair, None)),
        ..own_row(&pair, 2, &shared, &pair.customer())
    };
    let source = Subscription {
        client_id: pair.source.id,
        role: Role::Source,
        ..seller.clone()
    };
    assert_eq!(source.status(), Status::Active);
    assert_eq!(sale.subscriptions, [seller, source]);
    assert_eq!(sale.payouts, [payout(&pair, &shared)]);
    assert_eq!(
        sale.order.positions[1].source_client_id,
        Some(pair.source.id)
    );
    assert_eq!(sale.order.positions[1].subscription_id, Some(id(0x1002)));
    assert_eq!(sale.order.total, euro(4_000));
    assert!(sale.vouchers.is_empty() && sale.announcements.is_empty());
}

#[test]
fn a_source_of_another_company_gets_a_voucher_and_a_callback() {
    let pair = Pair::between_two_companies();
    let (sale, shared) = sold(&pair);
    let hash = VoucherHash("hash 1".to_owned());
    let seller = Subscription {
        role: Role::Seller,
        quantity: 3,
        cross_client: Some(link(&pair, Some(hash.clone()))),
        ..own_row(&pair, 2, &shared, &pair.customer())
    };
    let source = Subscription {
        client_id: pair.source.id,
        role: Role::Source,
        customer_id: None,
        ..seller.clone()
    };
    assert_eq!(
        (seller.status(), source.status()),
        (Status::Active, Status::Pending)
    );
    assert_eq!(sale.subscriptions, [seller, source]);
    assert_eq!(sale.payouts, [payout(&pair, &shared)]);
    let voucher = Voucher {
        client_id: pair.source.id,
        hash,
        subscription_id: id(0x1002),
        order_id: id(0x1001),
        connection_id: pair.connection.id,
        state: VoucherState::Issued,
        created_at: now(),
        version: 1,
    };
    assert_eq!(sale.vouchers, [voucher]);
}

#[test]
fn a_sale_callback_has_all_that_the_source_needs() {
    let pair = Pair::between_two_companies();
    let (sale, _) = sold(&pair);
    let [announcement] = sale.announcements.try_into().expect("one announcement");
    assert_eq!(announcement.client_id, pair.source.id);
    assert_eq!(announcement.connection_id, Some(pair.connection.id));
    assert_eq!(announcement.order_id, Some(id(0x1001)));
    assert_eq!(announcement.subscription_id, Some(id(0x1002)));
    assert_eq!(announcement.event, EventType::OrderCreated);
    let body: Value = serde_json::from_slice(&announcement.body(now())).expect("JSON");
    insta::assert_json_snapshot!("sale_callback", body);
}

#[test]
fn only_the_callback_contains_the_voucher_code() {
    let (sale, _) = sold(&Pair::between_two_companies());
    let code = "00000-00000-00000-00001";
    assert_eq!(sale.announcements[0].data["voucherCode"], code);
    let rest = serde_json::to_string(&(
        &sale.order,
        &sale.subscriptions,
        &sale.payouts,
        &sale.vouchers,
    ))
    .expect("JSON");
    assert!(!rest.contains(code));
    assert_eq!(format!("{sale:?}").matches(code).count(), 1);
}

#[test]
fn optional_positions_are_bought_only_if_chosen() {
    let pair = Pair::within_one_company();
    let offers: Vec<_> = (60..64)
        .map(|number| offer(number, pair.target.id))
        .collect();
    let choices = [
        Choice::Optional,
        Choice::Mandatory,
        Choice::Preselected,
        Choice::Optional,
    ];
    let cart: Vec<_> = offers.iter().zip(choices).collect();
    let numbers = |positions: Value| {
        let sale = bought(&pair, &cart, &positions);
        sale.order
            .positions
            .iter()
            .map(|position| (position.position, position.quantity))
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(json!([])), [(2, 1)]);
    assert_eq!(numbers(json!([{"position": 2}])), [(2, 1)]);
    assert_eq!(
        numbers(json!([{"position": 4, "quantity": 2}, {"position": 1}])),
        [(1, 1), (2, 1), (4, 2)]
    );
    assert_eq!(
        numbers(json!([{"position": 3}, {"position": 2, "quantity": 10_000}])),
        [(2, 10_000), (3, 1)]
    );
}

#[test]
fn a_position_costs_unit_price_times_quantity() {
    let pair = Pair::within_one_company();
    let (one, other) = (
        Offer {
            price: euro(999),
            ..offer(60, pair.target.id)
        },
        offer(61, pair.target.id),
    );
    let cart = [(&one, Choice::Mandatory), (&other, Choice::Mandatory)];
    let sale = bought(&pair, &cart, &json!([{"position": 1, "quantity": 7}]));
    let amounts: Vec<_> = sale
        .order
        .positions
        .iter()
        .map(|position| position.amount)
        .collect();
    assert_eq!(amounts, [euro(6_993), euro(1_000)]);
    assert_eq!(sale.order.total, euro(7_993));
    assert_eq!(sale.subscriptions[0].amount(), euro(6_993));
}

/// One own offer and this many shared ones.
fn full_cart(pair: &Pair, shared: u128) -> Vec<Offer> {
    let own = offer(60, pair.target.id);
    std::iter::once(own)
        .chain((0..shared).map(|number| pair.shared_offer(61 + number)))
        .collect()
}

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
        let Ok(sellable) = check(pair.target.id, &positions) else { return Ok(()) };
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
            let SellableOffer::Shared(shared) = position.offer else {
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
            prop_assert_eq!(payouts[0].seller_share_basis_points, shared.seller_share);
        }
        let shared = mix.iter().filter(|(kind, _)| *kind == 2).count();
        prop_assert_eq!(sale.payouts.len(), shared);
        prop_assert_eq!(sale.vouchers.len(), if between { shared } else { 0 });
        prop_assert_eq!(sale.announcements.len(), sale.vouchers.len());
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
