//! A chunk that no worker can handle is put aside, the others go on; once its cause is mended, people redrive it by
//! `infra.operate`, as docs/operations.md says.

use serde_json::json;
use tandem_tests::{Stack, eventually, operate, table};

use super::{Importing, offer_of};

#[tokio::test]
async fn a_chunk_that_no_worker_can_handle_is_put_aside_and_done_after_a_redrive() {
    let importing = Importing::prepared().await;
    let (client, customer) = (&importing.client, importing.customer.as_str());
    // The second chunk names an offer whose row cannot be read.
    let poison = offer_of(client).await;
    let spoilt = table::spoil(&format!("{}#{poison}", client.id), "offer", "name").await;
    let mut items: Vec<_> = (0..30)
        .map(|number| importing.item(&format!("print-{number}"), customer, "BILLING"))
        .collect();
    for item in &mut items[25..] {
        item["offerId"] = json!(poison);
    }
    let promise = importing.send(&items).await;
    let stuck =
        |promise: &serde_json::Value| promise["stuckItems"] == json!([{"from": 25, "to": 29}]);
    let running = importing
        .eventually(&promise, "the second chunk to be put aside", |it| {
            stuck(it) && it["counts"]["created"] == 25
        })
        .await;
    assert_eq!(running["state"], "running");

    eventually("the message to be in the dead-letter queue", async || {
        let told = operate(&["why", &promise, "--client", &client.id]);
        if told.contains("Its message is in the dead-letter queue.") {
            Ok(())
        } else {
            Err(told)
        }
    })
    .await;
    spoilt.mend().await;
    let told = operate(&["redrive", "imports", "--only", &promise]);
    // One, or more where an answer of SQS was lost and the letter sent again. The chunk is done once either way.
    let moved: u32 = told
        .split_whitespace()
        .next()
        .and_then(|number| number.parse().ok())
        .expect("how many went back");
    assert!(
        told.contains("went back to the queue imports") && moved >= 1,
        "{told}"
    );
    assert!(moved == 1 || Stack::get().faults, "{told}");
    let done = importing
        .eventually(&promise, "the import to be done", |it| {
            it["finishedAt"].is_string()
        })
        .await;
    assert_eq!(
        (&done["state"], &done["counts"]["created"]),
        (&json!("completed"), &json!(30))
    );
    assert_eq!(done["stuckItems"], json!([]));
}
