//! Steps that random draws would hardly bring into this order.

use fastrand::Rng;

use super::{amount, end, import, one_of, trouble};
use crate::step::{Call, End, Part, Relayed, Step, Trouble};

/// Imports of the same ids; the last import runs first.
pub(super) fn overtaking_imports(rng: &mut Rng) -> [Step; 4] {
    let first = Step::Call(import(rng), trouble(rng));
    let second = Step::Call(import(rng), trouble(rng));
    [
        first,
        second,
        Step::Relay(Relayed::Reversed),
        Step::WorkOff(rng.usize(1..4)),
    ]
}

/// A period is paid, its debit returned and collected again, at first without the number of the period.
pub(super) fn returned_debit(rng: &mut Rng) -> [Step; 4] {
    let (order, position) = (rng.usize(0..16), rng.usize(0..3));
    let period = rng.u32(1..3);
    let pay = |amount| Call::Pay {
        order,
        position,
        period: Some(period),
        amount,
    };
    let back = Call::ReversePeriod {
        order,
        position,
        period,
        charge_back: true,
        part: Part {
            amount: rng.bool().then(|| rng.i64(1..500)),
            ends: None,
        },
    };
    let (first, again) = (pay(None), pay(amount(rng)));
    let unnamed = Call::Pay {
        order,
        position,
        period: None,
        amount: None,
    };
    [
        Step::Call(first, trouble(rng)),
        Step::Call(back, trouble(rng)),
        Step::Call(unnamed, Trouble::None),
        Step::Call(again, trouble(rng)),
    ]
}

/// A cancellation is moved and undone.
pub(super) fn undone_cancellation(rng: &mut Rng) -> [Step; 3] {
    let (order, position) = (rng.usize(0..16), rng.usize(0..3));
    let cancel = |end| Call::Cancel {
        order,
        position,
        end,
    };
    let undo = Call::Undo { order, position };
    [
        Step::Call(cancel(End::OfPeriod), trouble(rng)),
        Step::Call(cancel(end(rng)), trouble(rng)),
        Step::Call(undo, trouble(rng)),
    ]
}

/// Terms are proposed; the target accepts them or lets the old ones end, and sells.
pub(super) fn changed_terms(rng: &mut Rng) -> [Step; 3] {
    // An offer, the place of one of its targets, and a cart of this target.
    let (offer, target, cart) = one_of(rng, &[(0, 1, 0), (0, 0, 2), (1, 0, 1), (2, 0, 3)]);
    let proposal = Call::Propose {
        offer,
        amount: one_of(rng, &[1_250, 1_300, 1_400]),
        share: 1_500,
        alone: false,
        until_hours: Some(1),
    };
    let accept = Call::AcceptTerms {
        offer,
        target,
        outdated: false,
    };
    let purchase = Call::Purchase {
        cart,
        customer: rng.usize(0..3),
        optional: true,
    };
    let between = if rng.bool() {
        Step::Call(accept, trouble(rng))
    } else {
        Step::Wait(2 * 3_600)
    };
    [
        Step::Call(proposal, trouble(rng)),
        between,
        Step::Call(purchase, trouble(rng)),
    ]
}
