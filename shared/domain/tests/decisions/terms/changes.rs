//! Own terms of targets, and any sequence of changes.

use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_domain::ids::ClientId;
use tandem_domain::offer::{Offer, OfferEdit, OfferError};
use tandem_domain::terms::{Effect, Standing};

use super::{
    OTHER, TARGET, accepted, deadline, edit, edited, new_offer, price, sharing, standing, terms,
};
use crate::fixtures::{codes, euro, id, now};

fn own(target: u128, members: &Value) -> Value {
    let mut own = members.clone();
    own["targetClientId"] = json!(id::<ClientId>(target));
    own
}

#[test]
fn own_terms_of_a_target_concern_no_other_target() {
    let both = accepted(accepted(new_offer(), TARGET, 1), OTHER, 1);
    let change =
        json!({"crossClient": sharing(2_000, &json!([own(OTHER, &json!({"price": price(800)}))]))});
    let edited = edit(&both, &change).expect("allowed");
    let changed: Vec<_> = edited.changes.iter().map(|change| change.target).collect();
    assert_eq!(changed, [id(OTHER)]);
    let first = terms(1, 1_000, 2_000);
    assert_eq!(standing(&edited.offer, TARGET), Standing::Accepted(first));
    let proposal = standing(&edited.offer, OTHER).proposal().expect("proposed");
    assert_eq!(proposal.terms, terms(2, 800, 2_000));
    let offer = accepted(edited.offer, OTHER, 2);
    // A price that this target does not pay does not concern it.
    let edited = edit(&offer, &json!({"price": price(1_100)})).expect("allowed");
    let changed: Vec<_> = edited.changes.iter().map(|change| change.target).collect();
    assert_eq!(changed, [id(TARGET)]);
    assert_eq!(
        standing(&edited.offer, OTHER),
        Standing::Accepted(terms(2, 800, 2_000))
    );
}

#[test]
fn own_terms_stay_until_the_source_replaces_them() {
    let own_price = json!([own(TARGET, &json!({"price": price(800)}))]);
    let offer = edited(
        &new_offer(),
        &json!({"crossClient": sharing(2_000, &own_price)}),
    );
    let mut kept = sharing(3_000, &json!([]));
    kept.as_object_mut().expect("members").remove("targetTerms");
    let offer = edited(&offer, &json!({"crossClient": kept}));
    assert_eq!(
        standing(&offer, TARGET),
        Standing::Open(terms(3, 800, 3_000))
    );
    let offer = edited(&offer, &json!({"crossClient": sharing(3_000, &json!([]))}));
    assert_eq!(
        standing(&offer, TARGET),
        Standing::Open(terms(4, 1_000, 3_000))
    );
    assert_eq!(
        standing(&offer, OTHER),
        Standing::Open(terms(3, 1_000, 3_000))
    );
}

#[test]
fn a_new_offer_may_have_own_terms_of_a_target() {
    let draft = json!({
        "name": "Digitalabo",
        "type": "subscription",
        "price": price(1_000),
        "period": {"unit": "month", "count": 1},
        "renews": true,
        "crossClient": sharing(2_000, &json!([own(OTHER, &json!({"sellerShareBasisPoints": 3_000}))])),
    });
    let draft = tandem_domain::offer::OfferDraft::parse(&draft).expect("a draft");
    let offer = draft.create(id(60), id(11), now());
    assert_eq!(
        standing(&offer, TARGET),
        Standing::Open(terms(1, 1_000, 2_000))
    );
    assert_eq!(
        standing(&offer, OTHER),
        Standing::Open(terms(1, 1_000, 3_000))
    );
}

#[test]
fn own_terms_name_each_target_once_and_a_value() {
    let wrong = json!({"crossClient": sharing(2_000, &json!([
        own(TARGET, &json!({"price": price(800)})),
        own(TARGET, &json!({"price": price(700)})),
        own(99, &json!({"sellerShareBasisPoints": 1})),
    ]))});
    let field = |index: usize| format!("crossClient.targetTerms[{index}].targetClientId");
    let errors = OfferEdit::parse(&wrong).expect_err("invalid input");
    assert_eq!(
        codes(&errors),
        [
            (field(1).as_str(), "repeated"),
            (field(2).as_str(), "not_a_target")
        ]
    );
    let nothing = json!({"crossClient": sharing(2_000, &json!([own(TARGET, &json!({}))]))});
    let errors = OfferEdit::parse(&nothing).expect_err("invalid input");
    assert_eq!(
        codes(&errors),
        [("crossClient.targetTerms[0]", "nothing_given")]
    );
}

#[test]
fn a_deadline_needs_terms_that_end_then() {
    let at_first = accepted(new_offer(), TARGET, 1);
    let past = json!({"price": price(1_200), "sellOldTermsUntil": now()});
    assert_eq!(edit(&at_first, &past), Err(OfferError::DeadlineInThePast));
    let alone = json!({"sellOldTermsUntil": deadline()});
    assert_eq!(edit(&at_first, &alone), Err(OfferError::NothingProposed));
}

#[test]
fn a_deadline_can_be_given_later_moved_and_taken_back() {
    let until = |time: Value| json!({"sellOldTermsUntil": time});
    let proposed = edited(
        &accepted(new_offer(), TARGET, 1),
        &json!({"price": price(1_200)}),
    );
    let steps = [
        (until(json!(deadline())), Some(deadline())),
        (json!({"name": "Neu"}), None),
        (
            until(json!("2026-09-01T00:00:00Z")),
            Some("2026-09-01T00:00:00Z".parse().expect("a time")),
        ),
        (until(json!("2026-09-01T00:00:00Z")), None),
    ];
    let mut offer = proposed;
    for (change, until) in steps {
        let edited = edit(&offer, &change).expect("allowed");
        let effects: Vec<_> = edited.changes.iter().map(|change| change.effect).collect();
        let expected = until.map(|until| Effect::Proposed {
            sell_old_terms_until: Some(until),
        });
        assert_eq!(effects, Vec::from_iter(expected), "{change}");
        offer = edited.offer;
    }
    let last = edit(&offer, &until(Value::Null)).expect("allowed");
    assert_eq!(last.changes.len(), 1);
    let proposal = standing(&last.offer, TARGET).proposal().expect("proposed");
    assert_eq!(
        (proposal.terms.version, proposal.sell_old_terms_until),
        (2, None)
    );
}

#[test]
fn a_history_line_has_the_old_and_the_new_values() {
    let change = json!({"price": price(4_990), "crossClient": sharing(0, &json!([])), "sellOldTermsUntil": deadline()});
    let edited = edit(&accepted(new_offer(), TARGET, 1), &change).expect("allowed");
    assert_eq!(
        edited.changes[0].in_words(),
        [
            "version: 1 -> 2",
            "price: 1000 EUR -> 4990 EUR",
            "sellerShareBasisPoints: 2000 -> 0",
            "sellOldTermsUntil: 2026-08-01T00:00:00Z",
        ]
    );
}

/// One step of a random history: a change by the source, or an acceptance by a target.
#[derive(Debug, Clone, Copy)]
enum Step {
    Base {
        price: i64,
        share: u16,
    },
    Own {
        target: u128,
        price: Option<i64>,
        share: Option<u16>,
    },
    Accept {
        target: u128,
    },
    Cart {
        target: u128,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    let target = || prop_oneof![Just(TARGET), Just(OTHER)];
    let (cents, share) = (|| 900..903_i64, || 2_000..2_003_u16);
    prop_oneof![
        (cents(), share()).prop_map(|(price, share)| Step::Base { price, share }),
        (
            target(),
            prop::option::of(cents()),
            prop::option::of(share())
        )
            .prop_map(|(target, price, share)| Step::Own {
                target,
                price,
                share
            }),
        target().prop_map(|target| Step::Accept { target }),
        target().prop_map(|target| Step::Cart { target }),
    ]
}

fn played(offer: &Offer, step: Step) -> Offer {
    match step {
        Step::Base {
            price: cents,
            share,
        } => {
            let mut sharing = sharing(share, &json!([]));
            sharing
                .as_object_mut()
                .expect("members")
                .remove("targetTerms");
            edited(
                offer,
                &json!({"price": price(cents), "crossClient": sharing}),
            )
        }
        Step::Own {
            target,
            price: cents,
            share,
        } => {
            let share_now = offer.cross_client.as_ref().expect("shared");
            let share_now = share_now.seller_share_basis_points.0;
            let own = match (cents, share) {
                (None, None) => json!([]),
                _ => json!([own(
                    target,
                    &json!({"price": cents.map(price), "sellerShareBasisPoints": share})
                )]),
            };
            edited(offer, &json!({"crossClient": sharing(share_now, &own)}))
        }
        Step::Accept { target } => {
            let version = offer.terms_for(id(target)).expect("a target").version;
            let accepted = offer.clone().accept_terms(id(target), version);
            accepted
                .expect("allowed")
                .map_or_else(|| offer.clone(), |accepted| accepted.offer)
        }
        Step::Cart { target } => offer
            .put_into_cart(id(target), now())
            .unwrap_or_else(|| offer.clone()),
    }
}

proptest! {
    /// A target sells at terms that it said yes to, or at better ones for it; a version has one content; versions only rise.
    #[test]
    fn no_history_sells_at_terms_without_consent(steps in prop::collection::vec(any_step(), 1..30)) {
        let mut offer = new_offer();
        let mut contents = std::collections::BTreeMap::new();
        for step in steps {
            let before = offer.clone();
            offer = played(&offer, step);
            for target in [TARGET, OTHER] {
                let (was, is) = (standing(&before, target), standing(&offer, target));
                let asked = matches!(step, Step::Accept { target: by } | Step::Cart { target: by } if by == target);
                match (was.sold_at().ok(), is.sold_at().ok()) {
                    (Some(was), Some(is)) if was != is => {
                        prop_assert!(is.version > was.version, "{was:?} {is:?}");
                        prop_assert!(asked || is.only_favour(&was), "{step:?} {was:?} {is:?}");
                    }
                    (None, Some(_)) => prop_assert!(asked, "{step:?}"),
                    (was, is) => prop_assert_eq!(was, is),
                }
                let present = offer.terms_for(id(target)).expect("a target");
                prop_assert!(present.version >= before.terms_for(id(target)).expect("a target").version);
                let content = (present.price, present.seller_share_basis_points);
                let known = *contents.entry((target, present.version)).or_insert(content);
                prop_assert_eq!(known, content, "version {}", present.version);
                prop_assert!(is.accepted().is_none_or(|accepted| accepted.price.currency == euro(0).currency));
            }
        }
    }
}
