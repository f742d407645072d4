//! A subscription ends at a date.

use jiff::ToSpan;
use serde_json::{Value, json};

use super::{CANCELLED, CREATED, RENEWED, Scene, UNDONE, later, row, time};

#[tokio::test]
async fn a_cancellation_ends_both_rows_at_its_date_and_owes_nothing() {
    for scene in Scene::both().await {
        let end = later(scene.setup.now(), 240.hours());
        let cancelled = scene.report("cancel", json!({"endsAt": end})).await.ok();
        assert_eq!(
            (&cancelled["status"], time(&cancelled["endsAt"])),
            (&json!("cancelled"), end)
        );
        assert_eq!(scene.status().await, "cancelled");
        assert_eq!(scene.payouts().await, [row("PAYMENT", 1, 999, 799)]);
        if let Some(data) = scene.callback_data(CANCELLED).await {
            assert_eq!(time(&data["endsAt"]), end);
            assert_eq!(time(&data["cancelledAt"]), time(&cancelled["updatedAt"]));
        }
        // The same end again changes nothing.
        let again = scene.report("cancel", json!({"at": end})).await.ok();
        assert_eq!(again["updatedAt"], cancelled["updatedAt"]);
        scene
            .report("payments", json!({}))
            .await
            .problem(409, "subscription_ended");
        scene.has_only_the_callbacks(&[CREATED, CANCELLED]).await;
    }
}

#[tokio::test]
async fn a_cancellation_is_moved_undone_and_takes_effect() {
    for scene in Scene::both().await {
        let refused = scene.report("undo-cancellation", json!({})).await;
        refused.problem(409, "subscription_not_cancelled");
        let _ = scene.report("cancel", json!({})).await.ok();
        let end = later(scene.setup.now(), 240.hours());
        let moved = scene.report("cancel", json!({"at": end})).await.ok();
        assert_eq!(time(&moved["endsAt"]), end);
        assert_eq!(scene.status().await, "cancelled");

        let undone = scene.report("undo-cancellation", json!({})).await.ok();
        assert_eq!(
            (&undone["status"], &undone["endsAt"], &undone["cancelledAt"]),
            (&json!("active"), &Value::Null, &Value::Null)
        );
        assert_eq!(scene.status().await, "active");
        if let Some(data) = scene.callback_data(UNDONE).await {
            assert_eq!(time(&data["undone"]["endsAt"]), end);
            assert_eq!(data["endsAt"], Value::Null);
        }
        let renewed = scene.report("payments", json!({})).await.ok();
        assert_eq!(renewed["periodsPaid"], 2);

        let ended = scene.report("cancel", json!({"at": "now"})).await.ok();
        assert_eq!(
            (&ended["status"], &ended["hasAccess"]),
            (&json!("cancelled"), &json!(false))
        );
        for action in ["undo-cancellation", "cancel", "payments"] {
            let refused = scene.report(action, json!({})).await;
            refused.problem(409, "subscription_ended");
        }
        let events = [CREATED, CANCELLED, CANCELLED, UNDONE, RENEWED, CANCELLED];
        scene.has_only_the_callbacks(&events).await;
    }
}

#[tokio::test]
async fn a_slow_clock_of_the_caller_ends_a_subscription_now() {
    let scene = Scene::within_one_company().await;
    let by_the_caller = later(scene.setup.now(), -4.minutes());
    let ended = scene.report("cancel", json!({"at": by_the_caller}));
    let ended = ended.await.ok();
    assert_eq!(ended["endsAt"], ended["updatedAt"]);
    assert_eq!(ended["hasAccess"], false);
}

#[tokio::test]
async fn without_a_date_it_ends_with_what_is_paid() {
    let scene = Scene::within_one_company().await;
    let cancelled = scene.report("cancel", json!({})).await.ok();
    assert_eq!(cancelled["endsAt"], cancelled["paidUntil"]);
    assert_eq!(scene.status().await, "cancelled");
}

#[tokio::test]
async fn nothing_ends_in_the_past() {
    let scene = Scene::within_one_company().await;
    let refused = scene
        .report("cancel", json!({"at": later(scene.setup.now(), -1.hour())}))
        .await;
    assert_eq!(
        refused.fields(),
        [("at".to_owned(), "in_the_past".to_owned())],
        "{refused}"
    );
    refused.problem(422, "invalid_fields");
    assert_eq!(scene.status().await, "active");
}

#[tokio::test]
async fn until_its_end_further_periods_can_be_paid() {
    let scene = Scene::between_two_companies().await;
    let began = time(&scene.rows().await[0]["startedAt"]);
    let _ = scene
        .report("cancel", json!({"endsAt": later(began, 2.months())}))
        .await
        .ok();
    let renewed = scene.report("payments", json!({})).await.ok();
    assert_eq!(
        (&renewed["status"], time(&renewed["paidUntil"])),
        (&json!("cancelled"), later(began, 2.months()))
    );
    scene
        .report("payments", json!({}))
        .await
        .problem(409, "subscription_ended");
    assert_eq!(
        scene.payouts().await,
        [row("PAYMENT", 1, 999, 799), row("PAYMENT", 2, 999, 799)]
    );
    scene
        .has_only_the_callbacks(&[CREATED, CANCELLED, RENEWED])
        .await;
}
