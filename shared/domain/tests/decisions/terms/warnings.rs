//! The mails about a proposal: at once, a week and a day before the old terms end.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tandem_domain::cart::{CartStatus, Choice};
use tandem_domain::mail::{
    AboutCarts, Mail, MailKind, MailState, NAMED_CARTS, Occasion, SharedOfferRef, TermsProposal,
};
use tandem_domain::offer::Offer;

use super::{TARGET, accepted, deadline, edited, new_offer, price};
use crate::fixtures::{Pair, client, company, id, name, now};

/// An offer with a proposal that ends at a time, and the mail about it.
fn proposed(until: Option<Timestamp>) -> (Offer, Mail) {
    let change = json!({"price": price(1_200), "sellOldTermsUntil": until});
    let offer = edited(&accepted(new_offer(), TARGET, 1), &change);
    let standing = offer.standing(id(TARGET), now()).expect("a target");
    let proposal = standing.proposal().expect("proposed");
    let kind = MailKind::TermsProposed {
        offer: SharedOfferRef {
            source_id: id(11),
            source_name: name("Tagblatt 11"),
            connection_id: id(20),
            offer_id: offer.id,
            offer_name: offer.name.clone(),
        },
        proposal: TermsProposal {
            accepted: standing.accepted().expect("accepted"),
            proposed: proposal.terms,
            sell_old_terms_until: proposal.sell_old_terms_until,
        },
        occasion: Occasion::Proposed,
        carts: AboutCarts::default(),
    };
    let to = client(TARGET, &company(1, true));
    (offer, Mail::new(id(90), &to, kind, now()))
}

fn sent(mail: Mail, at: Timestamp) -> Mail {
    mail.begin(at).expect("due").sent(at)
}

/// The times of the mails after the first, which is sent now.
fn warnings(until: Option<Timestamp>) -> Vec<(Occasion, Timestamp)> {
    let mut mail = sent(proposed(until).1, now());
    let mut warnings = Vec::new();
    while let MailState::Waiting { due_at } = mail.state {
        let MailKind::TermsProposed { occasion, .. } = &mail.kind else {
            panic!("another mail")
        };
        assert_eq!(mail.tries, 0);
        warnings.push((*occasion, due_at));
        mail = sent(mail, due_at);
    }
    assert!(matches!(mail.state, MailState::Sent { .. }));
    warnings
}

#[test]
fn a_target_is_warned_a_week_and_a_day_before() {
    let in_days = |days: i64| Some(now() + SignedDuration::from_hours(24 * days));
    let at = |days: i64| now() + SignedDuration::from_hours(24 * days);
    let (week, day) = (Occasion::WeekBefore, Occasion::DayBefore);
    assert_eq!(warnings(in_days(30)), [(week, at(23)), (day, at(29))]);
    assert_eq!(warnings(in_days(7)), [(day, at(6))]);
    assert_eq!(warnings(in_days(1)), []);
    assert_eq!(warnings(None), []);
}

#[test]
fn a_warning_is_sent_only_while_it_holds() {
    let (offer, mail) = proposed(Some(deadline()));
    let mail = sent(mail, now());
    assert_eq!(mail.warns_about(), Some((id(11), id(60))));
    let holds = |offer: Option<&Offer>| mail.still_warns(offer, now());
    assert!(holds(Some(&offer)));
    assert!(!holds(None));
    let done = accepted(offer.clone(), TARGET, 2);
    assert!(!holds(Some(&done)));
    for change in [
        json!({"price": price(1_300)}),
        json!({"price": price(1_000)}),
        json!({"sellOldTermsUntil": null}),
        json!({"sellOldTermsUntil": "2026-09-01T00:00:00Z"}),
    ] {
        assert!(!holds(Some(&edited(&offer, &change))), "{change}");
    }
    assert!(!mail.still_warns(Some(&offer), deadline()));
    assert!(holds(Some(&edited(&offer, &json!({"name": "Neu"})))));
}

#[test]
fn a_cancelled_warning_is_done() {
    let (_, mail) = proposed(Some(deadline()));
    let first = mail.clone().begin(now()).expect("due");
    let warning = first.sent(now());
    let MailState::Waiting { due_at } = warning.state else {
        panic!("a warning waits")
    };
    assert_eq!(warning.clone().cancelled(now()), warning, "not in flight");
    let cancelled = warning.begin(due_at).expect("due").cancelled(due_at);
    assert_eq!(cancelled.state, MailState::Cancelled { at: due_at });
    assert_eq!((cancelled.due_at(), cancelled.sweep_at()), (None, None));
    assert_eq!(cancelled.clone().begin(due_at), None);
}

#[test]
fn a_mail_names_the_active_carts_that_it_concerns() {
    let pair = Pair::within_one_company();
    let (offer, other) = (pair.shared_offer(60), pair.shared_offer(61));
    let with_it = pair.cart(vec![pair.position(1, &offer, Choice::Optional)]);
    let without = pair.cart(vec![pair.position(1, &other, Choice::Mandatory)]);
    let archived = with_it.clone().archive(now()).expect("active");
    assert_eq!(archived.status, CartStatus::Archived);
    let concerns = proposed(None).1.concerns().expect("it names carts");
    assert_eq!(
        [&with_it, &without, &archived].map(concerns),
        [true, false, false]
    );
    let access = MailKind::OffersAccess {
        source_name: name("Tagblatt 11"),
        connection_id: pair.connection.id,
        is_on: false,
        carts: AboutCarts::default(),
    };
    let access = Mail::new(id(90), &pair.target, access, now());
    let concerns = access.concerns().expect("it names carts");
    assert_eq!(
        [&with_it, &without, &archived].map(concerns),
        [true, true, false]
    );
    let many = vec![with_it.clone(); NAMED_CARTS + 1];
    let about = AboutCarts::of(&many);
    assert_eq!((about.carts.len(), about.more_carts), (NAMED_CARTS, true));
    assert!(!AboutCarts::of(&many[1..]).more_carts);
}
