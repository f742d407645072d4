//! Offers that are sold once to a customer.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;
use tandem_domain::cart::Choice;
use tandem_domain::offer::{Offer, OfferDraft, OfferEdit, OfferError};
use tandem_domain::purchase::{MAX_ONCE, Once, PurchaseError, Sale};
use tandem_domain::subscription::{Life, Subscription};

use super::{bought, single};
use crate::fixtures::{Pair, at, codes, id, now, offer};

fn once(offer: Offer) -> Offer {
    Offer {
        once_per_customer: true,
        ..offer
    }
}

/// The sale of an own offer, and of a shared offer that is sold once.
fn sale(pair: &Pair) -> Sale {
    let (own, shared) = (offer(60, pair.target.id), once(pair.shared_offer(61)));
    bought(
        pair,
        &[(&own, Choice::Mandatory), (&shared, Choice::Mandatory)],
        &json!([{"position": 2, "quantity": 3}]),
    )
}

/// The row of an earlier sale.
fn held(sale: &Sale) -> Once {
    Once {
        subscription_id: id(99),
        version: 7,
        ..sale.once[0].1.clone()
    }
}

/// The seller's row of the earlier subscription.
fn subscription(sale: &Sale, life: Life, renews: bool, paid_until: Timestamp) -> Subscription {
    Subscription {
        id: id(99),
        life,
        renews,
        paid_until,
        ..sale.subscriptions[1].clone()
    }
}

#[test]
fn a_sale_has_a_row_for_each_offer_that_is_sold_once() {
    for pair in [Pair::within_one_company(), Pair::between_two_companies()] {
        let sale = sale(&pair);
        let row = Once {
            client_id: pair.target.id,
            customer_id: pair.customer().id,
            offer_id: id(61),
            subscription_id: sale.subscriptions[1].id,
            version: 1,
        };
        assert_eq!(sale.once, [(2, row.clone())]);
        assert_eq!(sale.take_over(&[], now()), Ok(vec![row]));
    }
}

#[test]
fn a_running_subscription_refuses_the_purchase_an_ended_one_not() {
    let sale = sale(&Pair::between_two_companies());
    let (past, future) = (at("2026-06-30T00:00:00Z"), at("2026-07-02T00:00:00Z"));
    let cancelled = |ends_at| Life::Cancelled {
        cancelled_at: past,
        ends_at,
    };
    let refunded = Life::Refunded {
        ended_at: past,
        cancelled_at: None,
        reversed_period: None,
    };
    for (life, renews, paid_until, is_running) in [
        (Life::Active, true, past, true),
        (Life::Active, true, future, true),
        (Life::Active, false, past, false),
        (Life::Active, false, future, true),
        (cancelled(past), true, past, false),
        (cancelled(now()), true, past, false),
        (cancelled(future), true, past, true),
        (refunded, true, future, false),
        (
            Life::ChargedBack {
                ended_at: now(),
                cancelled_at: None,
                reversed_period: None,
            },
            true,
            future,
            false,
        ),
    ] {
        let row = subscription(&sale, life, renews, paid_until);
        let outcome = sale.take_over(&[(held(&sale), Some(row))], now());
        let expected = if is_running {
            Err(PurchaseError::AlreadySubscribed(vec![(2, id(99))]))
        } else {
            Ok(vec![Once {
                version: 7,
                ..sale.once[0].1.clone()
            }])
        };
        assert_eq!(outcome, expected, "{life:?} {renews} {paid_until}");
    }
}

#[test]
fn a_row_without_its_subscription_is_taken_over() {
    let sale = sale(&Pair::within_one_company());
    let rows = sale.take_over(&[(held(&sale), None)], now()).expect("free");
    assert_eq!((rows.len(), rows[0].version), (1, 7));
}

#[test]
fn only_a_subscription_is_sold_once() {
    let draft = json!({"name": "Poster", "type": "single", "price": {"amount": 1, "currency": "EUR"}, "oncePerCustomer": true});
    let errors = OfferDraft::parse(&draft).expect_err("a single offer");
    assert_eq!(codes(&errors), [("oncePerCustomer", "not_for_single")]);
    let edit = |once| OfferEdit::parse(&json!({"oncePerCustomer": once})).expect("an edit");
    let poster = single(offer(60, id(12)));
    assert_eq!(
        poster.clone().edit(edit(true), now()),
        Err(OfferError::OnceNotForSingle)
    );
    assert!(poster.edit(edit(false), now()).is_ok());
    let magazine = offer(60, id(12))
        .edit(edit(true), now())
        .expect("edited")
        .offer;
    assert!(magazine.once_per_customer);
    assert!(
        !magazine
            .edit(edit(false), now())
            .expect("edited")
            .offer
            .once_per_customer
    );
}

proptest! {
    #[test]
    fn the_rows_of_a_purchase_fit_one_transaction(count in 0_usize..20) {
        let pair = Pair::between_two_companies();
        let own = offer(60, pair.target.id);
        let mut offers = vec![own];
        offers.extend((61..).take(19).map(|number| pair.shared_offer(number)));
        for offer in &mut offers[..count] {
            offer.once_per_customer = true;
        }
        let cart: Vec<_> = offers.iter().map(|offer| (offer, Choice::Mandatory)).collect();
        let sale = super::try_bought(&pair, &cart, &json!([]));
        if count > MAX_ONCE {
            prop_assert_eq!(sale.map(drop), Err(PurchaseError::TooManyOnce));
        } else {
            let sale = sale.expect("a sellable cart");
            prop_assert_eq!(sale.once.len(), count);
            // The order, the records of the key and of an externalSystemId.
            let rows = 3 + sale.subscriptions.len() + sale.payouts.len() + sale.announcements.len() + count;
            prop_assert!(rows <= 100, "{}", rows);
        }
    }
}
