//! The states of a mail, and its retry schedule.

use jiff::{SignedDuration, Timestamp};
use tandem_domain::mail::{
    AboutCarts, LEASE, MAX_MAIL_ATTEMPTS, Mail, MailKind, MailState, NamedCart, Occasion,
    SharedOfferRef, TermsProposal, retry_delay,
};
use tandem_domain::money::BasisPoints;
use tandem_domain::tenancy::MailLanguage;
use tandem_domain::terms::Terms;

use crate::fixtures::{MANY, client, company, email, euro, id, name, now, yesterday};

pub(crate) fn mail(state: MailState, tries: u32) -> Mail {
    let kind = MailKind::Invitation {
        source_name: name("Tagblatt 11"),
        connection_id: id(20),
    };
    Mail {
        state,
        tries,
        ..Mail::new(id(90), &client(12, &company(1, true)), kind, yesterday())
    }
}

/// Each kind of mail about a shared offer.
pub(crate) fn about_offers() -> Vec<MailKind> {
    let terms = |version, cents| Terms {
        version,
        price: euro(cents),
        seller_share_basis_points: BasisPoints(2_000),
    };
    let offer = SharedOfferRef {
        source_id: id(11),
        source_name: name("Tagblatt 11"),
        connection_id: id(20),
        offer_id: id(60),
        offer_name: name("Digitalabo"),
    };
    let carts = AboutCarts {
        carts: vec![NamedCart {
            id: id(30),
            name: name("Doppelpack"),
        }],
        more_carts: true,
    };
    vec![
        MailKind::OffersAccess {
            source_name: name("Tagblatt 11"),
            connection_id: id(20),
            is_on: false,
            carts: AboutCarts::default(),
        },
        MailKind::OfferArchived {
            offer: offer.clone(),
            carts: carts.clone(),
        },
        MailKind::TermsProposed {
            offer,
            proposal: TermsProposal {
                accepted: terms(1, 1_000),
                proposed: terms(2, 1_200),
                sell_old_terms_until: Some(now()),
            },
            occasion: Occasion::WeekBefore,
            carts,
        },
        MailKind::TermsAccepted {
            target_name: name("Tagblatt 12"),
            connection_id: id(20),
            offer_id: id(60),
            offer_name: name("Digitalabo"),
            terms: terms(2, 1_200),
        },
    ]
}

fn waiting(due_at: Timestamp) -> MailState {
    MailState::Waiting { due_at }
}

fn in_flight(lease_until: Timestamp) -> MailState {
    MailState::InFlight { lease_until }
}

fn sent(at: Timestamp) -> MailState {
    MailState::Sent { at }
}

fn failed(at: Timestamp) -> MailState {
    MailState::Failed { at }
}

/// State, attempts, and the state after `begin` (`None`: not due), `sent` and `failed`.
#[rustfmt::skip]
fn table() -> [(MailState, u32, Option<MailState>, MailState, MailState); 10] {
    let (before, after) = (now() - SignedDuration::from_millis(1), now() + SignedDuration::from_millis(1));
    let lease = in_flight(now() + LEASE);
    let in_10_s = waiting(now() + SignedDuration::from_secs(10));
    let in_an_hour = waiting(now() + SignedDuration::from_hours(1));
    [
        (waiting(before),    0,              Some(lease), waiting(before),    waiting(before)),
        (waiting(now()),     3,              Some(lease), waiting(now()),     waiting(now())),
        (waiting(after),     3,              None,        waiting(after),     waiting(after)),
        (in_flight(after),   1,              None,        sent(now()),        in_10_s),
        (in_flight(now()),   1,              Some(lease), sent(now()),        in_10_s),
        (in_flight(after),   MAX_MAIL_ATTEMPTS - 1, None,        sent(now()),        in_an_hour),
        (in_flight(after),   MAX_MAIL_ATTEMPTS,     None,        sent(now()),        failed(now())),
        (in_flight(before),  MAX_MAIL_ATTEMPTS + 1, Some(lease), sent(now()),        failed(now())),
        (sent(yesterday()),  1,              None,        sent(yesterday()),  sent(yesterday())),
        (failed(yesterday()), MAX_MAIL_ATTEMPTS,    None,        failed(yesterday()), failed(yesterday())),
    ]
}

#[test]
fn every_state_handles_every_event_as_the_table_says() {
    for (state, tries, begun, after_sent, after_failed) in table() {
        let before = mail(state, tries);
        let begun = begun.map(|state| mail(state, tries + 1));
        assert_eq!(before.clone().begin(now()), begun, "begin from {state:?}");
        assert_eq!(
            before.clone().sent(now()),
            mail(after_sent, tries),
            "sent from {state:?}"
        );
        assert_eq!(
            before.failed(now()),
            mail(after_failed, tries),
            "failed from {state:?}"
        );
    }
}

#[test]
fn only_waiting_and_in_flight_mails_are_due() {
    let due = |state| mail(state, 0).due_at();
    assert_eq!(due(waiting(now())), Some(now()));
    assert_eq!(due(in_flight(now())), Some(now()));
    assert_eq!((due(sent(now())), due(failed(now()))), (None, None));
}

#[test]
fn the_delay_doubles_from_ten_seconds_to_an_hour() {
    let delays: Vec<_> = (1..=11).map(|tries| retry_delay(tries).as_secs()).collect();
    assert_eq!(
        delays,
        [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600]
    );
    assert_eq!(retry_delay(u32::MAX).as_secs(), 3_600);
}

#[test]
fn a_mail_fails_after_21_hours() {
    let mut mail = mail(waiting(now()), 0);
    let mut time = now();
    for _ in 0..MANY {
        let Some(due) = mail.due_at() else { break };
        time = due;
        mail = mail.begin(time).expect("due").failed(time);
    }
    assert_eq!((mail.state, mail.tries), (failed(time), MAX_MAIL_ATTEMPTS));
    assert_eq!(time.duration_since(now()).as_hours(), 21);
}

#[test]
fn a_new_mail_copies_the_address_and_the_language() {
    let mut to = client(12, &company(1, true));
    to.language = MailLanguage::En;
    let kind = MailKind::EndpointDisabled {
        callback_id: id(80),
        connection_id: Some(id(20)),
    };
    let expected = Mail {
        id: id(90),
        client_id: to.id,
        email: email("tagblatt12@example.com"),
        language: MailLanguage::En,
        kind: kind.clone(),
        state: waiting(now()),
        tries: 0,
        request: None,
        created_at: now(),
        version: 1,
    };
    assert_eq!(Mail::new(id(90), &to, kind, now()), expected);
}
