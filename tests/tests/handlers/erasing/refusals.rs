//! Erasures that Tandem refuses, and requests that it refuses for an erased customer.

use serde_json::json;
use tandem_tests::InProcess;

use super::{Sold, entries, erase, path, texts};
use crate::import_scene::ImportScene;

#[tokio::test]
async fn a_running_subscription_prevents_the_erasure_and_is_named() {
    let sold = Sold::new(200).await;
    let api = &sold.pair.target.api;
    let refused = sold.erase().await;
    let running = texts(entries(&sold.order["positions"]), "subscriptionId");
    assert_eq!(running.len(), 2);
    assert_eq!(texts(entries(&refused.body["errors"]), "field"), running);
    let _ = refused.problem(409, "subscriptions_running");
    let _ = api.get(&path(&sold.customer)).await.ok();
    for id in &running {
        let cancel = format!("/v1/subscriptions/{id}/cancel");
        let _ = api.post(&cancel, json!({})).await.ok();
    }
    let _ = sold.erase().await.problem(409, "subscriptions_running");
    sold.stage.advance(32 * 24 * 3_600);
    let _ = sold.erase().await.ok();
}

#[tokio::test]
async fn other_clients_subscriptions_prevent_it_without_being_named() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let pair = setup.pair_within_one_company().await;
    let sale = pair.sell().await;
    let third = setup.client(&pair.target.company, "Dritter", "de").await;
    let refused = erase(&third, &sale.customer).await;
    let detail = refused.body["detail"].as_str();
    assert!(
        detail.is_some_and(|detail| detail.contains("another client")),
        "{refused}"
    );
    let text = &refused.text;
    assert!(!text.contains("sub_") && !text.contains("cli_"), "{text}");
    let _ = refused.problem(409, "subscriptions_running");
}

#[tokio::test]
async fn a_client_of_another_company_cannot_find_the_customer() {
    let sold = Sold::new(200).await;
    let refused = erase(&sold.pair.source, &sold.customer).await;
    let _ = refused.problem(404, "customer_not_found");
    let _ = sold.pair.target.api.get(&path(&sold.customer)).await.ok();
}

#[tokio::test]
async fn no_voucher_is_redeemed_for_an_erased_customer() {
    let sold = Sold::new(200).await;
    let callback = sold.sale_callback().await;
    let code = callback["body"]["data"]["voucherCode"].as_str();
    let source = &sold.pair.source;
    let own = source.customer().await;
    let _ = erase(source, &own).await.ok();
    let refused = source.redeem(code.expect("a code"), &own).await;
    assert_eq!(refused.body["errors"][0]["field"], "customerId");
    let _ = refused.problem(422, "invalid_fields");
}

#[tokio::test]
async fn imports_fail_for_the_erased_and_running_imports_prevent_it() {
    let scene = ImportScene::new().await;
    let path = format!("/v1/customers/{}", scene.importing.customer_id);
    let ended = json!({"endDate": "2026-11-02T00:00:00Z"});
    let _ = scene.import(&[scene.item("A-1", json!({}))]).await;
    let refused = scene.client().api.delete(&path).await;
    let _ = refused.problem(409, "subscriptions_running");
    let _ = scene.import(&[scene.item("A-1", ended.clone())]).await;
    let _ = scene.client().api.delete(&path).await.ok();
    let promise = scene.import(&[scene.item("A-2", ended)]).await;
    let item = &promise["items"][0];
    assert_eq!(item["result"], "failed", "{item}");
    assert!(item.to_string().contains("customer_not_found"), "{item}");
}
