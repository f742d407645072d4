//! The order and the subscription of an imported order.

use crate::ids::{OrderId, SubscriptionId};
use crate::metadata::Metadata;
use crate::offer::{Offer, OfferKind, RenewalRules};
use crate::order::{Order, OrderPosition, PositionState};
use crate::period::{Period, PeriodUnit};
use crate::subscription::{Role, Subscription};
use crate::zone::Zone;

use super::imported::{Imported, Sale};
use super::kept::Kept;

pub(super) fn subscription(row: &Imported, sale: &Sale, kept: &Kept) -> Option<Subscription> {
    let uuid = row.uuid()?;
    Some(Subscription {
        id: SubscriptionId::from(uuid),
        client_id: row.client_id,
        role: Role::Own,
        customer_id: Some(kept.invoice_customer_id),
        order_id: OrderId::from(uuid),
        position: 1,
        offer_id: sale.offer.id,
        offer_name: sale.offer.name.clone(),
        quantity: kept.quantity.value,
        unit_price: sale.offer.price,
        payment_method: kept.payment_method.value,
        period: sale.offer.period,
        renews: sale.offer.renews,
        time_zone: Zone::default(),
        started_at: kept.start_date.value,
        periods_paid: 0,
        paid_until: kept.start_date.value,
        unpaid: Vec::new(),
        rules: RenewalRules::default(),
        life: kept.life(),
        cross_client: None,
        voucher_hash: None,
        external_system_id: None,
        metadata: Metadata::default(),
        external: Some(kept.external(row.external_system_id.clone())),
        created_at: sale.created_at,
        updated_at: sale.updated_at,
        version: row.version,
    })
}

/// The order of its one subscription.
pub(super) fn order(row: &Imported, subscription: &Subscription) -> Option<Order> {
    Some(Order {
        id: subscription.order_id,
        client_id: row.client_id,
        customer_id: subscription.customer_id?,
        cart_id: None,
        payment_method: subscription.payment_method,
        positions: vec![position(subscription)],
        total: subscription.amount(),
        external_system_id: None,
        metadata: Metadata::default(),
        external: subscription.external.clone(),
        request: None,
        created_at: subscription.created_at,
        updated_at: subscription.updated_at,
        version: row.version,
    })
}

pub(super) fn period_of(offer: &Offer) -> (Period, bool) {
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
        reversed: None,
    }
}
