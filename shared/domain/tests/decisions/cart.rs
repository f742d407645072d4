//! The rules of carts.

mod changing;

use serde_json::{Value, json};
use tandem_domain::cart::{
    Cart, CartDraft, CartError, CartStatus, Choice, Occasion, OfferLookup, Origin, Position,
    PositionDraft, PositionProblem, check, sellability,
};
use tandem_domain::ids::OfferId;
use tandem_domain::metadata::Metadata;
use tandem_domain::offer::{Offer, OfferStatus};
use tandem_domain::sharing::NotShared;
use tandem_domain::terms::TermsNotAccepted;

use crate::fixtures::{Pair, codes, id, money, name, now, offer};

/// Checks mandatory positions, numbered from 1, with their looked-up offers.
fn checked(pair: &Pair, found: &[OfferLookup<'_>]) -> Result<(), CartError> {
    let positions: Vec<_> = (1_u8..)
        .zip(found)
        .map(|(number, found)| {
            let offer_id = found
                .offer()
                .map_or_else(|| id(u128::from(number)), |offer| offer.id);
            (
                Position {
                    number,
                    offer_id,
                    choice: Choice::Mandatory,
                    origin: None,
                },
                *found,
            )
        })
        .collect();
    check(pair.target.id, &positions, (Occasion::Sale, now())).map(|_| ())
}

/// Checks a cart with a valid own offer at position 1 and another offer.
fn with_second(pair: &Pair, second: OfferLookup<'_>) -> Result<(), CartError> {
    let own = offer(60, pair.target.id);
    checked(pair, &[OfferLookup::Own(&own), second])
}

fn wrong(problem: PositionProblem) -> Result<(), CartError> {
    Err(CartError::Positions(vec![(2, problem)]))
}

/// The code of the refusal, and the unsellable positions, of own offers by choice and status.
fn judged(status: CartStatus, offers: &[(Choice, OfferStatus)]) -> (Option<&'static str>, Vec<u8>) {
    let pair = Pair::within_one_company();
    let offers: Vec<_> = (60..)
        .zip(offers)
        .map(|(number, (choice, status))| {
            let offer = Offer {
                status: *status,
                ..offer(number, pair.target.id)
            };
            (*choice, offer)
        })
        .collect();
    let positions: Vec<_> = (1_u8..)
        .zip(&offers)
        .map(|(number, (choice, offer))| {
            let position = pair.position(number, offer, *choice);
            (position, OfferLookup::Own(offer))
        })
        .collect();
    let judged = sellability(pair.target.id, status, &positions, now());
    let numbers = judged.positions.iter().map(|(number, _)| *number).collect();
    (judged.refusal.map(|refusal| refusal.code()), numbers)
}

#[test]
fn a_cart_is_sellable_if_its_mandatory_positions_are() {
    use Choice::{Mandatory, Optional};
    use OfferStatus::{Active, Archived};
    let judge = |offers: &[_]| judged(CartStatus::Active, offers);
    assert_eq!(judge(&[(Mandatory, Active)]), (None, vec![]));
    let optional_gone = [(Mandatory, Active), (Optional, Archived)];
    assert_eq!(judge(&optional_gone), (None, vec![2]));
    let mandatory_gone = [(Mandatory, Archived), (Optional, Active)];
    assert_eq!(
        judge(&mandatory_gone),
        (Some("position_not_sellable"), vec![1])
    );
    assert_eq!(
        judged(CartStatus::Archived, &optional_gone),
        (Some("cart_archived"), vec![2])
    );
}

#[test]
fn own_and_shared_offers_can_be_combined() {
    for pair in [Pair::within_one_company(), Pair::between_two_companies()] {
        let shared = pair.shared_offer(61);
        assert_eq!(with_second(&pair, pair.found(&shared)), Ok(()));
    }
}

#[test]
fn own_offers_need_no_shared_offer() {
    let pair = Pair::within_one_company();
    assert_eq!(
        with_second(&pair, OfferLookup::Own(&offer(61, pair.target.id))),
        Ok(())
    );
}

#[test]
fn each_problem_is_reported_with_its_position() {
    let pair = Pair::between_two_companies();
    let valid = offer(61, pair.target.id);
    let archived = Offer {
        status: OfferStatus::Archived,
        ..valid.clone()
    };
    let external = Offer {
        externally_managed: true,
        ..valid.clone()
    };
    let cross_client = Offer {
        client_id: pair.target.id,
        ..pair.shared_offer(61)
    };
    let swiss = Offer {
        price: money(1_000, "CHF"),
        ..valid.clone()
    };
    let repeated = Offer {
        id: id(60),
        ..valid
    };
    for (offer, problem) in [
        (&archived, PositionProblem::Archived),
        (&external, PositionProblem::ExternallyManaged),
        (&cross_client, PositionProblem::OwnCrossClient),
        (&swiss, PositionProblem::OtherCurrency),
        (&repeated, PositionProblem::Repeated),
    ] {
        assert_eq!(with_second(&pair, OfferLookup::Own(offer)), wrong(problem));
    }
    assert_eq!(
        with_second(&pair, OfferLookup::NotFound),
        wrong(PositionProblem::NotFound)
    );
}

#[test]
fn an_unavailable_shared_offer_is_reported_with_its_reason() {
    let mut pair = Pair::between_two_companies();
    let shared = pair.shared_offer(61);
    pair.connection.offers_access = false;
    assert_eq!(
        with_second(&pair, pair.found(&shared)),
        wrong(PositionProblem::NotShared(NotShared::NoAccess))
    );
}

#[test]
fn a_shared_offer_in_another_currency_is_refused() {
    let pair = Pair::between_two_companies();
    let swiss = Offer {
        price: money(1_000, "CHF"),
        ..pair.shared_offer(61)
    };
    assert_eq!(
        with_second(&pair, pair.found(&swiss)),
        wrong(PositionProblem::OtherCurrency)
    );
}

#[test]
fn all_wrong_positions_are_reported_at_once() {
    let pair = Pair::between_two_companies();
    let own = offer(60, pair.target.id);
    let external = Offer {
        externally_managed: true,
        ..offer(61, pair.target.id)
    };
    let result = checked(
        &pair,
        &[
            OfferLookup::NotFound,
            OfferLookup::Own(&own),
            OfferLookup::Own(&external),
            OfferLookup::Own(&own),
        ],
    );
    let expected = vec![
        (1, PositionProblem::NotFound),
        (3, PositionProblem::ExternallyManaged),
        (4, PositionProblem::Repeated),
    ];
    assert_eq!(result, Err(CartError::Positions(expected)));
}

#[test]
fn a_cart_with_a_shared_offer_needs_an_own_offer() {
    let pair = Pair::between_two_companies();
    let (one, other) = (pair.shared_offer(61), pair.shared_offer(62));
    assert_eq!(
        checked(&pair, &[pair.found(&one), pair.found(&other)]),
        Err(CartError::NothingOwn)
    );
}

#[test]
fn a_cart_needs_a_mandatory_position() {
    let pair = Pair::within_one_company();
    let own = offer(60, pair.target.id);
    for (choice, expected) in [
        (Choice::Optional, Err(CartError::NothingMandatory)),
        (Choice::Preselected, Err(CartError::NothingMandatory)),
        (Choice::Mandatory, Ok(())),
    ] {
        assert_eq!(
            check(
                pair.target.id,
                &[(pair.position(1, &own, choice), OfferLookup::Own(&own))],
                (Occasion::Sale, now())
            )
            .map(|_| ()),
            expected
        );
    }
    let empty = check(pair.target.id, &[], (Occasion::Sale, now()));
    assert_eq!(empty, Err(CartError::NothingMandatory));
}

#[test]
fn each_problem_has_its_own_code() {
    let problems = [
        PositionProblem::NotFound,
        PositionProblem::Archived,
        PositionProblem::ExternallyManaged,
        PositionProblem::OwnCrossClient,
        PositionProblem::NotShared(NotShared::NoAccess),
        PositionProblem::TermsNotAccepted(TermsNotAccepted { version: 2 }),
        PositionProblem::OtherCurrency,
        PositionProblem::Repeated,
    ];
    let codes: std::collections::BTreeSet<_> = problems.iter().map(PositionProblem::code).collect();
    assert_eq!(codes.len(), problems.len());
}

fn drafted(number: i64, offer: u128) -> Value {
    json!({"position": number, "offerId": id::<OfferId>(offer), "mandatory": true})
}

fn draft(positions: &Value) -> Value {
    json!({"name": "Doppelpack", "positions": positions})
}

#[test]
fn a_cart_stores_the_origin_of_each_position() {
    let pair = Pair::between_two_companies();
    let (own, shared) = (offer(60, pair.target.id), pair.shared_offer(61));
    let optional =
        json!({"position": 2, "offerId": shared.id, "mandatory": false, "preselected": true});
    let draft = CartDraft::parse(&draft(&json!([optional, drafted(1, 60)]))).expect("a draft");
    let numbers: Vec<_> = draft
        .positions
        .iter()
        .map(|position| position.number)
        .collect();
    assert_eq!(numbers, [1, 2], "in order of their numbers");
    let cart = draft
        .create(
            id(31),
            pair.target.id,
            |id| pair.found(if id == own.id { &own } else { &shared }),
            now(),
        )
        .expect("a valid cart");
    let origin = Origin {
        client_id: pair.source.id,
        company_id: pair.source_company.id,
        connection_id: pair.connection.id,
    };
    let expected = Cart {
        id: id(31),
        client_id: pair.target.id,
        name: name("Doppelpack"),
        description: None,
        positions: vec![
            Position {
                number: 1,
                offer_id: own.id,
                choice: Choice::Mandatory,
                origin: None,
            },
            Position {
                number: 2,
                offer_id: shared.id,
                choice: Choice::Preselected,
                origin: Some(origin),
            },
        ],
        metadata: Metadata::default(),
        status: CartStatus::Active,
        created_at: now(),
        updated_at: now(),
        version: 1,
    };
    assert_eq!(cart, expected);
}

#[test]
fn a_cart_with_an_unsellable_position_is_not_created() {
    let pair = Pair::within_one_company();
    let draft = CartDraft::parse(&draft(&json!([drafted(1, 60)]))).expect("a draft");
    let made = draft.create(id(31), pair.target.id, |_| OfferLookup::NotFound, now());
    assert_eq!(
        made,
        Err(CartError::Positions(vec![(1, PositionProblem::NotFound)]))
    );
}

#[test]
fn a_cart_has_1_to_20_positions_without_gaps() {
    let numbered = |numbers: &[i64]| {
        let positions: Vec<_> = numbers.iter().map(|number| drafted(*number, 60)).collect();
        PositionDraft::parse_all(&json!(positions)).map(|positions| positions.len())
    };
    let code = |numbers: &[i64]| numbered(numbers).expect_err("invalid input").0[0].code;
    let up_to = |last: i64| (1..=last).collect::<Vec<_>>();
    assert_eq!(numbered(&up_to(1)), Ok(1));
    assert_eq!(numbered(&up_to(20)), Ok(20));
    assert_eq!(code(&[]), "wrong_length");
    assert_eq!(code(&up_to(21)), "wrong_length");
    for gap in [vec![2], vec![1, 3], vec![1, 1], vec![1, 2, 2], vec![2, 3]] {
        assert_eq!(code(&gap), "position_gap", "{gap:?}");
    }
    assert_eq!(code(&[0]), "out_of_range");
}

#[test]
fn an_invalid_cart_reports_each_wrong_member() {
    let wrong = json!({
        "name": "",
        "positions": [
            {"position": 1, "offerId": "off_1", "mandatory": "yes"},
            {"position": 2, "offerId": id::<OfferId>(60), "mandatory": true, "preselected": true},
        ],
        "currency": "EUR",
    });
    assert_eq!(
        codes(&CartDraft::parse(&wrong).expect_err("invalid input")),
        [
            ("name", "empty"),
            ("positions[0].offerId", "invalid"),
            ("positions[0].mandatory", "not_a_boolean"),
            ("positions[1].preselected", "not_optional"),
            ("currency", "unknown_field"),
        ]
    );
    assert_eq!(
        codes(&CartDraft::parse(&json!({})).expect_err("invalid input")),
        [("name", "required"), ("positions", "required")]
    );
}
