//! The short way to reverse: positions of an order. Of a subscription's position, the last paid period is reversed, and the
//! subscription ends unless the request says otherwise.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{ReverseRequest, Rows, SubscriptionChange, SubscriptionError, within};
use crate::IdSource;
use crate::money::Money;
use crate::order::{Order, OrderPosition, Reversal, ReversalError, ReversalRequest};
use crate::paid_period::PaidPeriod;

/// The subscription of a position.
#[derive(Debug, Clone, PartialEq)]
pub struct SoldRows {
    pub rows: Rows,
    /// The row of the last paid period, if it has one.
    pub period: Option<PaidPeriod>,
}

/// Everything that the reversal of an order writes.
#[derive(Debug, Clone, PartialEq)]
pub struct ReversedOrder {
    pub order: Order,
    pub subscriptions: Vec<SubscriptionChange>,
    pub kind: Reversal,
    /// By position number: the money that went back.
    pub returned: Vec<(u8, Money)>,
}

/// Reverses the requested positions, or all of which something is left. `sold` holds the subscriptions of the positions that
/// [`Order::choose`] returned.
pub fn reverse_order(
    order: Order,
    request: &ReversalRequest,
    kind: Reversal,
    mut sold: Vec<SoldRows>,
    now: Timestamp,
    ids: &mut dyn IdSource,
) -> Result<ReversedOrder, ReversalError> {
    let gone = sold.iter().filter(|sold| sold.is_gone(request));
    let gone: BTreeSet<u8> = gone.map(|sold| sold.rows.seller.position).collect();
    let chosen = order.choose(request, &gone)?;
    let mut order = Order {
        updated_at: now,
        ..order
    };
    let (mut subscriptions, mut returned) = (Vec::new(), Vec::new());
    for position in &mut order.positions {
        if !chosen.contains(&position.position) {
            continue;
        }
        let of_it = |sold: &SoldRows| Some(sold.rows.seller.id) == position.subscription_id;
        let (back, is_all) = match sold.iter().position(of_it) {
            Some(index) => {
                let (change, back, is_all) =
                    sold.swap_remove(index).reverse(request, kind, now, ids)?;
                subscriptions.push(change);
                (back, is_all)
            }
            None => of_single(position, request.amount)?,
        };
        position.take_back(back, is_all, kind, now);
        returned.push((position.position, back));
    }
    Ok(ReversedOrder {
        order,
        subscriptions,
        kind,
        returned,
    })
}

/// The money that goes back of a position without a subscription, and whether nothing is left.
fn of_single(
    position: &OrderPosition,
    amount: Option<Money>,
) -> Result<(Money, bool), SubscriptionError> {
    let left = position.left();
    let back = amount.unwrap_or(left);
    if back.currency != left.currency {
        return Err(SubscriptionError::OtherCurrency { sold: left });
    }
    if amount.is_some() {
        let least = Money { amount: 1, ..left };
        within(back, (least, left), "no more is left of this position")?;
    }
    Ok((back, back == left))
}

impl SoldRows {
    fn last_period(&self) -> PaidPeriod {
        let number = self.rows.seller.periods_paid;
        self.rows.period(number, self.period.clone())
    }

    /// Whether the reversal could change nothing: all money went back, and the subscription has ended or goes on.
    fn is_gone(&self, request: &ReversalRequest) -> bool {
        let period = self.last_period();
        let still_ends = request.ends && !self.rows.seller.life.is_reversed();
        period.is_unpaid() && !(still_ends && request.amount.is_none())
    }

    /// The change, the money that goes back, and whether nothing is left.
    fn reverse(
        self,
        request: &ReversalRequest,
        kind: Reversal,
        now: Timestamp,
        ids: &mut dyn IdSource,
    ) -> Result<(SubscriptionChange, Money, bool), SubscriptionError> {
        let period = self.last_period();
        let left = period.left();
        let back = self.rows.in_its_currency(request.amount.unwrap_or(left))?;
        if request.amount.is_some() {
            let least = Money { amount: 1, ..left };
            within(back, (least, left), "no more is left of the last payment")?;
        }
        let request = ReverseRequest {
            kind,
            amount: request.amount,
            ends: request.ends,
        };
        let change = self.rows.take_back(&request, period, back, now, ids)?;
        Ok((change, back, back == left))
    }
}
