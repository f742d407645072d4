//! Imports: every item once, one order for each id, and the latest accepted import wins.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Rows, list, number, text};
use crate::run::Run;
use crate::step::Call;

pub(super) fn judge(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    let mut latest: BTreeMap<String, (&str, Value)> = BTreeMap::new();
    for promise in rows.of("promise") {
        done(rows, promise, wrong);
        // What its items said, from what was sent or, if nobody knows, from its row.
        let items = rows
            .get(text(promise, "pk"), "items#000")
            .map_or(&[][..], |items| list(items, "items"));
        // An item whose customer was erased meanwhile fails, and changes nothing.
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

/// A promise is kept: each item has one entry in the log, and one `import.completed` tells of it.
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

/// Of an id there is one order and one subscription, as the latest import said.
fn won(rows: &Rows, id: &str, rank: &str, item: &Value, wrong: &mut Vec<String>) {
    let of_id = |kind: &'static str| -> Vec<&Value> {
        rows.of(kind)
            .filter(|row| row["external"]["externalSystemId"] == id)
            .collect()
    };
    let mirrors: Vec<&Value> = rows
        .of("mirror")
        .filter(|mirror| mirror["item"]["externalSystemId"] == id)
        .collect();
    let (orders, subscriptions) = (of_id("order"), of_id("subscription"));
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
            "imports: {rank} said {item}, and there are {mirror} and {subscription}"
        ));
    }
}

/// What was answered is what is kept, and each import is told once.
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
                "imports: {answer} was answered, and there is {promise:?}"
            ));
        }
    }
    // The endpoint for events is there all the time.
    let (promises, told) = (
        rows.of("promise").count(),
        rows.of("callback")
            .filter(|callback| callback["event"] == "import.completed")
            .count(),
    );
    if promises != told {
        wrong.push(format!(
            "imports: {promises} imports, and {told} times import.completed"
        ));
    }
}
