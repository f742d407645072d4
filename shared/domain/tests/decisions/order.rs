//! Reversals of orders.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;
use tandem_domain::after_sale::reverse_order;
use tandem_domain::metadata::Metadata;
use tandem_domain::order::{
    Order, OrderPosition, PositionState, Reversal, ReversalError, ReversalRequest,
};
use tandem_domain::payment_method::PaymentMethod;

use crate::fixtures::{Counter, codes, euro, id, name, now, yesterday};

pub(crate) fn order(states: &[PositionState]) -> Order {
    let positions: Vec<_> = (1_u8..)
        .zip(states)
        .map(|(number, state)| OrderPosition {
            position: number,
            offer_id: id(60 + u128::from(number)),
            offer_name: name("Digitalabo"),
            quantity: 1,
            unit_price: euro(1_000),
            amount: euro(1_000),
            source_client_id: None,
            subscription_id: Some(id(70 + u128::from(number))),
            state: *state,
            reversed: None,
        })
        .collect();
    Order {
        id: id(50),
        client_id: id(12),
        customer_id: id(40),
        cart_id: Some(id(30)),
        payment_method: PaymentMethod::CreditCard,
        total: euro(1_000 * i64::try_from(positions.len()).expect("few")),
        positions,
        external_system_id: None,
        metadata: Metadata::default(),
        external: None,
        request: None,
        created_at: yesterday(),
        updated_at: yesterday(),
        version: 1,
    }
}

const PAID: PositionState = PositionState::Paid;

fn refunded(reversed_at: Timestamp) -> PositionState {
    PositionState::Refunded { reversed_at }
}

fn charged_back(reversed_at: Timestamp) -> PositionState {
    PositionState::ChargedBack { reversed_at }
}

/// Reverses positions without subscriptions.
fn reverse(
    order: Order,
    request: &ReversalRequest,
    reversal: Reversal,
) -> Result<Order, ReversalError> {
    let ids = &mut Counter::default();
    let reversed = reverse_order(order, request, reversal, Vec::new(), now(), ids)?;
    Ok(reversed.order)
}

/// The states of the positions afterwards, and the numbers of the reversed ones.
fn reversed(
    states: &[PositionState],
    asked: Option<&[u8]>,
    reversal: Reversal,
) -> Result<(Vec<PositionState>, Vec<u8>), ReversalError> {
    let request = ReversalRequest {
        positions: asked.map(|numbers| numbers.iter().copied().collect()),
        amount: None,
        ends: true,
    };
    let numbers = order(states).choose(&request, &BTreeSet::new())?;
    let order = reverse(order(states), &request, reversal)?;
    assert_eq!(order.updated_at, now());
    let states = order.positions.into_iter().map(|position| position.state);
    Ok((states.collect(), numbers.into_iter().collect()))
}

#[test]
fn every_reversal_follows_the_table_in_every_state() {
    let gone = Err(ReversalError::NotPaid(vec![1]));
    for (state, refund, charge_back) in [
        (
            PAID,
            Ok((vec![refunded(now())], vec![1])),
            Ok((vec![charged_back(now())], vec![1])),
        ),
        (refunded(yesterday()), gone.clone(), gone.clone()),
        (charged_back(yesterday()), gone.clone(), gone),
    ] {
        for asked in [None, Some(&[1_u8][..])] {
            assert_eq!(
                reversed(&[state], asked, Reversal::Refund),
                refund,
                "{state:?} {asked:?}"
            );
            assert_eq!(
                reversed(&[state], asked, Reversal::ChargeBack),
                charge_back,
                "{state:?} {asked:?}"
            );
        }
    }
}

#[test]
fn the_whole_order_means_all_paid_positions() {
    let states = [PAID, refunded(yesterday()), PAID, charged_back(yesterday())];
    let after = vec![
        charged_back(now()),
        refunded(yesterday()),
        charged_back(now()),
        charged_back(yesterday()),
    ];
    assert_eq!(
        reversed(&states, None, Reversal::ChargeBack),
        Ok((after, vec![1, 3]))
    );
}

#[test]
fn only_the_named_positions_are_reversed() {
    let after = vec![refunded(now()), PAID, refunded(now())];
    assert_eq!(
        reversed(&[PAID, PAID, PAID], Some(&[3, 1]), Reversal::Refund),
        Ok((after, vec![1, 3]))
    );
}

#[test]
fn a_reversal_takes_all_named_positions_or_none() {
    let states = [PAID, refunded(yesterday()), charged_back(yesterday())];
    let refused =
        |asked: &[u8]| reversed(&states, Some(asked), Reversal::Refund).expect_err("refused");
    assert_eq!(refused(&[1, 2, 3]), ReversalError::NotPaid(vec![2, 3]));
    assert_eq!(
        refused(&[1, 4, 9]),
        ReversalError::UnknownPositions(vec![4, 9])
    );
    assert_eq!(refused(&[2, 4]), ReversalError::UnknownPositions(vec![4]));
}

#[test]
fn a_reversal_keeps_the_sold_terms() {
    let before = order(&[PAID]);
    let whole = ReversalRequest::parse(&json!({})).expect("a reversal");
    let mut after = reverse(before.clone(), &whole, Reversal::Refund).expect("allowed");
    after.positions[0].state = PAID;
    assert_eq!(
        after,
        Order {
            updated_at: now(),
            ..before
        }
    );
}

#[test]
fn a_reversal_names_positions_or_means_the_whole_order() {
    let parsed = |value| {
        let request = ReversalRequest::parse(&value).expect("a reversal");
        (request.positions, request.ends)
    };
    assert_eq!(parsed(json!({})), (None, true));
    assert_eq!(parsed(json!({"positions": null})), (None, true));
    assert_eq!(
        parsed(json!({"positions": [3, 1, 3], "endSubscription": false})),
        (Some(BTreeSet::from([1, 3])), false)
    );
    let wrong = |value| ReversalRequest::parse(&value).expect_err("invalid input");
    assert_eq!(
        codes(&wrong(json!({"positions": []}))),
        [("positions", "wrong_length")]
    );
    let amount = json!({"amount": 0, "currency": "EUR"});
    let errors = wrong(json!({"positions": [0, "1", 21], "amount": amount, "reason": "x"}));
    let expected = [
        ("positions[0]", "out_of_range"),
        ("positions[1]", "not_an_integer"),
        ("positions[2]", "out_of_range"),
        ("amount.amount", "out_of_range"),
        ("reason", "unknown_field"),
    ];
    assert_eq!(codes(&errors), expected);
}
