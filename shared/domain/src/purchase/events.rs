//! The callbacks to the source of a cross-client subscription.

use serde_json::{Value, json};

use super::sale::Line;
use crate::callback::{Announcement, EventType, VOUCHER_CODE};
use crate::connection::Connection;
use crate::order::Order;
use crate::subscription::{CrossClientLink, Subscription};

pub(super) fn sale_data(
    order: &Order,
    connection: &Connection,
    seller: &Subscription,
    line: &Line<'_>,
    voucher_code: &str,
) -> Value {
    let profile = &line.customer.profile;
    let mut data = json!({
        "connectionId": connection.id,
        "order": {
            "id": order.id,
            "createdAt": order.created_at,
            "paymentMethod": order.payment_method,
            "seller": {"clientId": connection.target.client_id, "name": connection.target.name},
        },
        "position": {
            "number": line.position,
            "quantity": line.quantity,
            "unitPrice": seller.unit_price,
            "amount": seller.amount(),
        },
        "subscription": subscription_data(seller),
        "customer": {
            "id": line.customer.id,
            "email": profile.email,
            "language": profile.language,
            "firstName": profile.first_name,
            "lastName": profile.last_name,
        },
        "offer": offer_data(seller),
        VOUCHER_CODE: voucher_code,
    });
    if !order.metadata.is_empty() {
        data["order"]["metadata"] = json!(order.metadata);
    }
    data
}

pub(crate) fn subscription_data(seller: &Subscription) -> Value {
    json!({
        "id": seller.id,
        "period": seller.period,
        "renews": seller.renews,
        "startedAt": seller.started_at,
        "periodsPaid": seller.periods_paid,
        "paidUntil": seller.paid_until,
    })
}

pub(crate) fn offer_data(subscription: &Subscription) -> Value {
    let mut data = json!({"id": subscription.offer_id, "name": subscription.offer_name});
    if let Some(link) = &subscription.cross_client {
        if !link.offer_metadata.is_empty() {
            data["metadata"] = json!(link.offer_metadata);
        }
        if let Some(cost_center) = &link.cost_center {
            data["costCenter"] = json!(cost_center);
        }
    }
    data
}

pub(crate) fn announce(
    seller: &Subscription,
    link: &CrossClientLink,
    event: EventType,
    data: Value,
) -> Announcement {
    Announcement {
        client_id: link.source_client_id,
        connection_id: Some(link.connection_id),
        order_id: Some(seller.order_id),
        subscription_id: Some(seller.id),
        event,
        data,
    }
}
