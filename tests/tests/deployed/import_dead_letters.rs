//! An import with a chunk that no worker can process: its message becomes a dead letter, and the other chunks are finished.
//! Once the cause is removed, `infra.operate` redrives the message, as docs/operations.md says.

use serde_json::{Value, json};
use tandem_tests::{Importing, Setup, Stack, id, managed_offer, operate, table};

#[tokio::test]
async fn a_dead_lettered_chunk_is_finished_after_a_redrive() {
    let setup = Setup::new().await;
    let importing = Importing::new(&setup).await;
    let client = &importing.client;
    // The items of the second chunk have an offer whose row is corrupt.
    let offer = managed_offer(client).await;
    let corrupted = table::corrupt(&format!("{}#{}", client.id, id(&offer)), "offer", "name").await;
    let mut items: Vec<_> = (0..30)
        .map(|number| importing.item(&format!("print-{number}"), json!({})))
        .collect();
    for item in &mut items[25..] {
        item["offerId"] = offer["id"].clone();
    }
    let promise = importing.start(&items).await;
    let has_stuck_chunk =
        |promise: &Value| promise["stuckItems"] == json!([{"from": 25, "to": 29}]);
    let running = importing
        .wait_for(&promise, "the second chunk to be stuck", |promise| {
            has_stuck_chunk(promise) && promise["counts"]["created"] == 25
        })
        .await;
    assert_eq!(running["state"], "running");

    setup
        .settle("the message to be a dead letter", async || {
            let output = operate(&["why", &promise, "--client", &client.id]);
            if output.contains("Its message is in the dead-letter queue.") {
                Ok(())
            } else {
                Err(output)
            }
        })
        .await;
    corrupted.repair().await;
    let output = operate(&["redrive", "imports", "--only", &promise]);
    // Two messages if an answer of SQS was lost and the dead letter was sent again; the chunk is still finished once.
    let moved: u32 = output
        .split_whitespace()
        .next()
        .and_then(|number| number.parse().ok())
        .expect("the number of messages");
    assert!(
        output.contains("went back to the queue imports") && moved >= 1,
        "{output}"
    );
    assert!(moved == 1 || Stack::get().faults, "{output}");
    let finished = importing
        .wait_for(&promise, "the import to be finished", |promise| {
            promise["finishedAt"].is_string()
        })
        .await;
    assert_eq!(
        (&finished["state"], &finished["counts"]["created"]),
        (&json!("completed"), &json!(30))
    );
    assert_eq!(finished["stuckItems"], json!([]));
}
