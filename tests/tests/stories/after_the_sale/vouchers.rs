//! The effect of a refund on the voucher.

use serde_json::{Value, json};

use super::{CREATED, REFUNDED, Scene};

async fn code(scene: &Scene) -> String {
    let data = scene
        .callback_data(CREATED)
        .await
        .expect("the callback of the sale");
    data["voucherCode"].as_str().expect("a voucher").to_owned()
}

#[tokio::test]
async fn a_refund_or_charge_back_voids_an_unredeemed_voucher() {
    for how in ["refund", "charge-back"] {
        let scene = Scene::between_two_companies().await;
        let (source, code) = (&scene.pair.source, code(&scene).await);
        let _ = scene.take_back(how, json!({"positions": [2]})).await.ok();
        let customer = source.customer().await;
        source
            .redeem(&code, &customer)
            .await
            .problem(404, "voucher_not_found");
        let [_, sources] = scene.rows().await;
        assert_eq!(sources["customerId"], Value::Null);
        let _ = scene.callback_data(REFUNDED).await;
    }
}

#[tokio::test]
async fn a_refund_of_another_position_leaves_the_voucher_alone() {
    let scene = Scene::between_two_companies().await;
    let _ = scene
        .take_back("refund", json!({"positions": [1]}))
        .await
        .ok();
    let customer = scene.pair.source.customer().await;
    let linked = scene
        .pair
        .source
        .redeem(&code(&scene).await, &customer)
        .await
        .ok();
    assert_eq!(
        (&linked["status"], &linked["customerId"]),
        (&json!("active"), &customer["id"])
    );
}

#[tokio::test]
async fn a_redeemed_voucher_stays_redeemed_after_a_refund() {
    let scene = Scene::between_two_companies().await;
    let (source, code) = (&scene.pair.source, code(&scene).await);
    let (customer, other) = (source.customer().await, source.customer().await);
    assert_eq!(
        source.redeem(&code, &customer).await.ok()["status"],
        "active"
    );
    let _ = scene
        .take_back("refund", json!({"positions": [2]}))
        .await
        .ok();

    let again = source.redeem(&code, &customer).await.ok();
    assert_eq!(
        (&again["status"], &again["customerId"]),
        (&json!("refunded"), &customer["id"])
    );
    assert_eq!(scene.rows().await[1], again);
    source
        .redeem(&code, &other)
        .await
        .problem(409, "voucher_redeemed");
}

#[tokio::test]
async fn a_cancelled_subscription_can_be_claimed_until_it_ends() {
    let scene = Scene::between_two_companies().await;
    let code = code(&scene).await;
    let _ = scene.report("payments", json!({})).await.ok();
    let cancelled = scene.report("cancel", json!({})).await.ok();
    let customer = scene.pair.source.customer().await;
    let linked = scene.pair.source.redeem(&code, &customer).await.ok();
    assert_eq!(
        (&linked["status"], &linked["endsAt"]),
        (&json!("cancelled"), &cancelled["endsAt"])
    );
    assert_eq!(
        (&linked["customerId"], &linked["periodsPaid"]),
        (&customer["id"], &json!(2))
    );
}
