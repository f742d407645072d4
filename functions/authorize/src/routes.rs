//! The scope that each route of the API needs.
//!
//! A route needs the area of its path's first segment, for reading (`GET`) or for writing. So a new route beneath a known segment
//! needs no change here. docs/openapi.yaml states the scope of each route as `security`; a contract test compares the two for
//! every route of template.yaml.

use tandem_domain::scope::{Access, Area, Scope};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A client's key with this scope.
    Scope(Scope),
    /// A client's key, whatever its scopes.
    AnyKey,
    /// The operator's key.
    Operator,
}

/// The need of a route as the template spells it. An unknown route has none: every client's key is rejected there.
pub(crate) fn need_of(route: &str) -> Option<Need> {
    let (method, path) = route.split_once(' ')?;
    let access = if method == "GET" {
        Access::Read
    } else {
        Access::Write
    };
    let segments: Vec<&str> = path.split('/').skip(2).collect();
    let area = match segments.as_slice() {
        // The operator's routes, then purchases below another noun, then one area per first segment.
        ["clients" | "contracting-companies", ..] => return Some(Need::Operator),
        // A client may know who it is. Its mail address receives its invitations.
        ["me"] if access == Access::Read => return Some(Need::AnyKey),
        ["me"] => Area::Connections,
        ["carts", _, "purchase"] | ["customers", _, "orders" | "subscriptions"] => Area::Purchases,
        ["connections", ..] => Area::Connections,
        ["offers" | "carts", ..] => Area::Catalog,
        ["customers", ..] => Area::Customers,
        ["orders" | "subscriptions", ..] => Area::Purchases,
        ["imports" | "event-endpoint", ..] => Area::Imports,
        ["callbacks", ..] => Area::Callbacks,
        ["payouts", ..] => Area::Payouts,
        ["api-keys", ..] => Area::Keys,
        _ => return None,
    };
    Some(Need::Scope(Scope { area, access }))
}

#[cfg(test)]
mod tests {
    use super::{Need, need_of};

    fn need(route: &str) -> String {
        match need_of(route) {
            Some(Need::Scope(scope)) => scope.to_string(),
            Some(Need::Operator) => "operator".to_owned(),
            Some(Need::AnyKey) => "any key".to_owned(),
            None => "unknown".to_owned(),
        }
    }

    #[test]
    fn each_route_needs_the_scope_of_its_area() {
        for (route, expected) in [
            ("GET /v1/offers/shared", "catalog:read"),
            ("PATCH /v1/carts/{cartId}", "catalog:write"),
            ("POST /v1/carts/{cartId}/purchase", "purchases:write"),
            ("GET /v1/customers", "customers:read"),
            ("GET /v1/customers/{customerId}/orders", "purchases:read"),
            (
                "POST /v1/subscriptions/useCrossClientVoucher",
                "purchases:write",
            ),
            (
                "POST /v1/connections/{connectionId}/accept",
                "connections:write",
            ),
            ("POST /v1/callbacks/replay", "callbacks:write"),
            ("GET /v1/payouts/export", "payouts:read"),
            ("POST /v1/imports/orders", "imports:write"),
            ("GET /v1/me", "any key"),
            ("PATCH /v1/me", "connections:write"),
            ("GET /v1/api-keys", "keys:read"),
            ("DELETE /v1/api-keys/{keyId}", "keys:write"),
            ("GET /v1/clients", "operator"),
            ("POST /v1/contracting-companies", "operator"),
            ("GET /v1/vouchers", "unknown"),
            ("$default", "unknown"),
        ] {
            assert_eq!(need(route), expected, "{route}");
        }
    }
}
