//! A subscription as the client of its row sees it.

use serde_json::{Value, json};
use tandem_domain::Timestamp;
use tandem_domain::external::ManagedBy;
use tandem_domain::subscription::Subscription;

/// The order belongs to the seller; the source sees only its id.
///
/// `status`, `hasAccess` and `pastDueSince` are judged at `now`.
pub fn subscription(row: &Subscription, now: Timestamp) -> Value {
    let cross_client = row.cross_client.as_ref().map(|link| {
        json!({
            "connectionId": link.connection_id,
            "source": {"clientId": link.source_client_id, "name": link.source_name},
            "seller": {"clientId": link.target_client_id, "name": link.target_name},
            "sellerShareBasisPoints": link.seller_share_basis_points,
            "costCenter": link.cost_center,
            "offerMetadata": link.offer_metadata,
        })
    });
    // The external system counts the periods of the subscriptions that it manages.
    let counted = row.managed_by() == ManagedBy::Tandem;
    let mut view = json!({
        "id": row.id,
        "role": row.role,
        "status": row.status(now),
        "linked": row.is_linked(),
        "hasAccess": row.has_access(now),
        "managedBy": row.managed_by(),
        "customerId": row.customer_id,
        "orderId": row.order_id,
        "position": row.position,
        "offerId": row.offer_id,
        "offerName": row.offer_name,
        "quantity": row.quantity,
        "unitPrice": row.unit_price,
        "amount": row.amount(),
        "paymentMethod": row.payment_method,
        "period": row.period,
        "renews": row.renews,
        "timeZone": counted.then_some(&row.time_zone),
        "startedAt": row.started_at,
        "periodsPaid": counted.then_some(row.periods_paid),
        "paidUntil": counted.then_some(row.paid_until),
        "pastDueSince": row.past_due_since(now),
        "graceDays": counted.then_some(row.rules.grace_days),
        "renewalAmountTolerancePercent": row.rules.renewal_amount_tolerance_percent,
        "cancelledAt": row.life.cancelled_at(),
        "endsAt": row.life.ends_at(),
        "crossClient": cross_client,
        "metadata": row.metadata,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
    });
    let own_id = row.external_system_id.as_ref();
    super::order::add_external(&mut view, row.external.as_ref(), own_id);
    view
}
