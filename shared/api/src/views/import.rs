//! Imports and their results.

use serde_json::{Value, json};
use tandem_domain::import::decide::{ItemProblem, LogEntry};
use tandem_domain::import::promise::{Counts, Promise};

pub fn promise(promise: &Promise) -> Value {
    json!({
        "promiseId": promise.id,
        "state": promise.state(),
        "itemCount": promise.items,
        "counts": counts(promise.counts, promise.pending()),
        "stuckItems": promise.dead_items(),
        "retryOf": promise.retry_of,
        "acceptedAt": promise.accepted_at,
        "startedAt": promise.started_at,
        "finishedAt": promise.finished_at,
    })
}

/// The counts of results, with the items that have no result yet.
pub fn counts(counts: Counts, pending: u32) -> Value {
    let mut view = json!(counts);
    view["pending"] = pending.into();
    view
}

/// The result of one item.
pub fn log_entry(entry: &LogEntry) -> Value {
    json!({
        "promiseId": entry.promise_id,
        "number": entry.number,
        "externalSystemId": entry.external_system_id,
        "offerId": entry.offer_id,
        "result": entry.outcome.result,
        "orderId": entry.order_id,
        "subscriptionId": entry.subscription_id,
        "superseded": entry.outcome.superseded,
        "supersededBy": entry.outcome.superseded_by,
        "error": entry.outcome.problem.map(problem),
        "processedAt": entry.processed_at,
        "revisedAt": entry.revised_at,
    })
}

fn problem(problem: ItemProblem) -> Value {
    json!({"code": problem.code(), "detail": problem.to_string()})
}
