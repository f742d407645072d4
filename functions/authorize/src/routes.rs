//! What a caller needs for a route of the API.

use tandem_domain::scope::{Access, Area, Scope};

/// What a caller needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A client's key with this scope.
    Scope(Scope),
    /// The operator's key.
    Operator,
}

/// What a route needs, as the template spells it; `None` for one that is not known here, which no client's key opens.
pub(crate) fn need_of(route: &str) -> Option<Need> {
    let (method, path) = route.split_once(' ')?;
    let access = if method == "GET" {
        Access::Read
    } else {
        Access::Write
    };
    let segments: Vec<&str> = path.split('/').skip(2).collect();
    let area = match segments.as_slice() {
        ["clients" | "contracting-companies", ..] => return Some(Need::Operator),
        ["carts", _, "purchase"] | ["customers", _, "orders" | "subscriptions"] => Area::Purchases,
        ["connections", ..] => Area::Connections,
        ["offers" | "carts", ..] => Area::Catalog,
        ["customers", ..] => Area::Customers,
        ["orders" | "subscriptions", ..] => Area::Purchases,
        ["imports" | "event-endpoint", ..] => Area::Imports,
        ["callbacks", ..] => Area::Callbacks,
        ["payouts", ..] => Area::Payouts,
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
            ("GET /v1/clients", "operator"),
            ("POST /v1/contracting-companies", "operator"),
            ("GET /v1/vouchers", "unknown"),
            ("$default", "unknown"),
        ] {
            assert_eq!(need(route), expected, "{route}");
        }
    }

    #[test]
    fn every_client_route_of_the_template_needs_a_scope() {
        let template = include_str!("../../../template.yaml");
        let routes = template.lines().filter_map(|line| {
            let method = line.split("Method: ").nth(1)?.split(',').next()?;
            let path = line.split("Path: ").nth(1)?.trim_matches(['"', '}', ' ']);
            Some(format!("{method} {path}"))
        });
        let (operator, client): (Vec<_>, Vec<_>) = routes.partition(|route| {
            route.contains("/v1/clients") || route.contains("/v1/contracting-companies")
        });
        assert!(
            client.len() > 40 && operator.len() == 10,
            "{} and {}",
            client.len(),
            operator.len()
        );
        assert!(
            client
                .iter()
                .all(|route| matches!(need_of(route), Some(Need::Scope(_))))
        );
        assert!(
            operator
                .iter()
                .all(|route| need_of(route) == Some(Need::Operator))
        );
    }
}
