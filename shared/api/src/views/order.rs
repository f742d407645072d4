//! An order.

use serde_json::{Value, json};
use tandem_domain::external::External;
use tandem_domain::order::{Order, OrderPosition, PositionState};
use tandem_domain::text::ExternalId;

pub fn order(order: &Order) -> Value {
    let mut view = json!({
        "id": order.id,
        "managedBy": order.managed_by(),
        "customerId": order.customer_id,
        "cartId": order.cart_id,
        "paymentMethod": order.payment_method,
        "positions": order.positions.iter().map(position).collect::<Vec<_>>(),
        "total": order.total,
        "metadata": order.metadata,
        "createdAt": order.created_at,
        "updatedAt": order.updated_at,
    });
    let own_id = order.external_system_id.as_ref();
    add_external(&mut view, order.external.as_ref(), own_id);
    view
}

/// Adds the members that the external system sent for an order or subscription; all are `null` if Tandem sold it, but for the
/// `own_id` that the purchase named.
pub(crate) fn add_external(
    view: &mut Value,
    external: Option<&External>,
    own_id: Option<&ExternalId>,
) {
    let percentage = external
        .and_then(|external| external.discount_basis_points)
        .map(|discount| {
            // A decimal point before the last two digits turns basis points into the percentage, without floating point.
            let text = format!("{}.{:02}", discount.0 / 100, discount.0 % 100);
            serde_json::from_str::<Value>(&text).unwrap_or(Value::Null)
        });
    view["externalSystemId"] = json!(
        external
            .map(|external| &external.external_system_id)
            .or(own_id)
    );
    view["orderDate"] = json!(external.and_then(|external| external.ordered_at));
    view["deliveryCustomerId"] = json!(external.and_then(|external| external.delivery_customer_id));
    view["discountPercentage"] = json!(percentage);
    view["currentPaymentPeriodPaid"] =
        json!(external.and_then(|external| external.current_payment_period_paid));
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
        "reversedAmount": position.reversed(),
    })
}
