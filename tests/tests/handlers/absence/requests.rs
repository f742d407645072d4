//! The requests that name a thing by its id.

/// Placeholder for an id in a target or body.
pub(super) const ID: &str = "{id}";

/// The requests that name each kind of thing, reads before writes. The caller owns everything else that a request
/// needs: `{customer}`, `{offer}`, `{managed}` and `{cart}`.
pub(super) const REQUESTS: &[(&str, &str, &str)] = &[
    ("connection", "GET /v1/connections/{id}", ""),
    ("connection", "GET /v1/callbacks?connectionId={id}", ""),
    (
        "connection",
        "PATCH /v1/connections/{id}",
        r#"{"offersAccess":true}"#,
    ),
    ("connection", "POST /v1/connections/{id}/accept", "{}"),
    ("connection", "POST /v1/connections/{id}/decline", "{}"),
    ("connection", "POST /v1/connections/{id}/withdraw", "{}"),
    (
        "connection",
        "POST /v1/connections/{id}/resend-invitation",
        "{}",
    ),
    ("connection", "POST /v1/connections/{id}/unblock", "{}"),
    (
        "connection",
        "POST /v1/connections/{id}/callback/rotate-secret",
        "{}",
    ),
    (
        "connection",
        "POST /v1/connections/{id}/callback/test",
        "{}",
    ),
    ("connection", "POST /v1/connections/{id}/block", "{}"),
    ("offer", "GET /v1/offers/{id}", ""),
    (
        "offer",
        "POST /v1/carts",
        r#"{"name":"Cart","positions":[{"position":1,"offerId":"{id}","mandatory":true}]}"#,
    ),
    (
        "offer",
        "PATCH /v1/carts/{cart}",
        r#"{"positions":[{"position":1,"offerId":"{id}","mandatory":true}]}"#,
    ),
    ("offer", "PATCH /v1/offers/{id}", r#"{"name":"Mine"}"#),
    ("offer", "POST /v1/offers/{id}/archive", "{}"),
    ("shared offer", "GET /v1/offers/shared/{id}", ""),
    (
        "shared offer",
        "POST /v1/offers/shared/{id}/accept-terms",
        r#"{"version":1}"#,
    ),
    (
        "shared offer",
        "POST /v1/carts",
        r#"{"name":"Cart","positions":[{"position":1,"offerId":"{offer}","mandatory":true},{"position":2,"offerId":"{id}","mandatory":true}]}"#,
    ),
    (
        "managed offer",
        "GET /v1/imports/orders/logs?offerId={id}",
        "",
    ),
    (
        "managed offer",
        IMPORT,
        r#"{"items":[{"offerId":"{id}","invoiceCustomerId":"{customer}",REST}]}"#,
    ),
    ("cart", "GET /v1/carts/{id}", ""),
    ("cart", "PATCH /v1/carts/{id}", r#"{"name":"Mine"}"#),
    (
        "cart",
        "POST /v1/carts/{id}/purchase",
        r#"{"customerId":"{customer}","paymentMethod":"PAYPAL"}"#,
    ),
    ("cart", "POST /v1/carts/{id}/archive", "{}"),
    ("customer", "GET /v1/customers/{id}", ""),
    ("customer", "GET /v1/customers/{id}/orders", ""),
    ("customer", "GET /v1/customers/{id}/subscriptions", ""),
    ("customer", "GET /v1/orders?customerId={id}", ""),
    ("customer", "GET /v1/subscriptions?customerId={id}", ""),
    (
        "customer",
        "POST /v1/carts/{cart}/purchase",
        r#"{"customerId":"{id}","paymentMethod":"PAYPAL"}"#,
    ),
    (
        "customer",
        IMPORT,
        r#"{"items":[{"offerId":"{managed}","invoiceCustomerId":"{id}",REST}]}"#,
    ),
    (
        "customer",
        IMPORT,
        r#"{"items":[{"offerId":"{managed}","invoiceCustomerId":"{customer}","deliveryCustomerId":"{id}",REST}]}"#,
    ),
    (
        "customer",
        REDEEM,
        r#"{"customerId":"{id}","voucherCode":"7Q2M9-X4T0K-3HGWB-PZ5RA"}"#,
    ),
    (
        "customer",
        "PATCH /v1/customers/{id}",
        r#"{"firstName":"Eve"}"#,
    ),
    ("customer", "DELETE /v1/customers/{id}", ""),
    ("api key", "DELETE /v1/api-keys/{id}", ""),
    ("order", "GET /v1/orders/{id}", ""),
    ("order", "POST /v1/orders/{id}/refund", "{}"),
    ("order", "POST /v1/orders/{id}/charge-back", "{}"),
    ("subscription", "GET /v1/subscriptions/{id}", ""),
    ("subscription", "POST /v1/subscriptions/{id}/payments", "{}"),
    (
        "subscription",
        "POST /v1/subscriptions/{id}/payments",
        r#"{"periodNumber":1}"#,
    ),
    (
        "subscription",
        "POST /v1/subscriptions/{id}/payments/1/reverse",
        r#"{"kind":"chargeBack"}"#,
    ),
    ("subscription", "POST /v1/subscriptions/{id}/cancel", "{}"),
    (
        "subscription",
        "POST /v1/subscriptions/{id}/undo-cancellation",
        "{}",
    ),
    ("sold offer", "GET /v1/subscriptions?offerId={id}", ""),
    ("sold order", "GET /v1/callbacks?orderId={id}", ""),
    ("sold order", "GET /v1/payouts?orderId={id}", ""),
    (
        "sold subscription",
        "GET /v1/callbacks?subscriptionId={id}",
        "",
    ),
    (
        "sold subscription",
        "GET /v1/payouts?subscriptionId={id}",
        "",
    ),
    ("partner", "GET /v1/payouts?partnerClientId={id}", ""),
    ("payout", "GET /v1/payouts/{id}", ""),
    ("payout", "POST /v1/payouts/{id}/mark-paid", "{}"),
    ("callback", "GET /v1/callbacks/{id}", ""),
    (
        "callback",
        "POST /v1/callbacks/replay",
        r#"{"callbackIds":["{id}"]}"#,
    ),
    ("callback", "POST /v1/callbacks/{id}/replay", "{}"),
    (
        "connection",
        "POST /v1/callbacks/replays",
        r#"{"connectionId":"{id}"}"#,
    ),
    ("replay", "GET /v1/callbacks/replays/{id}", ""),
    ("promise", "GET /v1/imports/{id}", ""),
    ("promise", "GET /v1/imports/orders/logs?promiseId={id}", ""),
    ("promise", "POST /v1/imports/{id}/retry", "{}"),
    (
        "voucher",
        REDEEM,
        r#"{"customerId":"{customer}","voucherCode":"{id}"}"#,
    ),
];

/// A dry run returns the results of an import immediately.
pub(super) const IMPORT: &str = "POST /v1/imports/orders?dryRun=true";
/// The other required members of an imported item.
pub(super) const REST: &str = r#""externalSystemId":"A-1","quantity":1,"startDate":"2026-11-01T00:00:00Z","paymentMethod":"BILLING""#;
const REDEEM: &str = "POST /v1/subscriptions/useCrossClientVoucher";
