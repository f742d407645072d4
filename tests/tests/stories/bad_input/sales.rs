//! Purchases, orders, subscriptions, callbacks and payouts.

use serde_json::{Value, json};

use super::case::{Caller, Case};
use super::scene::Scene;

pub(super) fn cases(scene: &Scene) -> Vec<Case> {
    [
        purchases(scene),
        orders(scene),
        subscriptions(scene),
        callbacks(scene),
        payouts(scene),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const CREATED_BACKWARDS: &str =
    "createdFrom=2026-02-01T00:00:00Z&createdBefore=2026-01-01T00:00:00Z";
const NOT_AFTER_CREATED: &[(&str, &str)] = &[("createdBefore", "not_after_from")];

fn purchases(scene: &Scene) -> Vec<Case> {
    let buy = |customer: &str, positions: Value| json!({"customerId": customer, "paymentMethod": "TWINT", "positions": positions});
    let purchase = Case::new("POST /v1/carts/{cartId}/purchase", Caller::Target)
        .id(&scene.cart, "cart_not_found")
        .needs_key()
        .body(buy(&scene.customer, json!([])))
        .wrong(json!({}), &[("customerId", "required"), ("paymentMethod", "required")])
        .wrong(
            json!({"customerId": "x", "paymentMethod": "CASH", "price": 0, "startDate": "2026-12-24", "externalSystemId": "", "metadata": {"a": null}, "positions": [
                {"position": 0, "quantity": 0}, {"position": "1"}, {"position": 2, "quantity": 10_001}, {"quantity": 1.5, "price": 0},
            ]}),
            &[
                ("customerId", "invalid"),
                ("paymentMethod", "unknown_value"),
                ("startDate", "no_time"),
                ("externalSystemId", "empty"),
                ("metadata.a", "not_a_string"),
                ("price", "unknown_field"),
                ("positions[0].position", "out_of_range"),
                ("positions[0].quantity", "out_of_range"),
                ("positions[1].position", "not_an_integer"),
                ("positions[2].quantity", "out_of_range"),
                ("positions[3].position", "required"),
                ("positions[3].quantity", "not_an_integer"),
                ("positions[3].price", "unknown_field"),
            ],
        )
        .wrong(
            json!({"customerId": scene.customer, "paymentMethod": "TWINT", "expectedTotal": {"amount": -1, "tax": 1}}),
            &[
                ("expectedTotal.amount", "out_of_range"),
                ("expectedTotal.currency", "required"),
                ("expectedTotal.tax", "unknown_field"),
            ],
        )
        .wrong(buy(&scene.customer, json!([{"position": 2}, {"position": 2}])), &[("positions[1].position", "repeated")])
        .wrong(
            buy(&scene.customer, json!([{"position": 3}, {"position": 20}])),
            &[("positions", "no_such_position"), ("positions", "no_such_position")],
        )
        .wrong(buy("cus_0190b8f5c6f77c3ab0a1c2d3e4f50617", json!([])), &[("customerId", "not_found")])
        .wrong(
            json!({"customerId": scene.customer, "paymentMethod": "TWINT", "startDate": "2999-01-01T00:00:00Z"}),
            &[("startDate", "out_of_range")],
        )
        // The target cannot use a customer of the source's contracting company.
        .wrong(buy(&scene.sources_customer, json!([])), &[("customerId", "not_found")]);
    vec![purchase]
}

/// The errors of an amount whose members are all wrong.
const AMOUNT: &[(&str, &str)] = &[
    ("amount.amount", "out_of_range"),
    ("amount.currency", "unknown_currency"),
    ("amount.cents", "unknown_field"),
];

fn orders(scene: &Scene) -> Vec<Case> {
    let id = |route| Case::new(route, Caller::Target).id(&scene.order, "order_not_found");
    let take_back = |route| {
        id(route)
            .needs_key()
            .optional_body(json!({"positions": [2]}))
            .wrong(
                json!({"positions": [0, "1", 21, 1.5], "amount": 5, "endSubscription": "no", "kind": "refund"}),
                &[
                    ("positions[0]", "out_of_range"),
                    ("positions[1]", "not_an_integer"),
                    ("positions[2]", "out_of_range"),
                    ("positions[3]", "not_an_integer"),
                    ("amount", "not_an_object"),
                    ("endSubscription", "not_a_boolean"),
                    ("kind", "unknown_field"),
                ],
            )
            .wrong(
                json!({"positions": [2], "amount": {"amount": 0, "currency": "EU", "cents": 1}}),
                AMOUNT,
            )
            .wrong(
                json!({"amount": {"amount": 1, "currency": "EUR"}}),
                &[("positions", "one_position")],
            )
            .wrong(
                json!({"positions": [2], "amount": {"amount": 1_000_000, "currency": "EUR"}}),
                &[("amount.amount", "out_of_range")],
            )
            .wrong(
                json!({"positions": [2], "amount": {"amount": 1, "currency": "CHF"}}),
                &[("amount.currency", "currency_differs")],
            )
            .wrong(json!({"positions": []}), &[("positions", "wrong_length")])
            .wrong(json!({"positions": 2}), &[("positions", "not_a_list")])
            .wrong(
                json!({"positions": [2, 3]}),
                &[("positions", "no_such_position")],
            )
    };
    vec![
        Case::new("GET /v1/orders", Caller::Target)
            .list(&[
                ("customerId", "x", "invalid"),
                ("externalSystemId", " ", "empty"),
                ("createdFrom", "yesterday", "invalid_date"),
                ("createdBefore", "2026-01-01", "no_time"),
            ])
            .wrong_query(CREATED_BACKWARDS, NOT_AFTER_CREATED),
        id("GET /v1/orders/{orderId}"),
        take_back("POST /v1/orders/{orderId}/refund"),
        take_back("POST /v1/orders/{orderId}/charge-back"),
    ]
}

fn subscriptions(scene: &Scene) -> Vec<Case> {
    let id = |route| {
        Case::new(route, Caller::Target).id(&scene.own_subscription, "subscription_not_found")
    };
    let code = "7Q2M9-X4T0K-3HGWB-PZ5RA";
    vec![
        Case::new("GET /v1/subscriptions", Caller::Target)
            .list(&[
                ("customerId", "x", "invalid"),
                ("offerId", "x", "invalid"),
                ("status", "ended", "unknown_value"),
                ("externalSystemId", " ", "empty"),
                ("createdFrom", "yesterday", "invalid_date"),
                ("createdBefore", "2026-01-01", "no_time"),
            ])
            .wrong_query(CREATED_BACKWARDS, NOT_AFTER_CREATED),
        Case::new("GET /v1/subscriptions/{subscriptionId}", Caller::Source)
            .id(&scene.subscription, "subscription_not_found"),
        id("POST /v1/subscriptions/{subscriptionId}/payments")
            .optional_body(json!({"periodNumber": 2}))
            .wrong(
                json!({"periodNumber": 0, "paymentMethod": "CASH", "amount": 5, "kind": "refund"}),
                &[
                    ("periodNumber", "out_of_range"),
                    ("paymentMethod", "unknown_value"),
                    ("amount", "not_an_object"),
                    ("kind", "unknown_field"),
                ],
            )
            .wrong(
                json!({"amount": {"amount": -1, "currency": "EU", "cents": 1}}),
                AMOUNT,
            )
            .wrong(
                json!({"amount": {"amount": 1, "currency": "CHF"}}),
                &[("amount.currency", "currency_differs")],
            )
            .wrong(
                json!({"periodNumber": "2", "paymentMethod": 5}),
                &[
                    ("periodNumber", "not_an_integer"),
                    ("paymentMethod", "not_a_string"),
                ],
            ),
        id("POST /v1/subscriptions/{subscriptionId}/payments/{periodNumber}/reverse")
            .id("1", "period_not_found")
            .needs_key()
            .body(json!({"kind": "refund"}))
            .wrong(json!({}), &[("kind", "required")])
            .wrong(
                json!({"kind": "loss", "amount": 5, "endSubscription": 1, "positions": [1]}),
                &[
                    ("kind", "unknown_value"),
                    ("amount", "not_an_object"),
                    ("endSubscription", "not_a_boolean"),
                    ("positions", "unknown_field"),
                ],
            )
            .wrong(
                json!({"kind": "refund", "amount": {"amount": 0, "currency": "EU", "cents": 1}}),
                AMOUNT,
            )
            .wrong(
                json!({"kind": "refund", "amount": {"amount": 1_000_000, "currency": "EUR"}}),
                &[("amount.amount", "out_of_range")],
            )
            .wrong(
                json!({"kind": "refund", "amount": {"amount": 1, "currency": "CHF"}}),
                &[("amount.currency", "currency_differs")],
            ),
        id("POST /v1/subscriptions/{subscriptionId}/undo-cancellation").no_body(),
        id("POST /v1/subscriptions/{subscriptionId}/cancel")
            .optional_body(json!({"at": "2999-12-31T23:59:59Z"}))
            .wrong(
                json!({"at": "tomorrow", "endsAt": "tomorrow", "reason": ""}),
                &[
                    ("at", "invalid_date"),
                    ("endsAt", "invalid_date"),
                    ("reason", "unknown_field"),
                ],
            )
            .wrong(
                json!({"at": "now", "endsAt": "2999-12-31T23:59:59Z"}),
                &[("endsAt", "only_one")],
            )
            .wrong(
                json!({"at": "2020-01-01T00:00:00Z"}),
                &[("at", "in_the_past")],
            )
            .wrong(json!({"endsAt": 5}), &[("endsAt", "not_a_string")])
            .wrong(
                json!({"endsAt": "2020-01-01T00:00:00Z"}),
                &[("endsAt", "in_the_past")],
            ),
        Case::new(
            "POST /v1/subscriptions/useCrossClientVoucher",
            Caller::Source,
        )
        .body(json!({"customerId": scene.sources_customer, "voucherCode": code}))
        .wrong(
            json!({}),
            &[("customerId", "required"), ("voucherCode", "required")],
        )
        .wrong(
            json!({"customerId": 5, "voucherCode": "ABC", "clientId": scene.source_client}),
            &[
                ("customerId", "not_a_string"),
                ("voucherCode", "invalid_voucher_code"),
                ("clientId", "unknown_field"),
            ],
        )
        .wrong(
            json!({"customerId": "x", "voucherCode": format!("{code}0")}),
            &[
                ("customerId", "invalid"),
                ("voucherCode", "invalid_voucher_code"),
            ],
        )
        .wrong(
            json!({"customerId": scene.customer, "voucherCode": code}),
            &[("customerId", "not_found")],
        ),
    ]
}

fn callbacks(scene: &Scene) -> Vec<Case> {
    let id = |route| Case::new(route, Caller::Source).id(&scene.callback, "callback_not_found");
    let unknown = "cbk_0190b8f5c6f77c3ab0a1c2d3e4f50617";
    let since = "2026-01-01T00:00:00Z";
    vec![
        Case::new("GET /v1/callbacks", Caller::Source).list(&[
            ("status", "lost", "unknown_value"),
            ("type", "sold", "unknown_value"),
            ("connectionId", "x", "invalid"),
            ("orderId", "x", "invalid"),
            ("subscriptionId", "x", "invalid"),
        ]),
        id("GET /v1/callbacks/{callbackId}"),
        id("POST /v1/callbacks/{callbackId}/replay").no_body(),
        Case::new("POST /v1/callbacks/replay", Caller::Source)
            .body(json!({"callbackIds": [scene.callback]}))
            .wrong(json!({}), &[("callbackIds", "required")])
            .wrong(
                json!({"callbackIds": [scene.callback, "x", 5], "all": true}),
                &[
                    ("callbackIds[1]", "invalid"),
                    ("callbackIds[2]", "not_a_string"),
                    ("all", "unknown_field"),
                ],
            )
            .wrong(
                json!({"callbackIds": []}),
                &[("callbackIds", "wrong_length")],
            )
            .wrong(
                json!({"callbackIds": vec![&scene.callback; 50]}),
                &[("callbackIds", "wrong_length")],
            )
            .wrong(
                json!({"callbackIds": [scene.callback, unknown]}),
                &[("callbackIds", "not_found")],
            ),
        Case::new("POST /v1/callbacks/replays", Caller::Source)
            .body(json!({"since": since, "connectionId": scene.connection}))
            .wrong(
                json!({"since": "yesterday", "connectionId": "x", "all": true}),
                &[
                    ("since", "invalid_date"),
                    ("connectionId", "invalid"),
                    ("all", "unknown_field"),
                ],
            )
            .wrong(
                json!({"since": 5, "connectionId": ["x"]}),
                &[("since", "not_a_string"), ("connectionId", "not_a_string")],
            )
            .wrong(
                json!({"connectionId": "con_0190b8f5c6f77c3ab0a1c2d3e4f50617"}),
                &[("connectionId", "not_found")],
            ),
        Case::new("GET /v1/callbacks/replays/{replayId}", Caller::Source)
            .id(&scene.replay, "replay_not_found"),
    ]
}

const PAYOUT_FILTERS: &[(&str, &str, &str)] = &[
    ("role", "seller", "unknown_value"),
    ("from", "yesterday", "invalid_date"),
    ("before", "2026-01-01", "no_time"),
    ("month", "2026-13", "invalid_month"),
    ("partnerClientId", "x", "invalid"),
    ("type", "Payment", "unknown_value"),
    ("paidStatus", "paid", "unknown_value"),
    ("orderId", "x", "invalid"),
    ("subscriptionId", "x", "invalid"),
];

fn payouts(scene: &Scene) -> Vec<Case> {
    const BACKWARDS: &str = "from=2026-02-01T00:00:00Z&before=2026-01-01T00:00:00Z";
    const NOT_AFTER: &[(&str, &str)] = &[("before", "not_after_from")];
    let id = |route| Case::new(route, Caller::Source).id(&scene.payout, "payout_not_found");
    let list = |route| {
        Case::new(route, Caller::Source)
            .list(PAYOUT_FILTERS)
            .wrong_query(BACKWARDS, NOT_AFTER)
    };
    vec![
        list("GET /v1/payouts"),
        list("GET /v1/payouts/statement").limit(None),
        list("GET /v1/payouts/export").limit(Some(10_000)),
        id("GET /v1/payouts/{payoutId}"),
        id("POST /v1/payouts/{payoutId}/mark-paid").no_body(),
    ]
}
