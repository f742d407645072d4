//! The rows that a purchase writes.

mod any_cart;
mod many_rows;
mod naming;
mod once;
mod zones;

use serde_json::{Value, json};
use tandem_domain::callback::EventType;
use tandem_domain::cart::{Choice, OfferLookup, Position};
use tandem_domain::customer::Customer;
use tandem_domain::metadata::Metadata;
use tandem_domain::money::BasisPoints;
use tandem_domain::offer::{Offer, OfferKind, RenewalRules};
use tandem_domain::order::{Order, OrderPosition, PositionState};
use tandem_domain::payment_method::PaymentMethod;
use tandem_domain::payout::{PaidState, Payout, PayoutType};
use tandem_domain::purchase::{PurchaseError, PurchaseRequest, Sale, decide};
use tandem_domain::subscription::{CrossClientLink, Life, Role, Status, Subscription};
use tandem_domain::voucher::VoucherHash;
use tandem_domain::zone::Zone;

use crate::fixtures::{Counter, Pair, at, euro, id, monthly, now, offer};

/// Buys a cart of these offers, in this order.
fn bought(pair: &Pair, offers: &[(&Offer, Choice)], positions: &Value) -> Sale {
    try_bought(pair, offers, positions).expect("a sellable cart")
}

fn try_bought(
    pair: &Pair,
    offers: &[(&Offer, Choice)],
    positions: &Value,
) -> Result<Sale, PurchaseError> {
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
        (&customer, &pair.target_company.time_zone),
        now(),
        &mut Counter::default(),
    )
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
        reversed: None,
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
        time_zone: Zone::default(),
        started_at: now(),
        periods_paid: 1,
        paid_until: at("2026-08-01T12:00:00Z"),
        unpaid: Vec::new(),
        rules: RenewalRules::default(),
        life: Life::Active,
        cross_client: None,
        voucher_hash: None,
        external_system_id: None,
        metadata: Metadata::default(),
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
        external_system_id: None,
        metadata: Metadata::default(),
        external: None,
        request: None,
        created_at: now(),
        updated_at: now(),
        version: 1,
    };
    let subscriptions = vec![own_row(&pair, 1, &paper, &pair.customer())];
    let expected = Sale {
        order,
        subscriptions,
        payouts: Vec::new(),
        announcements: Vec::new(),
        once: vec![],
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

fn link(pair: &Pair) -> CrossClientLink {
    CrossClientLink {
        source_client_id: pair.source.id,
        source_name: pair.source.name.clone(),
        target_client_id: pair.target.id,
        target_name: pair.target.name.clone(),
        connection_id: pair.connection.id,
        seller_share_basis_points: BasisPoints(2_000),
        between_companies: pair.source.company_id != pair.target.company_id,
        cost_center: None,
        offer_metadata: Metadata::default(),
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
        external_system_id: None,
        metadata: Metadata::default(),
        offer_metadata: Metadata::default(),
        cost_center: None,
        gross: euro(3_000),
        seller_share_basis_points: BasisPoints(2_000),
        due: euro(2_400),
        differs_from_terms: false,
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
        cross_client: Some(link(&pair)),
        ..own_row(&pair, 2, &shared, &pair.customer())
    };
    let source = Subscription {
        client_id: pair.source.id,
        role: Role::Source,
        ..seller.clone()
    };
    assert_eq!(source.status(now()), Status::Active);
    assert_eq!(sale.subscriptions, [seller, source]);
    assert_eq!(sale.payouts, [payout(&pair, &shared)]);
    assert_eq!(
        sale.order.positions[1].source_client_id,
        Some(pair.source.id)
    );
    assert_eq!(sale.order.positions[1].subscription_id, Some(id(0x1002)));
    assert_eq!(sale.order.total, euro(4_000));
    assert!(sale.announcements.is_empty());
}

#[test]
fn a_source_of_another_company_gets_a_voucher_and_a_callback() {
    let pair = Pair::between_two_companies();
    let (sale, shared) = sold(&pair);
    let seller = Subscription {
        role: Role::Seller,
        quantity: 3,
        cross_client: Some(link(&pair)),
        ..own_row(&pair, 2, &shared, &pair.customer())
    };
    let source = Subscription {
        client_id: pair.source.id,
        role: Role::Source,
        customer_id: None,
        voucher_hash: Some(VoucherHash("hash 1".to_owned())),
        ..seller.clone()
    };
    assert_eq!(
        (seller.status(now()), source.status(now())),
        (Status::Active, Status::Pending)
    );
    assert_eq!(sale.subscriptions, [seller, source]);
    assert_eq!(sale.payouts, [payout(&pair, &shared)]);
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
    let rest =
        serde_json::to_string(&(&sale.order, &sale.subscriptions, &sale.payouts)).expect("JSON");
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
