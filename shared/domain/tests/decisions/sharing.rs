//! When a target may see and sell a source's offer.

use tandem_domain::connection::{Blocks, Party, Side, State};
use tandem_domain::offer::{Offer, OfferKind, OfferStatus};
use tandem_domain::sharing::{AvailableOffer, NotShared};

use crate::fixtures::{Pair, client, id, monthly, offer, yesterday};

fn decided(change: impl FnOnce(&mut Pair, &mut Offer)) -> Result<(), NotShared> {
    let mut pair = Pair::between_two_companies();
    let mut offer = pair.shared_offer(60);
    let target = pair.target.id;
    change(&mut pair, &mut offer);
    pair.shared(&offer).available_to(target).map(|_| ())
}

#[test]
fn an_available_offer_has_all_that_a_sale_needs() {
    for pair in [Pair::within_one_company(), Pair::between_two_companies()] {
        let offer = pair.shared_offer(60);
        let available = AvailableOffer {
            offer: &offer,
            connection: &pair.connection,
            period: monthly(),
            renews: true,
        };
        assert_eq!(
            pair.shared(&offer).available_to(pair.target.id),
            Ok(available)
        );
    }
}

#[test]
fn only_a_subscription_can_be_shared() {
    assert_eq!(
        decided(|_, offer| offer.kind = OfferKind::Single),
        Err(NotShared::NotTimeBased)
    );
}

#[test]
fn the_connection_must_be_active() {
    let blocked = |by| State::Blocked(Blocks::by(by, yesterday()));
    for (state, status) in [
        (State::Invited, "invited"),
        (State::Declined, "declined"),
        (State::Withdrawn, "withdrawn"),
        (blocked(Side::Source), "blocked"),
        (blocked(Side::Target), "blocked"),
    ] {
        let decision = decided(|pair, _| pair.connection.state = state);
        assert_eq!(decision, Err(NotShared::ConnectionNotActive { status }));
    }
}

#[test]
fn the_access_must_be_on() {
    assert_eq!(
        decided(|pair, _| pair.connection.offers_access = false),
        Err(NotShared::NoAccess)
    );
}

#[test]
fn the_module_must_be_on_in_both_companies() {
    let source_off =
        decided(|pair, _| pair.source_company.modules.cross_client_connections = false);
    let target_off =
        decided(|pair, _| pair.target_company.modules.cross_client_connections = false);
    assert_eq!([source_off, target_off], [Err(NotShared::ModuleOff); 2]);
}

#[test]
fn neither_client_may_be_disabled() {
    let source = decided(|pair, _| {
        pair.source_company.disabled_clients.insert(pair.source.id);
    });
    let target = decided(|pair, _| {
        pair.target_company.disabled_clients.insert(pair.target.id);
    });
    let expected = [Side::Source, Side::Target].map(|side| Err(NotShared::ClientDisabled { side }));
    assert_eq!([source, target], expected);
    let other = decided(|pair, _| {
        pair.source_company.disabled_clients.insert(id(99));
    });
    assert_eq!(other, Ok(()));
}

#[test]
fn the_offer_must_be_active() {
    assert_eq!(
        decided(|_, offer| offer.status = OfferStatus::Archived),
        Err(NotShared::Archived)
    );
}

#[test]
fn the_offer_must_name_the_target() {
    let other = |_: &mut Pair, offer: &mut Offer| {
        offer
            .cross_client
            .as_mut()
            .expect("shared")
            .target_client_ids = vec![id(98), id(99)];
    };
    assert_eq!(decided(other), Err(NotShared::NotNamed));
    assert_eq!(
        decided(|_, offer| offer.cross_client = None),
        Err(NotShared::NotNamed)
    );
    let second = |pair: &mut Pair, offer: &mut Offer| {
        offer
            .cross_client
            .as_mut()
            .expect("shared")
            .target_client_ids = vec![id(98), pair.target.id];
    };
    assert_eq!(decided(second), Ok(()));
}

#[test]
fn the_connection_must_lead_from_the_owner_to_the_target() {
    let foreign = |pair: &Pair| Party::from(&client(99, &pair.source_company));
    assert_eq!(
        decided(|pair, _| pair.connection.target = foreign(pair)),
        Err(NotShared::NotNamed)
    );
    assert_eq!(
        decided(|pair, _| pair.connection.source = foreign(pair)),
        Err(NotShared::NotNamed)
    );
    let turned = |pair: &mut Pair, _: &mut Offer| {
        std::mem::swap(&mut pair.connection.source, &mut pair.connection.target);
    };
    assert_eq!(decided(turned), Err(NotShared::NotNamed));
    let of_another = |_: &mut Pair, offer: &mut Offer| offer.client_id = id(99);
    assert_eq!(decided(of_another), Err(NotShared::NotNamed));
}

#[test]
fn an_offer_for_others_discloses_nothing_else() {
    let decision = decided(|pair, offer| {
        pair.connection.state = State::Invited;
        *offer = Offer {
            status: OfferStatus::Archived,
            ..crate::fixtures::offer(60, pair.source.id)
        };
    });
    assert_eq!(decision, Err(NotShared::NotNamed));
}

#[test]
fn a_source_does_not_see_its_own_offer_as_shared() {
    let pair = Pair::within_one_company();
    let own = offer(60, pair.source.id);
    assert_eq!(
        pair.shared(&own).available_to(pair.source.id),
        Err(NotShared::NotNamed)
    );
}
