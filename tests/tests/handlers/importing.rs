//! Imports: creating, changing and rejecting; externally managed subscriptions.

use serde_json::{Value, json};
use tandem_tests::{Module, id, managed_offer};

use crate::import_scene::{ImportScene, results};

#[tokio::test]
async fn an_item_creates_an_order_and_an_external_subscription() {
    let scene = ImportScene::new().await;
    let more = json!({
        "quantity": 3,
        "endDate": "2027-11-01T00:00:00Z",
        "orderDate": "2026-10-20T08:00:00Z",
        "deliveryCustomerId": scene.importing.customer_id,
        "discountPercentage": 12.5,
        "currentPaymentPeriodPaid": true,
    });
    let promise = scene
        .import(&[scene.item("A-1", more), scene.item("A-2", json!({}))])
        .await;
    assert_eq!(promise["state"], "completed");
    assert_eq!(
        promise["counts"],
        json!({"created": 2, "updated": 0, "unchanged": 0, "superseded": 0, "failed": 0, "pending": 0})
    );
    assert_eq!(results(&promise), ["created", "created"]);
    let item = &promise["items"][0];
    let order = scene
        .get(&format!("/v1/orders/{}", text(&item["orderId"])))
        .await;
    let subscription = scene
        .get(&format!(
            "/v1/subscriptions/{}",
            text(&item["subscriptionId"])
        ))
        .await;
    for row in [&order, &subscription] {
        assert_eq!(
            (&row["managedBy"], &row["externalSystemId"]),
            (&json!("external"), &json!("A-1"))
        );
        assert_eq!(
            (&row["discountPercentage"], &row["currentPaymentPeriodPaid"]),
            (&json!(12.5), &json!(true))
        );
        assert_eq!(row["customerId"], scene.importing.customer_id.as_str());
        assert_eq!(
            (&row["orderDate"], &row["deliveryCustomerId"]),
            (
                &json!("2026-10-20T08:00:00Z"),
                &json!(scene.importing.customer_id)
            )
        );
    }
    // 3 x 49.00 less 12.5 %, which is rounded half up (18.38).
    assert_eq!(
        (&order["total"]["amount"], &subscription["amount"]["amount"]),
        (&json!(12_862), &json!(12_862))
    );
    assert_eq!(
        (&subscription["status"], &subscription["endsAt"]),
        (&json!("cancelled"), &json!("2027-11-01T00:00:00Z"))
    );
    assert_eq!(
        (&subscription["periodsPaid"], &subscription["startedAt"]),
        (&json!(null), &json!("2026-01-01T00:00:00Z"))
    );
    let with_others = scene
        .get(&format!(
            "/v1/customers/{}/subscriptions",
            scene.importing.customer_id
        ))
        .await;
    assert_eq!(with_others["items"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_repeated_id_updates_and_equal_values_are_unchanged() {
    let scene = ImportScene::new().await;
    let _ = scene
        .import(&[scene.item("A-1", json!({"discountPercentage": 10}))])
        .await;
    let steps = [
        (json!({}), "unchanged", json!("active"), "BILLING", 1),
        (
            json!({"endDate": "2027-01-01T00:00:00Z"}),
            "updated",
            json!("cancelled"),
            "BILLING",
            1,
        ),
        (json!({}), "unchanged", json!("cancelled"), "BILLING", 1),
        (
            json!({"paymentMethod": "PAYPAL", "quantity": 2}),
            "updated",
            json!("cancelled"),
            "PAYPAL",
            2,
        ),
        (
            json!({"paymentMethod": "PAYPAL", "quantity": 2, "endDate": null}),
            "updated",
            json!("active"),
            "PAYPAL",
            2,
        ),
        (
            json!({"paymentMethod": "PAYPAL", "quantity": 2, "endDate": null}),
            "unchanged",
            json!("active"),
            "PAYPAL",
            2,
        ),
    ];
    for (number, (more, result, status, method, quantity)) in steps.into_iter().enumerate() {
        let before = scene.subscription().await;
        let promise = scene.import(&[scene.item("A-1", more)]).await;
        assert_eq!(results(&promise), [result], "step {number}");
        let after = scene.subscription().await;
        assert_eq!(
            (
                &after["status"],
                &after["paymentMethod"],
                &after["quantity"]
            ),
            (&status, &json!(method), &json!(quantity))
        );
        assert_eq!(after["discountPercentage"], 10.0, "absent members stay");
        if result == "unchanged" {
            assert_eq!(after, before);
        }
    }
    assert_eq!(scene.orders().len(), 1);
}

#[tokio::test]
async fn the_import_accepted_last_wins_in_any_order_of_execution() {
    let scene = ImportScene::new().await;
    let first = scene
        .accept(&[scene.item("A-1", json!({"quantity": 1}))])
        .await;
    scene.stage.advance(1);
    let second = scene
        .accept(&[scene.item("A-1", json!({"quantity": 2}))])
        .await;
    let mut messages = scene.stage.import_messages().await;
    messages.sort_by(|a, b| b.pk.cmp(&a.pk));
    for message in &messages {
        assert!(
            scene
                .stage
                .import(std::slice::from_ref(message), 1)
                .await
                .is_empty()
        );
    }
    assert_eq!(results(&scene.promise(&second).await), ["created"]);
    let overtaken = scene.promise(&first).await;
    assert_eq!(
        (results(&overtaken), &overtaken["state"]),
        (vec!["superseded"], &json!("completed"))
    );
    assert_eq!(overtaken["items"][0]["supersededBy"], second.as_str());
    assert_eq!(scene.subscription().await["quantity"], 2);
    // An unchanged item still counts as the later import.
    scene.stage.advance(1);
    let third = scene
        .accept(&[scene.item("A-1", json!({"quantity": 3}))])
        .await;
    scene.stage.advance(1);
    let fourth = scene
        .accept(&[scene.item("A-1", json!({"quantity": 2}))])
        .await;
    let mut messages = scene.stage.import_messages().await;
    messages.sort_by(|a, b| b.pk.cmp(&a.pk));
    for message in &messages {
        assert!(
            scene
                .stage
                .import(std::slice::from_ref(message), 1)
                .await
                .is_empty()
        );
    }
    assert_eq!(results(&scene.promise(&fourth).await), ["unchanged"]);
    assert_eq!(results(&scene.promise(&third).await), ["superseded"]);
}

#[tokio::test]
async fn an_error_of_substance_fails_that_item_only() {
    let scene = ImportScene::new().await;
    let (setup, client) = (scene.stage.setup(), scene.client());
    let other_company = setup.company("Talverlag", Module::Off).await;
    let stranger = setup.client(&other_company, "Talblatt", "de").await;
    let foreign_offer = managed_offer(&stranger).await;
    let foreign_customer = stranger.customer().await;
    let sold_here = client.subscription_offer("Bergwelt digital", 999).await;
    let single = json!({"name": "Heft", "type": "single", "price": {"amount": 1, "currency": "EUR"}, "externallyManaged": true});
    let single = client.api.post("/v1/offers", single).await.created();
    let archived = managed_offer(client).await;
    let archived = id(&archived);
    let _ = scene
        .import(&[scene.item("OLD", json!({"offerId": archived}))])
        .await;
    let archive = format!("/v1/offers/{archived}/archive");
    let _ = client.api.act(&archive).await.ok();
    let second_customer = client.customer().await;
    let items = [
        scene.item("1", json!({"offerId": id(&foreign_offer)})),
        scene.item("2", json!({"offerId": id(&sold_here)})),
        scene.item("3", json!({"offerId": id(&single)})),
        scene.item("4", json!({"offerId": archived})),
        scene.item("5", json!({"invoiceCustomerId": id(&foreign_customer)})),
        scene.item("6", json!({"deliveryCustomerId": id(&foreign_customer)})),
        scene.item(
            "OLD",
            json!({"offerId": archived, "invoiceCustomerId": id(&second_customer)}),
        ),
        scene.item("7", json!({})),
    ];
    let promise = scene.import(&items).await;
    let codes: Vec<&str> = promise["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["error"]["code"].as_str().unwrap_or("-"))
        .collect();
    assert_eq!(
        codes,
        [
            "offer_not_found",
            "offer_not_externally_managed",
            "offer_not_subscription",
            "offer_archived",
            "customer_not_found",
            "delivery_customer_not_found",
            "customer_differs",
            "-",
        ]
    );
    assert_eq!(
        (&promise["state"], &promise["counts"]["failed"]),
        (&json!("completedWithErrors"), &json!(7))
    );
    // Orders of an archived offer can still be updated; an order keeps its offer.
    let items = [
        scene.item("OLD", json!({"offerId": archived, "quantity": 5})),
        scene.item("7", json!({"offerId": archived})),
    ];
    let promise = scene.import(&items).await;
    assert_eq!(results(&promise), ["updated", "failed"]);
    assert_eq!(promise["items"][1]["error"]["code"], "offer_differs");
}

#[tokio::test]
async fn only_imports_change_externally_managed_subscriptions() {
    let scene = ImportScene::new().await;
    let api = &scene.client().api;
    let promise = scene.import(&[scene.item("A-1", json!({}))]).await;
    let id = |name: &str| {
        promise["items"][0][name]
            .as_str()
            .expect("an id")
            .to_owned()
    };
    for (verb, body) in [
        ("payments", json!({})),
        ("payments", json!({"periodNumber": 1})),
        ("payments/1/reverse", json!({"kind": "refund"})),
        ("cancel", json!({})),
        ("undo-cancellation", json!({})),
    ] {
        let path = format!("/v1/subscriptions/{}/{verb}", id("subscriptionId"));
        let refused = api.post(&path, body).await;
        let problem = refused.problem(409, "externally_managed");
        assert!(
            problem["detail"]
                .as_str()
                .expect("a detail")
                .contains("POST /v1/imports/orders")
        );
    }
    for verb in ["refund", "charge-back"] {
        let path = format!("/v1/orders/{}/{verb}", id("orderId"));
        let refused = api.post(&path, json!({})).await;
        let _ = refused.problem(409, "externally_managed");
    }
    let position = json!({"position": 1, "offerId": scene.importing.offer_id, "mandatory": true});
    let body = json!({"name": "Korb", "positions": [position]});
    let refused = api.post("/v1/carts", body).await;
    let problem = refused.problem(422, "invalid_fields");
    assert_eq!(problem["errors"][0]["code"], "offer_externally_managed");
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}
