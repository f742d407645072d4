//! Orders of a leading system are imported: an item creates, changes or fails, and the client's endpoint gets an event.

use serde_json::{Value, json};
use tandem_tests::{Importing, Setup, id, verified};

#[tokio::test]
async fn an_import_creates_changes_and_rejects_item_by_item() {
    let setup = Setup::new().await;
    let importing = Importing::new(&setup).await;
    let api = &importing.client.api;
    let receiver = setup.receiver().await;
    let endpoint = api
        .put("/v1/event-endpoint", json!({"url": receiver.url()}))
        .await
        .created();
    let first = importing
        .import(&[importing.item("print-1", json!({}))])
        .await;
    assert_eq!(first["state"], "completed");

    let unknown_customer = json!({"invoiceCustomerId": "cus_0190b8f5c6f77c3ab0a1c2d3e4f50617"});
    let items = [
        importing.item("print-1", json!({"paymentMethod": "TWINT"})),
        importing.item("print-2", json!({})),
        importing.item("print-3", unknown_customer),
    ];
    let second = importing.import(&items).await;
    assert_eq!(second["state"], "completedWithErrors");
    let results: Vec<_> = second["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| &item["result"])
        .collect();
    assert_eq!(results, ["updated", "created", "failed"]);
    assert_eq!(second["items"][2]["error"]["code"], "customer_not_found");

    let changed = second["items"][0]["subscriptionId"]
        .as_str()
        .expect("an id");
    let changed = api.get(&format!("/v1/subscriptions/{changed}")).await.ok();
    assert_eq!(
        (&changed["managedBy"], &changed["paymentMethod"]),
        (&json!("external"), &json!("TWINT"))
    );
    let _ = api
        .act(&format!("/v1/subscriptions/{}/cancel", id(&changed)))
        .await
        .problem(409, "externally_managed");

    let log = api
        .all("/v1/imports/orders/logs?externalSystemId=print-1")
        .await;
    let log: Vec<_> = log.iter().map(|line| &line["result"]).collect();
    assert_eq!(log, ["updated", "created"]);

    let secret = endpoint["secret"].as_str().expect("a secret");
    let received = receiver.wait_for(2).await;
    let event = received
        .iter()
        .map(|received| verified(received, secret))
        .find(|event: &Value| event["data"]["promiseId"] == second["promiseId"])
        .expect("an event about the second import");
    assert_eq!(
        (&event["type"], &event["data"]["counts"]["failed"]),
        (&json!("import.completed"), &json!(1))
    );
}
