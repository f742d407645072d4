//! Messages that no worker can ever process become dead letters at once, and operators see the reason.

use serde_json::json;
use tandem_tests::{Setup, operate, queue};
use uuid::Uuid;

#[tokio::test]
async fn a_foreign_message_becomes_a_dead_letter_with_its_reason() {
    let id = |kind: &str| format!("{kind}_{}", Uuid::now_v7().simple());
    let (tenant, other) = (id("cli"), id("cli"));
    let (foreign, newer) = (
        format!("{other}#{}", id("cbk")),
        format!("{tenant}#{}", id("cbk")),
    );
    let message = |version: u32, pk: &str| json!({"v": version, "kind": "callback", "pk": pk, "sk": "callback", "tenant": tenant});
    queue::send_to_callbacks(&message(1, &foreign).to_string()).await;
    queue::send_to_callbacks(&message(2, &newer).to_string()).await;
    // A message that SQS itself moves, after the fifth receive, has no reason.
    let setup = Setup::new().await;
    setup
        .settle("both to be dead letters with their reason", async || {
            let output = operate(&["redrive", "callbacks", "--dry-run"]);
            let has = |pk: &str, reason: &str| {
                output
                    .lines()
                    .any(|line| line.contains(pk) && line.ends_with(reason))
            };
            let both = has(&foreign, "names a tenant and a row of another tenant")
                && has(&newer, "is from another release");
            if both { Ok(()) } else { Err(output) }
        })
        .await;
}
