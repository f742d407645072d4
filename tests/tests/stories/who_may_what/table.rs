//! The status for each caller.

use serde_json::{Value, json};

use super::cast::{Caller, Cast};

/// A route, and the status for each [`Caller`], in their order: the stranger, the partner without grant, the partner with grant,
/// the blocked partner, the operator.
pub(super) type Row = (&'static str, [u16; 5]);

/// Only for the operator.
const OPERATORS: [u16; 5] = [403, 403, 403, 403, 200];
/// Only the caller's own data.
const OWN: [u16; 5] = [200, 200, 200, 200, 403];
/// Only the owner's data.
const OWNERS: [u16; 5] = [404, 404, 404, 404, 403];

pub(super) const TABLE: &[Row] = &[
    ("POST /v1/contracting-companies", [403, 403, 403, 403, 201]),
    ("GET /v1/contracting-companies", OPERATORS),
    ("GET /v1/contracting-companies/{companyId}", OPERATORS),
    ("PATCH /v1/contracting-companies/{companyId}", OPERATORS),
    ("POST /v1/clients", [403, 403, 403, 403, 201]),
    ("GET /v1/clients", OPERATORS),
    ("GET /v1/clients/{clientId}", OPERATORS),
    ("PATCH /v1/clients/{clientId}", OPERATORS),
    (
        "POST /v1/clients/{clientId}/api-keys",
        [403, 403, 403, 403, 201],
    ),
    ("GET /v1/clients/{clientId}/api-keys", OPERATORS),
    ("DELETE /v1/clients/{clientId}/api-keys/{keyId}", OPERATORS),
    ("GET /v1/me", OWN),
    ("PATCH /v1/me", OWN),
    ("POST /v1/api-keys", [201, 201, 201, 201, 403]),
    ("GET /v1/api-keys", OWN),
    ("DELETE /v1/api-keys/{keyId}", OWNERS),
    // Anyone may invite anyone.
    ("POST /v1/connections", [201, 201, 201, 201, 403]),
    ("GET /v1/connections", OWN),
    (
        "GET /v1/connections/{connectionId}",
        [404, 200, 200, 200, 403],
    ),
    // Only the source may edit access.
    (
        "PATCH /v1/connections/{connectionId}",
        [404, 403, 403, 403, 403],
    ),
    (
        "POST /v1/connections/{connectionId}/accept",
        [404, 409, 409, 409, 403],
    ),
    (
        "POST /v1/connections/{connectionId}/decline",
        [404, 409, 409, 409, 403],
    ),
    (
        "POST /v1/connections/{connectionId}/withdraw",
        [404, 403, 403, 403, 403],
    ),
    (
        "POST /v1/connections/{connectionId}/resend-invitation",
        [404, 403, 403, 403, 403],
    ),
    // Each side blocks, also a connection that the owner blocks, and takes its own block back.
    (
        "POST /v1/connections/{connectionId}/block",
        [404, 200, 200, 200, 403],
    ),
    (
        "POST /v1/connections/{connectionId}/unblock",
        [404, 200, 200, 200, 403],
    ),
    (
        "POST /v1/connections/{connectionId}/callback/rotate-secret",
        [404, 403, 403, 403, 403],
    ),
    (
        "POST /v1/connections/{connectionId}/callback/test",
        [404, 403, 403, 403, 403],
    ),
    ("POST /v1/offers", [201, 201, 201, 201, 403]),
    ("GET /v1/offers", OWN),
    ("GET /v1/offers/shared", OWN),
    ("GET /v1/offers/shared/{offerId}", [404, 404, 200, 404, 403]),
    (
        "POST /v1/offers/shared/{offerId}/accept-terms",
        [404, 404, 200, 404, 403],
    ),
    ("GET /v1/offers/{offerId}", OWNERS),
    ("PATCH /v1/offers/{offerId}", OWNERS),
    ("POST /v1/offers/{offerId}/archive", OWNERS),
    // A cart with the shared offer and an own offer.
    ("POST /v1/carts", [422, 422, 201, 422, 403]),
    ("GET /v1/carts", OWN),
    ("GET /v1/carts/{cartId}", OWNERS),
    ("PATCH /v1/carts/{cartId}", OWNERS),
    ("POST /v1/carts/{cartId}/archive", OWNERS),
    ("POST /v1/carts/{cartId}/purchase", OWNERS),
    ("POST /v1/customers", [201, 201, 201, 201, 403]),
    ("GET /v1/customers", OWN),
    ("GET /v1/customers/{customerId}", OWNERS),
    ("PATCH /v1/customers/{customerId}", OWNERS),
    ("DELETE /v1/customers/{customerId}", OWNERS),
    ("GET /v1/customers/{customerId}/subscriptions", OWNERS),
    ("GET /v1/customers/{customerId}/orders", OWNERS),
    ("GET /v1/orders", OWN),
    ("GET /v1/orders/{orderId}", OWNERS),
    ("POST /v1/orders/{orderId}/refund", OWNERS),
    ("POST /v1/orders/{orderId}/charge-back", OWNERS),
    ("GET /v1/subscriptions", OWN),
    ("GET /v1/subscriptions/{subscriptionId}", OWNERS),
    ("POST /v1/subscriptions/{subscriptionId}/payments", OWNERS),
    (
        "POST /v1/subscriptions/{subscriptionId}/payments/{periodNumber}/reverse",
        OWNERS,
    ),
    ("POST /v1/subscriptions/{subscriptionId}/cancel", OWNERS),
    (
        "POST /v1/subscriptions/{subscriptionId}/undo-cancellation",
        OWNERS,
    ),
    // For others, the owner's customer and callback are invalid fields of a body.
    (
        "POST /v1/subscriptions/useCrossClientVoucher",
        [422, 422, 422, 422, 403],
    ),
    ("GET /v1/callbacks", OWN),
    ("GET /v1/callbacks/{callbackId}", OWNERS),
    ("POST /v1/callbacks/{callbackId}/replay", OWNERS),
    ("POST /v1/callbacks/replay", [422, 422, 422, 422, 403]),
    // The caller is a stranger to the connection, or its target.
    ("POST /v1/callbacks/replays", [422, 422, 422, 422, 403]),
    ("GET /v1/callbacks/replays/{replayId}", OWNERS),
    ("GET /v1/event-endpoint", OWNERS),
    ("PUT /v1/event-endpoint", [201, 201, 201, 201, 403]),
    ("POST /v1/event-endpoint/rotate-secret", OWN),
    ("DELETE /v1/event-endpoint", OWN),
    ("GET /v1/payouts", OWN),
    ("GET /v1/payouts/statement", OWN),
    ("GET /v1/payouts/export", OWN),
    // Both parties see a row; the creditor, here the owner, marks it paid.
    ("GET /v1/payouts/{payoutId}", [404, 404, 200, 404, 403]),
    (
        "POST /v1/payouts/{payoutId}/mark-paid",
        [404, 404, 403, 404, 403],
    ),
    // Items with the owner's ids fail like items with unknown ids.
    ("POST /v1/imports/orders", [202, 202, 202, 202, 403]),
    ("GET /v1/imports/orders/logs", OWN),
    ("GET /v1/imports", OWN),
    ("GET /v1/imports/{promiseId}", OWNERS),
    ("POST /v1/imports/{promiseId}/retry", OWNERS),
];

/// A body that would be valid for the owner.
pub(super) fn body(route: &str, cast: &Cast, caller: Caller) -> Option<Value> {
    let offer =
        |number: u8, id: &str| json!({"position": number, "offerId": id, "mandatory": true});
    let right = match route {
        "POST /v1/contracting-companies" => {
            json!({"name": "Another", "modules": {"crossClientConnections": false}})
        }
        "PATCH /v1/contracting-companies/{companyId}" => {
            json!({"modules": {"crossClientConnections": true}})
        }
        "POST /v1/clients" => {
            json!({"contractingCompanyId": cast.thing("companyId"), "name": "Another", "email": "a@example.com", "language": "en"})
        }
        "POST /v1/clients/{clientId}/api-keys" | "POST /v1/api-keys" => json!({}),
        "PATCH /v1/clients/{clientId}" | "PATCH /v1/me" => json!({"language": "en"}),
        "POST /v1/connections" => {
            json!({"targetClientId": cast.owner.id, "offersAccess": true, "callback": {"url": "https://example.com/"}})
        }
        "PATCH /v1/connections/{connectionId}" => json!({"offersAccess": true}),
        "POST /v1/offers" => {
            json!({"name": "Another", "type": "single", "price": {"amount": 1, "currency": "EUR"}})
        }
        "PATCH /v1/offers/{offerId}" => json!({"name": "Mine"}),
        "POST /v1/offers/shared/{offerId}/accept-terms" => json!({"version": 1}),
        "POST /v1/carts" => {
            json!({"name": "Both", "positions": [offer(1, cast.own_offer(caller)), offer(2, &cast.shared_offer)]})
        }
        "PATCH /v1/carts/{cartId}" => json!({"name": "Mine"}),
        "POST /v1/carts/{cartId}/purchase" => {
            json!({"customerId": cast.thing("customerId"), "paymentMethod": "PAYPAL"})
        }
        "POST /v1/customers" => {
            json!({"email": format!("{}@example.com", cast.client(caller).id), "language": "en"})
        }
        "PATCH /v1/customers/{customerId}" => json!({"firstName": "Eve"}),
        "POST /v1/subscriptions/{subscriptionId}/payments/{periodNumber}/reverse" => {
            json!({"kind": "refund"})
        }
        "POST /v1/subscriptions/useCrossClientVoucher" => {
            json!({"customerId": cast.thing("customerId"), "voucherCode": "7Q2M9-X4T0K-3HGWB-PZ5RA"})
        }
        "POST /v1/callbacks/replay" => json!({"callbackIds": [cast.thing("callbackId")]}),
        "POST /v1/callbacks/replays" => json!({"connectionId": cast.connection(caller)}),
        "PUT /v1/event-endpoint" => json!({"url": "https://example.com/events"}),
        "POST /v1/imports/orders" => json!({"items": [{
            "externalSystemId": "A-1", "offerId": cast.managed_offer, "invoiceCustomerId": cast.thing("customerId"),
            "quantity": 1, "startDate": "2026-01-01T00:00:00Z", "paymentMethod": "BILLING",
        }]}),
        _ => return None,
    };
    Some(right)
}

/// The same path with an unknown id, if it has an id.
pub(super) fn absent(path: &str) -> Option<String> {
    let segment = path.split('/').find(|segment| {
        segment
            .split_once('_')
            .is_some_and(|(_, id)| id.len() == 32)
    })?;
    let (prefix, _) = segment.split_once('_')?;
    Some(path.replace(
        segment,
        &format!("{prefix}_0190b8f5c6f77c3ab0a1c2d3e4f50617"),
    ))
}
