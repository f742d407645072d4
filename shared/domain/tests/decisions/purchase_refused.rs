//! Refused purchases.

use serde_json::{Value, json};
use tandem_domain::cart::{
    Cart, CartError, CartStatus, Choice, OfferLookup, Position, PositionProblem,
};
use tandem_domain::ids::CustomerId;
use tandem_domain::money::MAX_AMOUNT;
use tandem_domain::offer::{Offer, OfferStatus};
use tandem_domain::purchase::{PurchaseError, PurchaseRequest, Sale, decide};
use tandem_domain::sharing::NotShared;

use crate::fixtures::{Counter, Pair, codes, euro, id, money, now, offer};

fn request(positions: &Value) -> PurchaseRequest {
    let customer: CustomerId = id(40);
    let request = json!({"customerId": customer, "paymentMethod": "ZERO", "positions": positions});
    PurchaseRequest::parse(&request).expect("a request")
}

fn buy(
    pair: &Pair,
    cart: &Cart,
    found: &[OfferLookup<'_>],
    positions: &Value,
) -> Result<Sale, PurchaseError> {
    let request = request(positions);
    let chosen: Vec<(Position, OfferLookup<'_>)> = request
        .choose(cart)?
        .into_iter()
        .map(|position| (position, found[usize::from(position.number) - 1]))
        .collect();
    decide(
        cart,
        &request,
        &chosen,
        (&pair.customer(), &pair.target_company.time_zone),
        now(),
        &mut Counter::default(),
    )
}

/// Buys a cart of an own and a shared offer after a change; the shared one is mandatory.
fn refused(
    own_choice: Choice,
    change: impl FnOnce(&mut Pair, &mut Offer, &mut Offer, &mut Cart),
) -> PurchaseError {
    let mut pair = Pair::between_two_companies();
    let (mut own, mut shared) = (offer(60, pair.target.id), pair.shared_offer(61));
    let positions = vec![
        pair.position(1, &own, own_choice),
        pair.position(2, &shared, Choice::Mandatory),
    ];
    let mut cart = pair.cart(positions);
    change(&mut pair, &mut own, &mut shared, &mut cart);
    let found = [
        OfferLookup::Own(&own),
        OfferLookup::Shared(pair.shared(&shared)),
    ];
    buy(&pair, &cart, &found, &json!([])).expect_err("refused")
}

fn position(number: u8, problem: PositionProblem) -> PurchaseError {
    PurchaseError::Cart(CartError::Positions(vec![(number, problem)]))
}

#[test]
fn a_total_beyond_exact_json_integers_is_refused() {
    let pair = Pair::within_one_company();
    let priced = |number, amount| Offer {
        price: euro(amount),
        ..offer(number, pair.target.id)
    };
    let total = |amounts: [i64; 2], quantity: u32| {
        let offers = [priced(60, amounts[0]), priced(61, amounts[1])];
        let positions = vec![
            pair.position(1, &offers[0], Choice::Mandatory),
            pair.position(2, &offers[1], Choice::Mandatory),
        ];
        let found = [OfferLookup::Own(&offers[0]), OfferLookup::Own(&offers[1])];
        let chosen =
            json!([{"position": 1, "quantity": quantity}, {"position": 2, "quantity": quantity}]);
        buy(&pair, &pair.cart(positions), &found, &chosen).map(|sale| sale.order.total)
    };
    // 2^53 - 1 is 9,007,199,254,740,991: 10,000 times 900,719,925,474, and 991.
    let exact = total([900_719_925_474, 0], 10_000).map(|total| total.amount);
    assert_eq!(exact, Ok(9_007_199_254_740_000));
    for (amounts, quantity) in [
        ([MAX_AMOUNT, 0], 10_000),
        ([900_719_925_474, 1], 10_000),
        ([MAX_AMOUNT, MAX_AMOUNT], 10_000),
    ] {
        let refused = total(amounts, quantity);
        assert!(
            matches!(refused, Err(PurchaseError::TotalTooLarge(_))),
            "{refused:?}"
        );
    }
}

#[test]
fn an_archived_cart_is_not_bought() {
    let error = refused(Choice::Mandatory, |_, _, _, cart| {
        cart.status = CartStatus::Archived
    });
    assert_eq!(error, PurchaseError::Cart(CartError::Archived));
}

#[test]
fn a_change_since_the_carts_creation_is_refused() {
    let refused = |change: fn(&mut Pair, &mut Offer, &mut Offer, &mut Cart)| {
        refused(Choice::Mandatory, change)
    };
    let no_access = refused(|pair, _, _, _| pair.connection.offers_access = false);
    assert_eq!(
        no_access,
        position(2, PositionProblem::NotShared(NotShared::NoAccess))
    );
    let module_off =
        refused(|pair, _, _, _| pair.source_company.modules.cross_client_connections = false);
    assert_eq!(
        module_off,
        position(2, PositionProblem::NotShared(NotShared::ModuleOff))
    );
    let archived = refused(|_, own, _, _| own.status = OfferStatus::Archived);
    assert_eq!(archived, position(1, PositionProblem::Archived));
    let swiss = refused(|_, _, shared, _| shared.price = money(1, "CHF"));
    assert_eq!(swiss, position(2, PositionProblem::OtherCurrency));
}

#[test]
fn a_shared_offer_is_never_bought_alone() {
    assert_eq!(
        refused(Choice::Optional, |_, _, _, _| ()),
        PurchaseError::Cart(CartError::NothingOwn)
    );
}

#[test]
fn an_unchosen_optional_position_may_be_unavailable() {
    let pair = Pair::between_two_companies();
    let (own, gone) = (offer(60, pair.target.id), OfferLookup::NotFound);
    let unavailable = Position {
        number: 2,
        offer_id: id(61),
        choice: Choice::Optional,
        origin: None,
    };
    let cart = pair.cart(vec![pair.position(1, &own, Choice::Mandatory), unavailable]);
    let sale =
        buy(&pair, &cart, &[OfferLookup::Own(&own), gone], &json!([])).expect("a sellable cart");
    assert_eq!(sale.order.positions.len(), 1);
    let chosen = buy(
        &pair,
        &cart,
        &[OfferLookup::Own(&own), gone],
        &json!([{"position": 2}]),
    );
    assert_eq!(chosen, Err(position(2, PositionProblem::NotFound)));
}

#[test]
fn a_position_that_the_cart_lacks_is_reported() {
    let pair = Pair::within_one_company();
    let own = offer(60, pair.target.id);
    let cart = pair.cart(vec![pair.position(1, &own, Choice::Mandatory)]);
    let refused = buy(
        &pair,
        &cart,
        &[OfferLookup::Own(&own)],
        &json!([{"position": 3}, {"position": 1}, {"position": 2}]),
    );
    assert_eq!(refused, Err(PurchaseError::UnknownPositions(vec![2, 3])));
}

#[test]
fn an_empty_cart_cannot_be_bought() {
    let pair = Pair::within_one_company();
    let refused = buy(&pair, &pair.cart(Vec::new()), &[], &json!([]));
    assert_eq!(
        refused,
        Err(PurchaseError::Cart(CartError::NothingMandatory))
    );
}

#[test]
fn an_invalid_request_reports_each_wrong_member() {
    let wrong = json!({
        "customerId": 7,
        "paymentMethod": "CASH",
        "positions": [
            {"position": 0},
            {"position": 2, "quantity": 0},
            {"position": 3, "quantity": 10_001},
            {"quantity": 1.5},
        ],
        "total": 1,
    });
    assert_eq!(
        codes(&PurchaseRequest::parse(&wrong).expect_err("invalid input")),
        [
            ("customerId", "not_a_string"),
            ("paymentMethod", "unknown_value"),
            ("positions[0].position", "out_of_range"),
            ("positions[1].quantity", "out_of_range"),
            ("positions[2].quantity", "out_of_range"),
            ("positions[3].position", "required"),
            ("positions[3].quantity", "not_an_integer"),
            ("total", "unknown_field"),
        ]
    );
    let required = PurchaseRequest::parse(&json!({})).expect_err("invalid input");
    assert_eq!(
        codes(&required),
        [("customerId", "required"), ("paymentMethod", "required")]
    );
}

#[test]
fn a_position_may_be_listed_only_once() {
    let customer: CustomerId = id(40);
    let twice = json!([{"position": 1}, {"position": 2}, {"position": 1, "quantity": 2}]);
    let request = json!({"customerId": customer, "paymentMethod": "PAYPAL", "positions": twice});
    let errors = PurchaseRequest::parse(&request).expect_err("invalid input");
    assert_eq!(codes(&errors), [("positions[2].position", "repeated")]);
}
