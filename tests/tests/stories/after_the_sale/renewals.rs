//! Paid renewals.

use jiff::ToSpan;
use serde_json::{Value, json};

use super::{CREATED, RENEWED, Scene, euros, later, row, time};

#[tokio::test]
async fn a_paid_renewal_adds_a_period_and_a_payout_row() {
    for scene in Scene::both().await {
        let began = time(&scene.rows().await[0]["startedAt"]);
        let renewed = scene
            .report("payments", json!({"paymentMethod": "PAYPAL"}))
            .await
            .ok();
        assert_eq!(renewed["periodsPaid"], 2);
        assert_eq!(time(&renewed["paidUntil"]), later(began, 2.months()));
        assert_eq!(renewed["paymentMethod"], "PAYPAL");
        assert_eq!(scene.status().await, "active");
        assert_eq!(
            scene.payouts().await,
            [row("PAYMENT", 1, 999, 799), row("PAYMENT", 2, 999, 799)]
        );
        if let Some(data) = scene.callback_data(RENEWED).await {
            assert_eq!(
                (&data["subscription"]["periodsPaid"], &data["amount"]),
                (&json!(2), &euros(999))
            );
            assert_eq!(data["subscription"]["paidUntil"], renewed["paidUntil"]);
            assert_eq!(data["paymentMethod"], "PAYPAL");
            assert_eq!(
                (data.get("voucherCode"), data.get("customer")),
                (None, None),
                "sent once, with the sale"
            );
        }
        scene.has_only_the_callbacks(&[CREATED, RENEWED]).await;
    }
}

#[tokio::test]
async fn a_payment_that_names_its_period_is_not_taken_twice() {
    let scene = Scene::within_one_company().await;
    scene
        .report("payments", json!({"periodNumber": 3}))
        .await
        .problem(409, "subscription_other_period");
    let _ = scene
        .report("payments", json!({"periodNumber": 2}))
        .await
        .ok();
    let refused = scene
        .report("payments", json!({"periodNumber": 2}))
        .await
        .problem(409, "subscription_other_period");
    assert!(
        refused["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("number 3")),
        "{refused}"
    );
    assert_eq!(scene.payouts().await.len(), 2);
}

#[tokio::test]
async fn only_the_seller_reports_renewals_and_cancellations() {
    for scene in Scene::both().await {
        let before = scene.rows().await;
        for action in ["payments", "cancel"] {
            let path = format!(
                "/v1/subscriptions/{}/{action}",
                scene.sale.shared_subscription_id()
            );
            scene
                .pair
                .source
                .api
                .act(&path)
                .await
                .problem(403, "subscription_read_only");
        }
        assert_eq!(scene.rows().await, before);
        scene.has_only_the_callbacks(&[CREATED]).await;
    }
}

#[tokio::test]
async fn the_source_sees_nothing_of_the_targets_own_subscription() {
    let scene = Scene::between_two_companies().await;
    let path = format!("/v1/subscriptions/{}", scene.sale.own_subscription_id());
    let target = &scene.pair.target.api;
    assert_eq!(
        target.act(&format!("{path}/payments")).await.ok()["periodsPaid"],
        2
    );
    assert_eq!(
        target.act(&format!("{path}/cancel")).await.ok()["status"],
        "cancelled"
    );
    let refunded = scene
        .take_back("refund", json!({"positions": [1]}))
        .await
        .ok();
    assert_eq!(
        (
            &refunded["positions"][0]["status"],
            &refunded["positions"][1]["status"]
        ),
        (&json!("refunded"), &json!("paid"))
    );
    assert_eq!(target.get(&path).await.ok()["status"], "refunded");
    assert_eq!(
        target
            .all(&format!(
                "/v1/payouts?subscriptionId={}",
                scene.sale.own_subscription_id()
            ))
            .await,
        Vec::<Value>::new()
    );
    scene
        .pair
        .source
        .api
        .get(&path)
        .await
        .problem(404, "subscription_not_found");
    assert_eq!(scene.status().await, "active");
    assert_eq!(scene.payouts().await, [row("PAYMENT", 1, 999, 799)]);
    scene.has_only_the_callbacks(&[CREATED]).await;
}
