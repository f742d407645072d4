//! The rules of offers, and their edits.

use serde_json::{Value, json};
use tandem_domain::ids::ClientId;
use tandem_domain::money::BasisPoints;
use tandem_domain::offer::{
    CrossClient, MAX_MANAGED_PRICE, Offer, OfferDraft, OfferEdit, OfferError, OfferKind,
    OfferStatus,
};

use crate::fixtures::{Pair, codes, euro, id, monthly, name, now, offer, with};

fn subscription() -> Value {
    json!({
        "name": "Digitalabo",
        "type": "subscription",
        "price": {"amount": 1_000, "currency": "EUR"},
        "period": {"unit": "month", "count": 1},
        "renews": true,
    })
}

fn single() -> Value {
    json!({"name": "Sonderheft", "type": "single", "price": {"amount": 0, "currency": "EUR"}})
}

fn sharing(targets: &[ClientId]) -> Value {
    json!({"targetClientIds": targets, "sellerShareBasisPoints": 2_000})
}

fn refused(value: &Value) -> Vec<(String, String)> {
    let errors = OfferDraft::parse(value).expect_err("invalid input");
    codes(&errors)
        .into_iter()
        .map(|(field, code)| (field.to_owned(), code.to_owned()))
        .collect()
}

fn one(field: &str, code: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), code.to_owned())]
}

#[test]
fn a_draft_becomes_the_offer_it_describes() {
    let made = OfferDraft::parse(&subscription())
        .expect("a draft")
        .create(id(60), id(12), now());
    let expected = Offer {
        name: name("Digitalabo"),
        created_at: now(),
        updated_at: now(),
        ..offer(60, id(12))
    };
    assert_eq!(made, expected);
    let made = OfferDraft::parse(&single())
        .expect("a draft")
        .create(id(60), id(12), now());
    assert_eq!((made.kind, made.price), (OfferKind::Single, euro(0)));
    assert_eq!(
        offer(60, id(12)).kind,
        OfferKind::Subscription {
            period: monthly(),
            renews: true
        }
    );
}

#[test]
fn repeated_targets_are_stored_once() {
    let value = with(
        subscription(),
        "crossClient",
        sharing(&[id(14), id(13), id(14)]),
    );
    let made = OfferDraft::parse(&value)
        .expect("a draft")
        .create(id(60), id(12), now());
    let expected = CrossClient {
        target_client_ids: vec![id(13), id(14)],
        seller_share_basis_points: BasisPoints(2_000),
    };
    assert_eq!(made.cross_client, Some(expected));
    assert!(made.names(id(13)) && made.names(id(14)) && !made.names(id(15)));
}

#[test]
fn an_offer_names_1_to_40_targets() {
    let named = |count: u128| {
        (0..count)
            .map(|number| id(100 + number))
            .collect::<Vec<ClientId>>()
    };
    let draft = |count| with(subscription(), "crossClient", sharing(&named(count)));
    assert!(OfferDraft::parse(&draft(1)).is_ok() && OfferDraft::parse(&draft(40)).is_ok());
    for count in [0, 41] {
        assert_eq!(
            refused(&draft(count)),
            one("crossClient.targetClientIds", "wrong_length")
        );
    }
}

#[test]
fn only_time_based_offers_can_be_shared() {
    let value = with(single(), "crossClient", sharing(&[id(13)]));
    assert_eq!(refused(&value), one("crossClient", "not_time_based"));
}

#[test]
fn an_imported_order_is_never_beyond_exact_json_integers() {
    let priced = |amount: i64| {
        let external = with(subscription(), "externallyManaged", json!(true));
        with(
            external,
            "price",
            json!({"amount": amount, "currency": "EUR"}),
        )
    };
    assert_eq!(MAX_MANAGED_PRICE * 10_000, 9_007_199_254_740_000);
    let offer = OfferDraft::parse(&priced(MAX_MANAGED_PRICE)).expect("a draft");
    let offer = offer.create(id(60), id(12), now());
    let too_large = MAX_MANAGED_PRICE + 1;
    assert_eq!(
        refused(&priced(too_large)),
        one("price.amount", "out_of_range")
    );
    let edit = json!({"price": {"amount": too_large, "currency": "EUR"}});
    let edit = OfferEdit::parse(&edit).expect("an edit");
    assert_eq!(offer.edit(edit, now()), Err(OfferError::PriceTooLarge));
}

#[test]
fn an_externally_managed_offer_cannot_be_shared() {
    let external = with(subscription(), "externallyManaged", json!(true));
    assert!(OfferDraft::parse(&external).is_ok());
    let value = with(external, "crossClient", sharing(&[id(13)]));
    assert_eq!(
        refused(&value),
        one("externallyManaged", "contradicts_cross_client")
    );
}

#[test]
fn only_subscriptions_have_a_period() {
    let timeless =
        json!({"name": "A", "type": "subscription", "price": {"amount": 1, "currency": "EUR"}});
    let missing = [one("period", "required"), one("renews", "required")].concat();
    assert_eq!(refused(&timeless), missing);
    let timed = with(
        with(single(), "renews", json!(false)),
        "period",
        json!({"unit": "day", "count": 1}),
    );
    let surplus = [
        one("period", "not_for_single"),
        one("renews", "not_for_single"),
    ]
    .concat();
    assert_eq!(refused(&timed), surplus);
}

#[test]
fn an_invalid_offer_reports_each_wrong_member() {
    let wrong = json!({
        "name": 1,
        "type": "subscription",
        "price": {"amount": -1, "currency": "EUR"},
        "period": {"unit": "fortnight", "count": 0},
        "renews": true,
        "crossClient": {"targetClientIds": ["x"], "sellerShareBasisPoints": 10_001},
        "clientId": "x",
    });
    let errors = OfferDraft::parse(&wrong).expect_err("invalid input");
    assert_eq!(
        codes(&errors),
        [
            ("name", "not_a_string"),
            ("price.amount", "out_of_range"),
            ("crossClient.targetClientIds[0]", "invalid"),
            ("crossClient.sellerShareBasisPoints", "out_of_range"),
            ("period.unit", "unknown_value"),
            ("period.count", "out_of_range"),
            ("clientId", "unknown_field"),
        ]
    );
}

#[test]
fn an_edit_changes_its_fields_only() {
    let pair = Pair::within_one_company();
    let before = pair.shared_offer(60);
    let asked = json!({"name": "Neu", "price": {"amount": 1_200, "currency": "EUR"}, "crossClient": sharing(&[id(13)])});
    let after = before
        .clone()
        .edit(OfferEdit::parse(&asked).expect("an edit"), now())
        .expect("allowed")
        .offer;
    let cross_client = Some(CrossClient {
        target_client_ids: vec![id(13)],
        seller_share_basis_points: BasisPoints(2_000),
    });
    let expected = Offer {
        name: name("Neu"),
        price: euro(1_200),
        cross_client,
        terms: after.terms.clone(),
        updated_at: now(),
        ..before
    };
    assert_eq!(after, expected);
}

#[test]
fn an_empty_edit_changes_nothing() {
    let before = Pair::within_one_company().shared_offer(60);
    let after = before
        .clone()
        .edit(OfferEdit::parse(&json!({})).expect("an edit"), now())
        .expect("allowed")
        .offer;
    let expected = Offer {
        // An offer of an earlier release has no terms of its targets yet.
        terms: before.terms_of_targets(),
        updated_at: now(),
        ..before
    };
    assert_eq!(after, expected);
}

#[test]
fn an_own_offer_cannot_become_shared() {
    let edit = OfferEdit::parse(&json!({"crossClient": sharing(&[id(13)])})).expect("an edit");
    assert_eq!(
        offer(60, id(12)).edit(edit, now()),
        Err(OfferError::SharingIsFixed)
    );
}

#[test]
fn type_period_and_management_are_fixed() {
    let asked = json!({"type": "single", "period": {"unit": "day", "count": 1}, "renews": false, "externallyManaged": true});
    let errors = OfferEdit::parse(&asked).expect_err("invalid input");
    assert_eq!(errors.0.len(), 4);
    assert!(errors.0.iter().all(|error| error.code == "unknown_field"));
}

#[test]
fn an_archived_offer_cannot_be_changed() {
    let before = offer(60, id(12));
    let archived = before.clone().archive(now()).expect("allowed");
    assert_eq!(
        archived,
        Offer {
            status: OfferStatus::Archived,
            updated_at: now(),
            ..before
        }
    );
    assert_eq!(archived.clone().archive(now()), Err(OfferError::Archived));
    let edit = OfferEdit::parse(&json!({"name": "Neu"})).expect("an edit");
    assert_eq!(archived.edit(edit, now()), Err(OfferError::Archived));
}

#[test]
fn rules_of_renewals_are_of_subscriptions_only() {
    let draft = with(subscription(), "graceDays", json!(14));
    let draft = with(draft, "renewalAmountTolerancePercent", json!(20));
    let made = OfferDraft::parse(&draft).expect("a draft");
    let made = made.create(id(60), id(12), now());
    let rules = |offer: &Offer| {
        let rules = offer.rules;
        (rules.grace_days, rules.renewal_amount_tolerance_percent)
    };
    assert_eq!(rules(&made), (14, Some(20)));
    let edited = |offer: &Offer, edit: Value| {
        let edit = OfferEdit::parse(&edit).expect("an edit");
        offer
            .clone()
            .edit(edit, now())
            .map(|edited| rules(&edited.offer))
    };
    assert_eq!(edited(&made, json!({})), Ok((14, Some(20))));
    assert_eq!(edited(&made, json!({"graceDays": 0})), Ok((0, Some(20))));
    let unlimited = json!({"renewalAmountTolerancePercent": null});
    assert_eq!(edited(&made, unlimited), Ok((14, None)));
    let out_of_range = json!({"graceDays": 91, "renewalAmountTolerancePercent": 101});
    let errors = OfferEdit::parse(&out_of_range).expect_err("out of range");
    let expected = [
        ("graceDays", "out_of_range"),
        ("renewalAmountTolerancePercent", "out_of_range"),
    ];
    assert_eq!(codes(&errors), expected);

    let draft = with(single(), "graceDays", json!(1));
    assert_eq!(refused(&draft), one("graceDays", "not_for_single"));
    let single = OfferDraft::parse(&single()).expect("a draft");
    let single = single.create(id(60), id(12), now());
    let refused = edited(&single, json!({"graceDays": 1}));
    assert_eq!(refused, Err(OfferError::RulesOfSingle));
}
