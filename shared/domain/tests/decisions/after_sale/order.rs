//! The short way: positions of an order are reversed, with their subscriptions.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tandem_domain::after_sale::{ReversedOrder, SoldRows, SubscriptionError, reverse_order};
use tandem_domain::order::{
    Order, OrderPosition, PositionState, Reversal, ReversalError, ReversalRequest,
};
use tandem_domain::subscription::{Life, Status};

use super::{Sold, half_back, rows};
use crate::fixtures::{Counter, euro, id, now};

fn request(value: &Value) -> ReversalRequest {
    ReversalRequest::parse(value).expect("a reversal")
}

/// Position 1 is a single offer of 10.00 EUR, position 2 the subscription of 30.00 EUR a month.
fn order() -> Order {
    let mut order = crate::order::order(&[PositionState::Paid, PositionState::Paid]);
    order.positions[0].subscription_id = None;
    order.positions[1] = OrderPosition {
        quantity: 3,
        amount: euro(3_000),
        subscription_id: Some(id(70)),
        ..order.positions[1].clone()
    };
    order
}

fn sold(life: Life) -> SoldRows {
    SoldRows {
        rows: rows(Sold::BetweenTwoCompanies, life, true),
        period: None,
    }
}

fn reverse(order: Order, sold: SoldRows, body: &Value) -> Result<ReversedOrder, ReversalError> {
    let request = request(body);
    let chosen = order.choose(&request, &BTreeSet::new())?;
    let sold = if chosen.contains(&2) {
        vec![sold]
    } else {
        Vec::new()
    };
    let ids = &mut Counter::default();
    reverse_order(order, &request, Reversal::Refund, sold, now(), ids)
}

/// The state of both positions and the status of the subscription, if it changed.
fn after(reversed: &ReversedOrder) -> ([(bool, i64); 2], Option<Status>) {
    let position = |index: usize| {
        let position = &reversed.order.positions[index];
        let is_paid = position.state == PositionState::Paid;
        (is_paid, position.reversed().amount)
    };
    let changed = reversed.subscriptions.first();
    let status = changed.map(|moved| moved.rows.seller.status(now()));
    ([position(0), position(1)], status)
}

#[test]
fn without_options_all_goes_back_and_the_subscription_ends() {
    let reversed = reverse(order(), sold(Life::Active), &json!({})).expect("allowed");
    let expected = ([(false, 1_000), (false, 3_000)], Some(Status::Refunded));
    assert_eq!(after(&reversed), expected);
    assert_eq!(reversed.subscriptions[0].period, None, "no further row");
}

#[test]
fn a_part_goes_back_of_one_position() {
    let part = |positions: Value, cents| json!({"positions": positions, "amount": euro(cents)});
    let single = reverse(order(), sold(Life::Active), &part(json!([1]), 400)).expect("allowed");
    assert_eq!(after(&single), ([(true, 400), (true, 0)], None));
    let rest = reverse(single.order, sold(Life::Active), &json!({"positions": [1]}));
    let rest = rest.expect("allowed");
    assert_eq!(after(&rest), ([(false, 1_000), (true, 0)], None));
    let subscription = reverse(order(), sold(Life::Active), &part(json!([2]), 400));
    let expected = ([(true, 0), (true, 400)], Some(Status::Refunded));
    assert_eq!(after(&subscription.expect("allowed")), expected);
    for positions in [Value::Null, json!([1, 2])] {
        let refused = reverse(order(), sold(Life::Active), &part(positions, 400));
        assert_eq!(refused, Err(ReversalError::AmountOfSeveral));
    }
    for number in [1, 2] {
        let refused = reverse(order(), sold(Life::Active), &part(json!([number]), 3_001));
        assert!(matches!(
            refused,
            Err(ReversalError::Subscription(
                SubscriptionError::AmountOutOfRange { .. }
            ))
        ));
    }
}

#[test]
fn a_subscription_goes_on_if_the_request_says_so() {
    let body = json!({"positions": [2], "endSubscription": false});
    let reversed = reverse(order(), sold(Life::Active), &body).expect("allowed");
    let [moved] = &reversed.subscriptions[..] else {
        panic!("one subscription")
    };
    assert_eq!(moved.rows.seller.life, Life::Active);
    assert_eq!(moved.rows.seller.unpaid.len(), 1);
    assert_eq!(after(&reversed).0, [(true, 0), (false, 3_000)]);
}

#[test]
fn a_position_whose_money_is_back_is_not_reversed_again() {
    let whole = tandem_domain::paid_period::PaidPeriod {
        reversed: euro(3_000),
        ..half_back()
    };
    let life = Life::ChargedBack {
        ended_at: now(),
        cancelled_at: None,
        reversed_period: None,
    };
    let gone = || SoldRows {
        period: Some(whole.clone()),
        ..sold(life)
    };
    let named = reverse(order(), gone(), &json!({"positions": [2]}));
    assert_eq!(named, Err(ReversalError::NotPaid(vec![2])));
    let others = reverse(order(), gone(), &json!({})).expect("position 1");
    assert_eq!(after(&others), ([(false, 1_000), (true, 0)], None));
    // An unpaid subscription that runs is ended by it, without money.
    let unpaid = SoldRows {
        period: Some(whole.clone()),
        ..sold(Life::Active)
    };
    let ended = reverse(order(), unpaid, &json!({"positions": [2]})).expect("allowed");
    let payout = ended.subscriptions[0].payout.as_ref().expect("a row");
    assert_eq!((payout.gross, payout.due), (euro(0), euro(0)));
    assert_eq!(after(&ended).1, Some(Status::Refunded));
}
