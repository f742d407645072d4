//! Imports: each item is applied once, each id has one order, and the import accepted last wins.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Rows, list, number, text};
use crate::run::Run;
use crate::step::Call;

pub(super) fn judge(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    let mut latest: BTreeMap<String, (&str, Value)> = BTreeMap::new();
    for promise in rows.of("promise") {
        done(rows, promise, wrong);
        // The items come from the request or, for an abandoned call, from the stored row.
        let items = rows
            .get(text(promise, "pk"), "items#000")
            .map_or(&[][..], |items| list(items, "items"));
        // An item whose customer was erased meanwhile fails and changes nothing.
        let fails = |item: &&Value| {
            let of_it = |entry: &Value| {
                entry["promiseId"] == promise["id"]
                    && entry["externalSystemId"] == item["externalSystemId"]
            };
            rows.of("log")
                .any(|entry| of_it(entry) && entry["result"] == "failed")
        };
        for item in items.iter().filter(|item| !fails(item)) {
            let before = latest.get(text(item, "externalSystemId"));
            if before.is_none_or(|(rank, _)| *rank < text(promise, "rank")) {
                latest.insert(
                    text(item, "externalSystemId").to_owned(),
                    (text(promise, "rank"), item.clone()),
                );
            }
        }
    }
    for (id, (rank, item)) in &latest {
        won(rows, id, rank, item, wrong);
    }
    sent(run, rows, wrong);
}

/// Each item has one log entry, and each promise has one `import.completed`.
fn done(rows: &Rows, promise: &Value, wrong: &mut Vec<String>) {
    let id = text(promise, "id");
    let entries = rows
        .of("log")
        .filter(|entry| entry["promiseId"] == id)
        .count();
    let counted: i64 = promise["counts"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, count)| number(count))
        .sum();
    let items = number(&promise["items"]);
    if promise.get("finishedAt").is_none()
        || counted != items
        || i64::try_from(entries) != Ok(items)
    {
        wrong.push(format!(
            "imports: {promise} has {entries} entries in the log"
        ));
    }
}

/// Each id has one order and one subscription, in the state of the latest import.
fn won(rows: &Rows, id: &str, rank: &str, item: &Value, wrong: &mut Vec<String>) {
    let of_id = |kind: &'static str| -> Vec<&Value> {
        rows.of(kind)
            .filter(|row| row["external"]["externalSystemId"] == id)
            .collect()
    };
    let (orders, subscriptions) = (of_id("order"), of_id("subscription"));
    let mirrors: Vec<&Value> = rows
        .of("mirror")
        .filter(|mirror| orders.iter().any(|order| order["id"] == mirror["orderId"]))
        .collect();
    let ([order], [subscription], [mirror]) = (
        orders.as_slice(),
        subscriptions.as_slice(),
        mirrors.as_slice(),
    ) else {
        let (orders, subscriptions) = (orders.len(), subscriptions.len());
        return wrong.push(format!(
            "imports: {id} has {orders} orders, {subscriptions} subscriptions, {} mirrors",
            mirrors.len()
        ));
    };
    let life = if item["endDate"].is_object() {
        "cancelled"
    } else {
        "active"
    };
    let right = text(mirror, "rank") == rank
        && mirror["orderId"] == order["id"]
        && mirror["subscriptionId"] == subscription["id"]
        && subscription["quantity"] == item["quantity"]
        && subscription["paymentMethod"] == item["paymentMethod"]
        && subscription["life"] == life;
    if !right {
        wrong.push(format!(
            "imports: {rank} imported {item}, but the rows are {mirror} and {subscription}"
        ));
    }
}

/// Answers equal the stored promises, and each import is announced once.
fn sent(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    for made in run
        .made
        .iter()
        .filter(|made| matches!(made.call, Call::Import(_)))
    {
        let Some(answer) = made.done() else { continue };
        let items = made
            .request
            .body
            .as_ref()
            .map_or(0, |body| list(body, "items").len());
        let promise = rows
            .of("promise")
            .find(|promise| promise["id"] == answer["promiseId"]);
        if promise.is_none_or(|promise| usize::try_from(number(&promise["items"])) != Ok(items)) {
            wrong.push(format!(
                "imports: the answer was {answer}, but the row is {promise:?}"
            ));
        }
    }
    // The event endpoint exists throughout.
    let (promises, announced) = (
        rows.of("promise").count(),
        rows.of("callback")
            .filter(|callback| callback["event"] == "import.completed")
            .count(),
    );
    if promises != announced {
        wrong.push(format!(
            "imports: {promises} imports, but {announced} import.completed events"
        ));
    }
}
