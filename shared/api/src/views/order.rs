//! An order.

use serde_json::{Value, json};
use tandem_domain::order::{Order, OrderPosition, PositionState};

/// An order of the caller.
#[must_use]
pub fn order(order: &Order) -> Value {
    json!({
        "id": order.id,
        "customerId": order.customer_id,
        "cartId": order.cart_id,
        "paymentMethod": order.payment_method,
        "positions": order.positions.iter().map(position).collect::<Vec<_>>(),
        "total": order.total,
        "createdAt": order.created_at,
        "updatedAt": order.updated_at,
    })
}

fn position(position: &OrderPosition) -> Value {
    let (status, reversed_at) = match position.state {
        PositionState::Paid => ("paid", None),
        PositionState::Refunded { reversed_at } => ("refunded", Some(reversed_at)),
        PositionState::ChargedBack { reversed_at } => ("chargedBack", Some(reversed_at)),
    };
    json!({
        "position": position.position,
        "offerId": position.offer_id,
        "offerName": position.offer_name,
        "quantity": position.quantity,
        "unitPrice": position.unit_price,
        "amount": position.amount,
        "sourceClientId": position.source_client_id,
        "subscriptionId": position.subscription_id,
        "status": status,
        "reversedAt": reversed_at,
    })
}
