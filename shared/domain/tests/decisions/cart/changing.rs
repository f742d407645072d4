//! Edits and archived carts.

use serde_json::{Value, json};
use tandem_domain::cart::{
    Cart, CartEdit, CartError, CartStatus, Choice, OfferLookup, PositionProblem,
};

use super::drafted;
use crate::fixtures::{Pair, name, now, offer, yesterday};

#[test]
fn an_edit_replaces_and_checks_its_fields() {
    let pair = Pair::within_one_company();
    let (before, after) = (offer(60, pair.target.id), offer(61, pair.target.id));
    let cart = pair.cart(vec![pair.position(1, &before, Choice::Mandatory)]);
    let edit = |value: Value| CartEdit::parse(&value).expect("an edit");
    let renamed = cart
        .clone()
        .edit(
            edit(json!({"name": "Neu"})),
            |_| OfferLookup::NotFound,
            now(),
        )
        .expect("allowed");
    assert_eq!(
        renamed,
        Cart {
            name: name("Neu"),
            updated_at: now(),
            ..cart.clone()
        }
    );
    let moved = edit(json!({"positions": [drafted(1, 61)]}));
    let moved = cart
        .clone()
        .edit(moved, |_| OfferLookup::Own(&after), now())
        .expect("allowed");
    assert_eq!(
        moved.positions,
        [pair.position(1, &after, Choice::Mandatory)]
    );
    let refused = cart.clone().edit(
        edit(json!({"positions": [drafted(1, 61)]})),
        |_| OfferLookup::NotFound,
        now(),
    );
    assert_eq!(
        refused,
        Err(CartError::Positions(vec![(1, PositionProblem::NotFound)]))
    );
}

#[test]
fn a_description_can_be_set_and_cleared() {
    let cart = Pair::within_one_company().cart(Vec::new());
    let edit = |value: Value| CartEdit::parse(&value).expect("an edit");
    let set = cart
        .clone()
        .edit(
            edit(json!({"description": "Zwei zum Preis von zwei"})),
            |_| OfferLookup::NotFound,
            now(),
        )
        .expect("allowed");
    assert_eq!(
        set.description.as_ref().map(|text| text.as_str()),
        Some("Zwei zum Preis von zwei")
    );
    let kept = set
        .clone()
        .edit(edit(json!({})), |_| OfferLookup::NotFound, now())
        .expect("allowed");
    assert_eq!(kept.description, set.description);
    assert_eq!(
        set.edit(
            edit(json!({"description": null})),
            |_| OfferLookup::NotFound,
            now()
        )
        .expect("allowed")
        .description,
        None
    );
}

#[test]
fn an_archived_cart_cannot_be_changed() {
    let cart = Pair::within_one_company().cart(Vec::new());
    let archived = cart.clone().archive(now()).expect("allowed");
    assert_eq!(
        archived,
        Cart {
            status: CartStatus::Archived,
            updated_at: now(),
            ..cart
        }
    );
    assert_eq!(archived.clone().archive(now()), Err(CartError::Archived));
    let edit = CartEdit::parse(&json!({"name": "Neu"})).expect("an edit");
    assert_eq!(
        archived.edit(edit, |_| OfferLookup::NotFound, yesterday()),
        Err(CartError::Archived)
    );
}
