//! After an import: its retry, the log, and its event; before it: the dry run.

use serde_json::{Value, json};
use tandem_tests::{id, verified};

use crate::import_scene::{ImportScene, results};

#[tokio::test]
async fn a_retry_is_a_new_promise_but_does_not_overtake_later_imports() {
    let scene = ImportScene::new().await;
    let sold_here = scene.client().subscription_offer("Bergwelt", 999).await;
    let items = [
        scene.item("1", json!({})),
        scene.item("2", json!({"offerId": id(&sold_here)})),
        scene.item("3", json!({"offerId": id(&sold_here)})),
    ];
    let failed = scene.import(&items).await;
    scene.stage.advance(1);
    let _ = scene
        .import(&[scene.item("3", json!({"quantity": 9}))])
        .await;
    scene.stage.advance(1);
    let again = scene.retry(text(&failed["promiseId"])).await.accepted();
    assert_eq!(
        (&again["retryOf"], &again["itemCount"]),
        (&failed["promiseId"], &json!(2))
    );
    scene.stage.work().await;
    let again = scene.promise(text(&again["promiseId"])).await;
    assert_eq!(results(&again), ["failed", "superseded"]);
    let done = scene.import(&[scene.item("1", json!({}))]).await;
    let refused = scene.retry(text(&done["promiseId"])).await;
    let _ = refused.problem(409, "import_nothing_failed");
    let open = scene.accept(&[scene.item("1", json!({}))]).await;
    let _ = scene.retry(&open).await.problem(409, "import_not_done");
}

#[tokio::test]
async fn a_dry_run_reports_the_results_and_writes_nothing() {
    let scene = ImportScene::new().await;
    let _ = scene
        .import(&[scene.item("1", json!({})), scene.item("2", json!({}))])
        .await;
    scene.stage.advance(1);
    let before = scene.stage.table.dump();
    let items = [
        scene.item("1", json!({})),
        scene.item("2", json!({"quantity": 2})),
        scene.item("3", json!({})),
        scene.item(
            "4",
            json!({"offerId": "off_0190b8f5c6f77c3ab0a1c2d3e4f50617"}),
        ),
    ];
    let body = json!({"items": items});
    let path = "/v1/imports/orders?dryRun=true";
    let answer = scene.client().api.post(path, body).await.ok();
    assert_eq!(
        results(&answer),
        ["unchanged", "updated", "created", "failed"]
    );
    assert_eq!(
        (&answer["dryRun"], &answer["items"][2]["orderId"]),
        (&json!(true), &json!(null))
    );
    assert_eq!(scene.stage.table.dump(), before);
}

#[tokio::test]
async fn the_log_is_filtered_newest_first_and_kept_for_90_days() {
    let scene = ImportScene::new().await;
    let sold_here = scene.client().subscription_offer("Bergwelt", 999).await;
    let sold_here = id(&sold_here);
    let first = scene
        .import(&[
            scene.item("A", json!({})),
            scene.item("B", json!({"offerId": sold_here})),
        ])
        .await;
    scene.stage.advance(3_600);
    let second = scene
        .import(&[
            scene.item("A", json!({"quantity": 2})),
            scene.item("C", json!({})),
        ])
        .await;
    let found = async |query: &str| -> Vec<String> {
        let page = scene.get(&format!("/v1/imports/orders/logs?{query}")).await;
        let line = |item: &Value| {
            format!(
                "{} {}",
                item["externalSystemId"].as_str().unwrap_or(""),
                item["result"].as_str().unwrap_or("")
            )
        };
        page["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(line)
            .collect()
    };
    assert_eq!(
        found("").await,
        ["A updated", "C created", "A created", "B failed"]
    );
    assert_eq!(
        found("externalSystemId=A").await,
        ["A updated", "A created"]
    );
    assert_eq!(found(&format!("offerId={sold_here}")).await, ["B failed"]);
    assert_eq!(found("result=created").await, ["C created", "A created"]);
    assert_eq!(
        found(&format!("promiseId={}", text(&first["promiseId"]))).await,
        ["A created", "B failed"]
    );
    assert_eq!(
        found("from=2026-11-21T12:30:00Z").await,
        ["A updated", "C created"]
    );
    assert_eq!(
        found("before=2026-11-21T12:30:00Z&externalSystemId=A").await,
        ["A created"]
    );
    let api = &scene.client().api;
    let seen = api.all("/v1/imports/orders/logs?limit=1").await;
    let seen: Vec<_> = seen.iter().map(|line| &line["externalSystemId"]).collect();
    assert_eq!(seen, ["A", "C", "A", "B"]);
    assert_eq!(
        scene.get("/v1/imports").await["items"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    scene.stage.advance(90 * 86_400 - 1);
    assert_eq!(found("").await, ["A updated", "C created"]);
    scene.stage.advance(3_600);
    assert!(found("").await.is_empty());
    let path = format!("/v1/imports/{}", text(&second["promiseId"]));
    let expired = api.get(&path).await;
    let _ = expired.problem(404, "promise_not_found");
}

#[tokio::test]
async fn a_finished_import_sends_an_event_to_the_event_endpoint() {
    let scene = ImportScene::new().await;
    let receiver = scene.stage.setup().receiver().await;
    let api = &scene.client().api;
    let unset = api.get("/v1/event-endpoint").await;
    let _ = unset.problem(404, "event_endpoint_not_found");
    let body = json!({"url": receiver.url()});
    let set = api.put("/v1/event-endpoint", body).await.created();
    let secret = text(&set["secret"]);
    let items: Vec<Value> = (0..60)
        .map(|number| scene.item(&format!("A-{number}"), json!({})))
        .collect();
    let promise = scene.import(&items).await;
    let received = receiver.received();
    assert_eq!(received.len(), 1);
    let event = verified(&received[0], secret);
    assert_eq!(
        (&event["type"], &event["data"]["promiseId"]),
        (&json!("import.completed"), &promise["promiseId"])
    );
    assert_eq!(event["data"]["counts"]["created"], 60);
    let log = scene.get("/v1/callbacks?type=import.completed").await;
    let logged = &log["items"][0];
    assert_eq!(
        (&logged["status"], &logged["connectionId"]),
        (&json!("delivered"), &json!(null))
    );
    let replay = format!("/v1/callbacks/{}/replay", id(logged));
    let _ = api.act(&replay).await.accepted();
    scene.stage.work().await;
    assert_eq!(receiver.received().len(), 2);
    let body = json!({"url": format!("{}/new", receiver.url())});
    let moved = api.put("/v1/event-endpoint", body).await.ok();
    assert!(moved.get("secret").is_none());
    let rotated = api.act("/v1/event-endpoint/rotate-secret").await.ok();
    assert_ne!(rotated["secret"], secret);
    let _ = api.delete("/v1/event-endpoint").await.ok();
    let _ = scene.import(&[scene.item("A-1", json!({}))]).await;
    assert_eq!(receiver.received().len(), 2);
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}
