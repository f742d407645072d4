//! A payout row is paid once, and only the creditor marks it as paid.

use serde_json::{Value, json};
use tandem_tests::{Module, id};

use super::Scene;

async fn only_row(scene: &Scene, kind: &str) -> Value {
    let path = format!(
        "/v1/payouts?subscriptionId={}&type={kind}",
        scene.sale.shared_subscription_id()
    );
    let mut rows = scene.pair.source.api.all(&path).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

#[tokio::test]
async fn only_the_creditor_marks_a_row_paid_and_it_stays_paid() {
    for scene in Scene::both().await {
        let _ = scene
            .take_back("refund", json!({"positions": [2]}))
            .await
            .ok();
        let (source, target) = (&scene.pair.source, &scene.pair.target);
        for (kind, creditor, debtor) in [("PAYMENT", source, target), ("REFUND", target, source)] {
            let row = only_row(&scene, kind).await;
            assert_eq!(
                (&row["paidStatus"], &row["paidAt"]),
                (&json!("OPEN"), &Value::Null)
            );
            let path = format!("/v1/payouts/{}", id(&row));
            debtor
                .api
                .act(&format!("{path}/mark-paid"))
                .await
                .problem(403, "payout_not_due_to_caller");
            assert_eq!(debtor.api.get(&path).await.ok()["paidStatus"], "OPEN");

            let paid = creditor.api.act(&format!("{path}/mark-paid")).await.ok();
            assert!(
                paid["paidStatus"] == "PAID" && paid["paidAt"].is_string(),
                "{paid}"
            );
            let again = creditor.api.act(&format!("{path}/mark-paid")).await.ok();
            assert_eq!(again, paid, "the first time counts");
            let no_way_back = creditor
                .api
                .patch(&path, json!({"paidStatus": "OPEN"}))
                .await;
            assert!(
                no_way_back.status == 404 || no_way_back.status == 405,
                "{no_way_back}"
            );
            for client in [source, target] {
                let seen = client.api.get(&path).await.ok();
                assert_eq!(
                    (&seen["paidStatus"], &seen["paidAt"]),
                    (&paid["paidStatus"], &paid["paidAt"])
                );
            }
        }
    }
}

#[tokio::test]
async fn a_loss_is_due_to_the_target_and_paid_rows_stay_paid() {
    let scene = Scene::within_one_company().await;
    let payment = only_row(&scene, "PAYMENT").await;
    let path = format!("/v1/payouts/{}", id(&payment));
    let paid = scene
        .pair
        .source
        .api
        .act(&format!("{path}/mark-paid"))
        .await
        .ok();
    let _ = scene.take_back("charge-back", json!({})).await.ok();
    assert_eq!(scene.pair.source.api.get(&path).await.ok(), paid);
    let loss = format!(
        "/v1/payouts/{}/mark-paid",
        id(&only_row(&scene, "LOSS").await)
    );
    scene
        .pair
        .source
        .api
        .act(&loss)
        .await
        .problem(403, "payout_not_due_to_caller");
    assert_eq!(
        scene.pair.target.api.act(&loss).await.ok()["paidStatus"],
        "PAID"
    );
}

#[tokio::test]
async fn a_row_is_there_for_its_two_parties_only() {
    let scene = Scene::within_one_company().await;
    let setup = &scene.setup;
    let company = setup.company("Andere", Module::On).await;
    let strangers = [
        setup.client(&company, "Fremde", "de").await,
        setup
            .client(&scene.pair.source.company, "Nachbar", "de")
            .await,
    ];
    let path = format!("/v1/payouts/{}", id(&only_row(&scene, "PAYMENT").await));
    for stranger in strangers {
        stranger
            .api
            .get(&path)
            .await
            .problem(404, "payout_not_found");
        stranger
            .api
            .act(&format!("{path}/mark-paid"))
            .await
            .problem(404, "payout_not_found");
        assert_eq!(stranger.api.all("/v1/payouts").await, Vec::<Value>::new());
        assert_eq!(
            stranger.api.get("/v1/payouts/statement").await.ok(),
            json!({"timeZone": "UTC", "lines": []})
        );
    }
}
