//! Messages that no worker can ever handle: put aside at once with their reason, and seen by those who run Tandem.

use serde_json::json;
use tandem_tests::{eventually, operate, queue};
use uuid::Uuid;

#[tokio::test]
async fn a_poison_message_is_put_aside_at_once_and_people_are_told_why() {
    let id = |kind: &str| format!("{kind}_{}", Uuid::now_v7().simple());
    let (tenant, other) = (id("cli"), id("cli"));
    let (foreign, newer) = (
        format!("{other}#{}", id("cbk")),
        format!("{tenant}#{}", id("cbk")),
    );
    let message = |v: u32, pk: &str| json!({"v": v, "kind": "callback", "pk": pk, "sk": "callback", "tenant": tenant});
    queue::send_to_callbacks(&message(1, &foreign).to_string()).await;
    queue::send_to_callbacks(&message(2, &newer).to_string()).await;
    // What SQS moves there after the fifth receive has no reason.
    eventually(
        "both to be in the dead-letter queue with their reason",
        async || {
            let told = operate(&["redrive", "callbacks", "--dry-run"]);
            let says = |pk: &str, why: &str| {
                told.lines()
                    .any(|line| line.contains(pk) && line.ends_with(why))
            };
            let both = says(&foreign, "names a tenant and a row of another one")
                && says(&newer, "is of another release");
            if both { Ok(()) } else { Err(told) }
        },
    )
    .await;
}
