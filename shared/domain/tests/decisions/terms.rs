//! The terms of a shared offer: the full table of states and events, and the terms of several targets.

mod changes;
mod warnings;

use jiff::Timestamp;
use serde_json::{Value, json};
use tandem_domain::ids::ClientId;
use tandem_domain::money::BasisPoints;
use tandem_domain::offer::{EditedOffer, Offer, OfferDraft, OfferEdit, OfferError, OfferStatus};
use tandem_domain::terms::{
    Effect, Proposal, Standing, Terms, TermsError, TermsNotAccepted, TermsVersion,
};

use crate::fixtures::{Pair, at, codes, euro, id, now};

const TARGET: u128 = 12;
const OTHER: u128 = 13;

fn deadline() -> Timestamp {
    at("2026-08-01T00:00:00Z")
}

fn terms(version: u64, cents: i64, share: u16) -> Terms {
    Terms {
        version,
        price: euro(cents),
        seller_share_basis_points: BasisPoints(share),
    }
}

/// A new offer at 10.00 EUR and a share of 20 %, for two targets.
pub(crate) fn new_offer() -> Offer {
    let draft = json!({
        "name": "Digitalabo",
        "type": "subscription",
        "price": {"amount": 1_000, "currency": "EUR"},
        "period": {"unit": "month", "count": 1},
        "renews": true,
        "crossClient": sharing(2_000, &json!([])),
    });
    let draft = OfferDraft::parse(&draft).expect("a draft");
    draft.create(id(60), id(11), now())
}

fn sharing(share: u16, target_terms: &Value) -> Value {
    json!({
        "targetClientIds": [id::<ClientId>(TARGET), id::<ClientId>(OTHER)],
        "sellerShareBasisPoints": share,
        "targetTerms": target_terms,
    })
}

fn price(cents: i64) -> Value {
    json!({"amount": cents, "currency": "EUR"})
}

fn edit(offer: &Offer, edit: &Value) -> Result<EditedOffer, OfferError> {
    let edit = OfferEdit::parse(edit).expect("an edit");
    offer.clone().edit(edit, now())
}

pub(crate) fn edited(offer: &Offer, change: &Value) -> Offer {
    edit(offer, change).expect("allowed").offer
}

pub(crate) fn accepted(offer: Offer, target: u128, version: u64) -> Offer {
    let accepted = offer.accept_terms(id(target), version).expect("allowed");
    accepted.expect("a change").offer
}

fn standing(offer: &Offer, target: u128) -> Standing {
    offer.standing(id(target), now()).expect("a target")
}

/// The offer in each state of its first target: accepted are version 1, proposed version 2 at 12.00 EUR.
fn states() -> [(&'static str, Offer); 4] {
    let open = new_offer();
    let at_first = accepted(open.clone(), TARGET, 1);
    let proposed = edited(&at_first, &json!({"price": price(1_200)}));
    let until = json!({"price": price(1_200), "sellOldTermsUntil": now() + jiff::SignedDuration::from_secs(1)});
    let mut expired = edited(&at_first, &until);
    for own in &mut expired.terms.as_mut().expect("terms").targets {
        own.sell_old_terms_until = own.sell_old_terms_until.and(Some(now()));
    }
    [
        ("open", open),
        ("accepted", at_first),
        ("proposed", proposed),
        ("expired", expired),
    ]
}

fn name_of(standing: &Standing) -> &'static str {
    match standing {
        Standing::Open(_) => "open",
        Standing::Accepted(_) => "accepted",
        Standing::Proposed { .. } => "proposed",
        Standing::Expired { .. } => "expired",
    }
}

/// The state after an event, with the version at which the target sells, if it does; or the refusal.
fn after(outcome: Result<Offer, String>) -> String {
    match outcome {
        Err(refusal) => refusal,
        Ok(offer) => {
            let standing = standing(&offer, TARGET);
            let sold = standing
                .sold_at()
                .map_or("-".to_owned(), |terms| terms.version.to_string());
            format!("{} {sold}", name_of(&standing))
        }
    }
}

fn accept(offer: &Offer, version: u64) -> Result<Offer, String> {
    match offer.clone().accept_terms(id(TARGET), version) {
        Ok(None) => Ok(offer.clone()),
        Ok(Some(accepted)) => Ok(accepted.offer),
        Err(TermsError::NotShared) => Err("not shared".to_owned()),
        Err(TermsError::OtherVersion { current }) => Err(format!("current is {current}")),
    }
}

/// The offer after each event, by its state before.
fn events(offer: &Offer) -> [(&'static str, String); 10] {
    let edit = |change: Value| edit(offer, &change).map(|edited| edited.offer);
    let edit = |change: Value| after(edit(change).map_err(|error| format!("{error:?}")));
    let own = |price: Value, share: Value| json!([{"targetClientId": id::<ClientId>(TARGET), "price": price, "sellerShareBasisPoints": share}]);
    let own =
        |price: Value, share: Value| json!({"crossClient": sharing(2_000, &own(price, share))});
    let archived = offer.clone().archive(now()).expect("active");
    let in_a_cart = offer.put_into_cart(id(TARGET), now());
    [
        ("accept 1", after(accept(offer, 1))),
        ("accept 2", after(accept(offer, 2))),
        (
            "put into a cart",
            after(Ok(in_a_cart.unwrap_or_else(|| offer.clone()))),
        ),
        ("propose", edit(json!({"price": price(1_500)}))),
        (
            "propose until",
            edit(json!({"price": price(1_500), "sellOldTermsUntil": deadline()})),
        ),
        (
            "favour",
            edit(json!({"price": price(1_000), "crossClient": sharing(2_500, &json!([]))})),
        ),
        ("take back", edit(json!({"price": price(1_000)}))),
        ("override", edit(own(price(900), Value::Null))),
        ("favour by override", edit(own(price(1_000), json!(2_500)))),
        ("archive", after(accept(&archived, 1))),
    ]
}

#[test]
fn every_state_handles_every_event_as_the_table_says() {
    #[rustfmt::skip]
    let expected = [
        // event                 open          accepted         proposed         expired
        ("accept 1",           ["accepted 1", "accepted 1",    "current is 2",  "current is 2"]),
        ("accept 2",           ["current is 1", "current is 1", "accepted 2",   "accepted 2"]),
        ("put into a cart",    ["accepted 1", "accepted 1",    "proposed 1",    "expired -"]),
        ("propose",            ["open -",     "proposed 1",    "proposed 1",    "proposed 1"]),
        ("propose until",      ["NothingProposed", "proposed 1", "proposed 1",  "proposed 1"]),
        ("favour",             ["open -",     "accepted 2",    "accepted 3",    "accepted 3"]),
        ("take back",          ["open -",     "accepted 1",    "accepted 3",    "accepted 3"]),
        ("override",           ["open -",     "proposed 1",    "proposed 1",    "proposed 1"]),
        ("favour by override", ["open -",     "accepted 2",    "accepted 3",    "accepted 3"]),
        ("archive",            ["not shared", "not shared",    "not shared",    "not shared"]),
    ];
    for (column, (state, offer)) in states().iter().enumerate() {
        assert_eq!(name_of(&standing(offer, TARGET)), *state);
        for ((event, found), (of, row)) in events(offer).into_iter().zip(expected) {
            assert_eq!((event, found.as_str()), (of, row[column]), "{state}");
        }
    }
}

#[test]
fn a_sale_has_accepted_terms_and_no_others() {
    let [(_, open), (_, at_first), (_, proposed), (_, expired)] = states();
    let not_accepted = |version| Err(TermsNotAccepted { version });
    let first = Ok(terms(1, 1_000, 2_000));
    let cases = [
        (&open, not_accepted(1), first),
        (&at_first, first, first),
        (&proposed, first, first),
        (&expired, not_accepted(2), not_accepted(2)),
    ];
    for (offer, sold_at, put_into_cart_at) in cases {
        let standing = standing(offer, TARGET);
        assert_eq!(standing.sold_at(), sold_at);
        assert_eq!(standing.put_into_cart_at(), put_into_cart_at);
    }
}

#[test]
fn old_terms_end_at_their_deadline_to_the_millisecond() {
    let change = json!({"price": price(1_200), "sellOldTermsUntil": deadline()});
    let offer = edited(&accepted(new_offer(), TARGET, 1), &change);
    let before = deadline() - jiff::SignedDuration::from_millis(1);
    let standing = |now| offer.standing(id(TARGET), now).expect("a target");
    let proposal = Proposal {
        terms: terms(2, 1_200, 2_000),
        sell_old_terms_until: Some(deadline()),
    };
    let accepted = terms(1, 1_000, 2_000);
    assert_eq!(standing(before), Standing::Proposed { accepted, proposal });
    assert_eq!(
        standing(deadline()),
        Standing::Expired { accepted, proposal }
    );
    assert!(standing(deadline()).sold_at().is_err());
}

#[test]
fn an_offer_of_an_earlier_release_is_accepted_by_its_targets() {
    let pair = Pair::within_one_company();
    let old = pair.shared_offer(60);
    assert_eq!(old.terms, None);
    let first = terms(1, 1_000, 2_000);
    assert_eq!(standing(&old, TARGET), Standing::Accepted(first));
    let changed = edited(&old, &json!({"price": price(4_990)}));
    assert_eq!(standing(&changed, TARGET).sold_at(), Ok(first));
    let renamed = edited(&old, &json!({"name": "Neu"}));
    assert_eq!(standing(&renamed, TARGET), Standing::Accepted(first));
}

#[test]
fn a_client_that_the_offer_does_not_name_has_no_terms() {
    let offer = new_offer();
    assert_eq!(offer.standing(id(99), now()), None);
    let refused = offer.clone().accept_terms(id(99), 1);
    assert_eq!(refused, Err(TermsError::NotShared));
    assert_eq!(offer.put_into_cart(id(99), now()), None);
    let archived = Offer {
        status: OfferStatus::Archived,
        ..offer
    };
    let refused = archived.accept_terms(id(TARGET), 1);
    assert_eq!(refused, Err(TermsError::NotShared));
}

#[test]
fn a_target_that_is_named_again_must_accept_again() {
    let offer = accepted(new_offer(), TARGET, 1);
    let alone =
        json!({"targetClientIds": [id::<ClientId>(OTHER)], "sellerShareBasisPoints": 2_000});
    let without = edited(&offer, &json!({"crossClient": alone}));
    assert_eq!(without.standing(id(TARGET), now()), None);
    let again = edited(
        &without,
        &json!({"crossClient": sharing(2_000, &json!([]))}),
    );
    assert_eq!(
        standing(&again, TARGET),
        Standing::Open(terms(1, 1_000, 2_000))
    );
}

#[test]
fn a_version_is_a_positive_whole_number() {
    let version = TermsVersion::parse(&json!({"version": 2})).expect("a version");
    assert_eq!(version.0, 2);
    for (wrong, code) in [
        (json!({"version": 0}), "out_of_range"),
        (json!({"version": "2"}), "not_an_integer"),
        (json!({}), "required"),
        (json!({"version": null}), "required"),
    ] {
        let errors = TermsVersion::parse(&wrong).expect_err("invalid input");
        assert_eq!(codes(&errors), [("version", code)], "{wrong}");
    }
}

#[test]
fn a_change_that_favours_the_target_needs_no_answer() {
    let change = json!({"crossClient": sharing(2_500, &json!([]))});
    let offer = accepted(new_offer(), TARGET, 1);
    let EditedOffer { offer, changes } = edit(&offer, &change).expect("allowed");
    let [change] = changes.as_slice() else {
        panic!("one target has accepted: {changes:?}")
    };
    assert_eq!(
        (change.target, change.effect),
        (id(TARGET), Effect::Favoured)
    );
    assert_eq!(change.accepted, terms(1, 1_000, 2_000));
    let present = terms(2, 1_000, 2_500);
    assert_eq!(standing(&offer, TARGET), Standing::Accepted(present));
    assert_eq!(standing(&offer, OTHER), Standing::Open(present));
    // The better share is accepted for good: the old one does not return without an answer.
    let back = edited(&offer, &json!({"crossClient": sharing(2_000, &json!([]))}));
    assert_eq!(standing(&back, TARGET).sold_at(), Ok(present));
}
