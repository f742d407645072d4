//! Refunds and charge-backs of positions or of the whole order.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{CANCELLED, CREATED, REFUNDED, RENEWED, Scene, euros, row, time};

fn statuses(order: &Value) -> Vec<&str> {
    order["positions"]
        .as_array()
        .expect("positions")
        .iter()
        .filter_map(|position| position["status"].as_str())
        .collect()
}

async fn own_status(scene: &Scene) -> Value {
    let path = format!("/v1/subscriptions/{}", scene.sale.own_subscription_id());
    scene.pair.target.api.get(&path).await.ok()["status"].clone()
}

#[tokio::test]
async fn a_refund_of_the_shared_position_ends_both_subscriptions() {
    for scene in Scene::both().await {
        let order = scene
            .take_back("refund", json!({"positions": [2]}))
            .await
            .ok();
        assert_eq!(statuses(&order), ["paid", "refunded"]);
        let reversed = time(&order["positions"][1]["reversedAt"]);
        assert!(scene.setup.now().duration_since(reversed).as_secs() < 60);
        assert_eq!(
            scene
                .pair
                .target
                .api
                .get(&format!("/v1/orders/{}", scene.sale.order_id()))
                .await
                .ok(),
            order
        );
        assert_eq!(
            (scene.status().await.as_str(), own_status(&scene).await),
            ("refunded", json!("active"))
        );
        assert_eq!(time(&scene.rows().await[1]["endsAt"]), reversed);
        assert_eq!(
            scene.payouts().await,
            [row("PAYMENT", 1, 999, 799), row("REFUND", 1, -999, -799)]
        );
        if let Some(data) = scene.callback_data(REFUNDED).await {
            assert_eq!(
                (&data["reason"], &data["amount"]),
                (&json!("refund"), &euros(-999))
            );
            assert_eq!(time(&data["endedAt"]), reversed);
        }
        for again in [json!({"positions": [2]}), json!({"positions": [1, 2]})] {
            scene
                .take_back("refund", again)
                .await
                .problem(409, "position_not_paid");
        }
        scene
            .report("payments", json!({}))
            .await
            .problem(409, "subscription_ended");
        scene.has_only_the_callbacks(&[CREATED, REFUNDED]).await;
    }
}

#[tokio::test]
async fn a_refund_of_the_whole_order_takes_all_that_is_still_paid() {
    for scene in Scene::both().await {
        let order = scene.take_back("refund", json!({})).await.ok();
        assert_eq!(statuses(&order), ["refunded", "refunded"]);
        assert_eq!(
            (scene.status().await.as_str(), own_status(&scene).await),
            ("refunded", json!("refunded"))
        );
        assert_eq!(
            scene.payouts().await,
            [row("PAYMENT", 1, 999, 799), row("REFUND", 1, -999, -799)]
        );
        scene
            .take_back("charge-back", json!({}))
            .await
            .problem(409, "position_not_paid");
        assert!(
            scene
                .callback_data(REFUNDED)
                .await
                .is_none_or(|data| data["reason"] == "refund")
        );
        scene.has_only_the_callbacks(&[CREATED, REFUNDED]).await;
    }
    let scene = Scene::within_one_company().await;
    let _ = scene
        .take_back("refund", json!({"positions": [1]}))
        .await
        .ok();
    let order = scene.take_back("charge-back", json!({})).await.ok();
    assert_eq!(statuses(&order), ["refunded", "chargedBack"]);
}

#[tokio::test]
async fn a_charge_back_is_a_loss_for_both() {
    for scene in Scene::both().await {
        let order = scene.take_back("charge-back", json!({})).await.ok();
        assert_eq!(statuses(&order), ["chargedBack", "chargedBack"]);
        assert_eq!(
            (scene.status().await.as_str(), own_status(&scene).await),
            ("chargedBack", json!("chargedBack"))
        );
        assert_eq!(
            scene.payouts().await,
            [row("PAYMENT", 1, 999, 799), row("LOSS", 1, -999, -799)]
        );
        if let Some(data) = scene.callback_data(REFUNDED).await {
            assert_eq!(
                (&data["reason"], &data["amount"]),
                (&json!("chargeBack"), &euros(-999))
            );
        }
        scene.has_only_the_callbacks(&[CREATED, REFUNDED]).await;
    }
}

#[tokio::test]
async fn after_a_renewal_a_refund_returns_the_last_period() {
    let scene = Scene::between_two_companies().await;
    let _ = scene.report("payments", json!({})).await.ok();
    let _ = scene.report("cancel", json!({})).await.ok();
    let _ = scene
        .take_back("refund", json!({"positions": [2]}))
        .await
        .ok();
    assert_eq!(scene.status().await, "refunded");
    let expected = [
        row("PAYMENT", 1, 999, 799),
        row("PAYMENT", 2, 999, 799),
        row("REFUND", 2, -999, -799),
    ];
    assert_eq!(scene.payouts().await, expected);
    let _ = scene.callback_data(REFUNDED).await;
    scene
        .has_only_the_callbacks(&[CREATED, RENEWED, CANCELLED, REFUNDED])
        .await;
}

#[tokio::test]
async fn a_refund_that_is_sent_twice_happens_once() {
    let scene = Scene::within_one_company().await;
    let (path, key) = (
        format!("/v1/orders/{}/refund", scene.sale.order_id()),
        Uuid::now_v7().to_string(),
    );
    let call = || {
        scene
            .pair
            .target
            .api
            .call("POST".parse().expect("a method"), &path)
    };
    let ask = async || {
        call()
            .idempotency_key(&key)
            .json(&json!({"positions": [2]}))
            .send()
            .await
    };
    let first = ask().await;
    let again = ask().await;
    assert_eq!(
        (
            first.header("idempotency-replayed"),
            again.header("idempotency-replayed")
        ),
        (None, Some("true"))
    );
    assert_eq!(first.ok(), again.ok());
    assert_eq!(scene.payouts().await.len(), 2);
    call()
        .without_idempotency_key()
        .send()
        .await
        .problem(400, "idempotency_key_required");
    let other = call()
        .idempotency_key(&key)
        .json(&json!({"positions": [1]}))
        .send()
        .await;
    other.problem(422, "idempotency_key_reused");
    assert_eq!(own_status(&scene).await, "active");
}

#[tokio::test]
async fn only_positions_of_the_sellers_own_order_go_back() {
    let scene = Scene::within_one_company().await;
    let refused = scene
        .take_back("refund", json!({"positions": [2, 3]}))
        .await;
    assert_eq!(
        refused.fields(),
        [("positions".to_owned(), "no_such_position".to_owned())],
        "{refused}"
    );
    refused.problem(422, "invalid_fields");
    let path = format!("/v1/orders/{}/refund", scene.sale.order_id());
    scene
        .pair
        .source
        .api
        .act(&path)
        .await
        .problem(404, "order_not_found");
    assert_eq!(
        (scene.status().await.as_str(), scene.payouts().await.len()),
        ("active", 1)
    );
}
