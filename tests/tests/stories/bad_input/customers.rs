//! Customers.

use serde_json::json;

use super::case::{Caller, Case};
use super::scene::Scene;

pub(super) fn cases(scene: &Scene) -> Vec<Case> {
    let id = |route| Case::new(route, Caller::Target).id(&scene.customer, "customer_not_found");
    let wrong = json!({
        "email": "Anna <anna@example.com>", "language": "deutsch", "externalSystemId": "a".repeat(101), "firstName": "",
        "lastName": 5, "phone": "1".repeat(41), "birthday": "2000-01-01",
        "metadata": {"a": 1, "b": ""},
        "address": {"street": "a\u{202e}b", "postalCode": "1".repeat(21), "country": "de", "planet": "Erde"},
    });
    const WRONG: &[(&str, &str)] = &[
        ("email", "invalid_email"),
        ("language", "invalid_language"),
        ("externalSystemId", "too_long"),
        ("firstName", "empty"),
        ("lastName", "not_a_string"),
        ("phone", "too_long"),
        ("birthday", "unknown_field"),
        ("metadata.a", "not_a_string"),
        ("metadata.b", "empty"),
        ("address.street", "invalid_characters"),
        ("address.postalCode", "too_long"),
        ("address.city", "required"),
        ("address.country", "invalid_country"),
        ("address.planet", "unknown_field"),
    ];
    vec![
        Case::new("POST /v1/customers", Caller::Target)
            .body(json!({"email": "neu@example.com", "language": "de"}))
            .wrong(
                json!({}),
                &[("email", "required"), ("language", "required")],
            )
            .wrong(wrong.clone(), WRONG),
        Case::new("GET /v1/customers", Caller::Target)
            .list(&[
                ("email", "x", "invalid_email"),
                ("externalSystemId", "", "empty"),
            ])
            .wrong_query(
                "email=a@example.com&externalSystemId=1",
                &[("externalSystemId", "only_one")],
            ),
        id("GET /v1/customers/{customerId}"),
        id("PATCH /v1/customers/{customerId}")
            .body(json!({"firstName": "Anders"}))
            .wrong(wrong, WRONG),
        id("DELETE /v1/customers/{customerId}"),
        id("GET /v1/customers/{customerId}/subscriptions").list(&[]),
        id("GET /v1/customers/{customerId}/orders").list(&[]),
    ]
}
