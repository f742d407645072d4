//! The routes that take query parameters. All other routes reject every parameter before they do anything.
//!
//! A route of this list reads its parameters by [`crate::Request::query`] and rejects the others by
//! [`crate::request::Query::finish`]; a contract test compares the list with the code.

/// Method and path pattern, as the template spells them.
pub const ROUTES: &[&str] = &[
    "GET /v1/contracting-companies",
    "GET /v1/clients",
    "GET /v1/clients/{clientId}/api-keys",
    "GET /v1/api-keys",
    "GET /v1/connections",
    "GET /v1/offers",
    "GET /v1/offers/shared",
    "GET /v1/carts",
    "GET /v1/customers",
    "GET /v1/customers/{customerId}/subscriptions",
    "GET /v1/customers/{customerId}/orders",
    "GET /v1/orders",
    "GET /v1/subscriptions",
    "POST /v1/imports/orders",
    "GET /v1/imports/orders/logs",
    "GET /v1/imports",
    "GET /v1/imports/{promiseId}",
    "GET /v1/callbacks",
    "GET /v1/payouts",
    "GET /v1/payouts/statement",
    "GET /v1/payouts/export",
];
