//! The order and the subscription of an imported order.

use jiff::Timestamp;

use crate::external::External;
use crate::offer::{Offer, OfferKind};
use crate::order::{Order, OrderPosition, PositionState};
use crate::period::{Period, PeriodUnit};
use crate::subscription::{Role, Subscription};

use super::decide::Mirror;
use super::kept::Kept;

pub(super) fn new_rows(
    kept: &Kept,
    mirror: &Mirror,
    offer: &Offer,
    external: External,
    now: Timestamp,
) -> (Order, Subscription) {
    let (period, renews) = period_of(offer);
    let subscription = Subscription {
        id: mirror.subscription_id,
        client_id: mirror.client_id,
        role: Role::Own,
        customer_id: Some(kept.invoice_customer_id),
        order_id: mirror.order_id,
        position: 1,
        offer_id: offer.id,
        offer_name: offer.name.clone(),
        quantity: kept.quantity.value,
        unit_price: offer.price,
        payment_method: kept.payment_method.value,
        period,
        renews,
        started_at: kept.start_date.value,
        periods_paid: 0,
        paid_until: kept.start_date.value,
        life: kept.life(),
        cross_client: None,
        voucher_hash: None,
        external: Some(external),
        created_at: now,
        updated_at: now,
        version: 1,
    };
    let order = Order {
        id: mirror.order_id,
        client_id: mirror.client_id,
        customer_id: kept.invoice_customer_id,
        cart_id: None,
        payment_method: kept.payment_method.value,
        positions: vec![position(&subscription)],
        total: subscription.amount(),
        external: subscription.external.clone(),
        created_at: now,
        updated_at: now,
        version: 1,
    };
    (order, subscription)
}

/// Order and subscription with these members; `None` if nothing changes. `offer` is the offer of an import that decides about
/// the order: the rows follow it if an earlier accepted import names another offer than the first that ran.
pub(super) fn changed_rows(
    kept: &Kept,
    (order, before): (Order, Subscription),
    offer: &Offer,
    external: External,
    now: Timestamp,
) -> Option<(Order, Subscription)> {
    let mut subscription = Subscription {
        customer_id: Some(kept.invoice_customer_id),
        quantity: kept.quantity.value,
        payment_method: kept.payment_method.value,
        started_at: kept.start_date.value,
        paid_until: kept.start_date.value,
        life: kept.life(),
        external: Some(external),
        ..before.clone()
    };
    if kept.offer_id != before.offer_id && kept.offer_id == offer.id {
        let (period, renews) = period_of(offer);
        subscription = Subscription {
            offer_id: offer.id,
            offer_name: offer.name.clone(),
            unit_price: offer.price,
            period,
            renews,
            ..subscription
        };
    }
    if subscription == before {
        return None;
    }
    subscription.updated_at = now;
    let order = Order {
        customer_id: kept.invoice_customer_id,
        payment_method: kept.payment_method.value,
        positions: vec![position(&subscription)],
        total: subscription.amount(),
        external: subscription.external.clone(),
        updated_at: now,
        ..order
    };
    Some((order, subscription))
}

fn period_of(offer: &Offer) -> (Period, bool) {
    match offer.kind {
        OfferKind::Subscription { period, renews } => (period, renews),
        // Items with single offers fail.
        OfferKind::Single => (
            Period {
                unit: PeriodUnit::Day,
                count: 1,
            },
            false,
        ),
    }
}

/// The one position of an imported order.
fn position(subscription: &Subscription) -> OrderPosition {
    OrderPosition {
        position: subscription.position,
        offer_id: subscription.offer_id,
        offer_name: subscription.offer_name.clone(),
        quantity: subscription.quantity,
        unit_price: subscription.unit_price,
        amount: subscription.amount(),
        source_client_id: None,
        subscription_id: Some(subscription.id),
        state: PositionState::Paid,
    }
}
