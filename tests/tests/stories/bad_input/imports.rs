//! Imports and the event endpoint.

use serde_json::{Value, json};

use super::case::{Caller, Case};
use super::scene::Scene;

/// The largest body of an import, in octets.
const LARGEST_IMPORT: usize = 2 * 1024 * 1024;

pub(super) fn cases(scene: &Scene) -> Vec<Case> {
    [vec![import(scene)], promises(scene), event_endpoint()]
        .into_iter()
        .flatten()
        .collect()
}

fn import(scene: &Scene) -> Case {
    let item = |id: &str| {
        json!({
            "externalSystemId": id,
            "offerId": scene.managed_offer,
            "invoiceCustomerId": scene.customer,
            "quantity": 1,
            "startDate": "2026-01-01T00:00:00Z",
            "paymentMethod": "BILLING",
        })
    };
    let with = |name: &str, value: Value| {
        let mut item = item("4711");
        item[name] = value;
        item
    };
    Case::new("POST /v1/imports/orders", Caller::Target)
        .list(&[("dryRun", "maybe", "unknown_value")])
        .limit(None)
        .body(json!({"items": [item("4711")]}))
        .up_to(LARGEST_IMPORT)
        .wrong(json!({}), &[("items", "required")])
        .wrong(json!({"items": []}), &[("items", "wrong_length")])
        .wrong(json!({"items": vec![Value::Null; 1_001]}), &[("items", "wrong_length")])
        .wrong(
            json!({"items": [{}]}),
            &[
                ("items[0].externalSystemId", "required"),
                ("items[0].offerId", "required"),
                ("items[0].invoiceCustomerId", "required"),
                ("items[0].quantity", "required"),
                ("items[0].startDate", "required"),
                ("items[0].paymentMethod", "required"),
            ],
        )
        .wrong(
            json!({"items": [
                with("quantity", json!(0)),
                with("paymentMethod", json!("CASH")),
                with("startDate", json!("2026-01-01T00:00:00")),
                with("endDate", json!("2025-12-31T23:59:59Z")),
                with("discountPercentage", json!(12.345)),
            ]}),
            &[
                ("items[0].quantity", "out_of_range"),
                ("items[1].paymentMethod", "unknown_value"),
                ("items[1].externalSystemId", "repeated"),
                ("items[2].startDate", "no_offset"),
                ("items[2].externalSystemId", "repeated"),
                ("items[3].endDate", "before_start"),
                ("items[3].externalSystemId", "repeated"),
                ("items[4].discountPercentage", "too_precise"),
                ("items[4].externalSystemId", "repeated"),
            ],
        )
        .wrong(
            json!({"items": [with("startDate", json!("2026-01-01")), with("orderDate", json!("0001-01-01T00:00:00Z"))]}),
            &[("items[0].startDate", "no_time"), ("items[1].orderDate", "out_of_range"), ("items[1].externalSystemId", "repeated")],
        )
        .wrong(json!({"items": [item("4711"), item("4711")]}), &[("items[1].externalSystemId", "repeated")])
}

fn promises(scene: &Scene) -> Vec<Case> {
    let id = |route| Case::new(route, Caller::Target).id(&scene.promise, "promise_not_found");
    vec![
        Case::new("GET /v1/imports", Caller::Target).list(&[]),
        id("GET /v1/imports/{promiseId}").list(&[("result", "lost", "unknown_value")]),
        id("POST /v1/imports/{promiseId}/retry").no_body(),
        Case::new("GET /v1/imports/orders/logs", Caller::Target).list(&[
            ("externalSystemId", "", "empty"),
            ("offerId", "x", "invalid"),
            ("result", "lost", "unknown_value"),
            ("promiseId", "x", "invalid"),
            ("from", "yesterday", "invalid_date"),
            ("before", "2026-01-01", "no_time"),
        ]),
    ]
}

fn event_endpoint() -> Vec<Case> {
    vec![
        Case::new("GET /v1/event-endpoint", Caller::Target)
            .list(&[])
            .limit(None),
        Case::new("PUT /v1/event-endpoint", Caller::Target)
            .body(json!({"url": "https://example.com/events"}))
            .wrong(json!({}), &[("url", "required")])
            .wrong(
                json!({"url": 5, "secret": "s"}),
                &[("url", "not_a_string"), ("secret", "unknown_field")],
            )
            .wrong(
                json!({"url": "ftp://example.com/", "eventTypes": []}),
                &[("url", "not_https"), ("eventTypes", "wrong_length")],
            )
            .wrong(
                json!({"url": "https://example.com/", "eventTypes": ["import.completed", "connection.test", 5]}),
                &[
                    ("eventTypes[1]", "unknown_value"),
                    ("eventTypes[2]", "not_a_string"),
                ],
            )
            .wrong(
                json!({"url": "https://example.com/", "headers": [{"name": "Host", "value": 5}, {"name": "X-A"}]}),
                &[
                    ("headers[0].name", "reserved_header"),
                    ("headers[0].value", "not_a_string"),
                    ("headers[1].value", "required"),
                ],
            ),
        Case::new("DELETE /v1/event-endpoint", Caller::Target),
        Case::new("POST /v1/event-endpoint/rotate-secret", Caller::Target).no_body(),
    ]
}
