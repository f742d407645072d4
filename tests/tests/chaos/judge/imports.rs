//! Imports: each item is applied once, and each id has one order, in the state of its imports applied one by one in the order of
//! acceptance.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Rows, list, number, text};
use crate::run::Run;
use crate::step::Call;

/// One item of a promise, with its log entry.
struct Import<'a> {
    promise: &'a str,
    item: &'a Value,
    entry: &'a Value,
}

pub(super) fn judge(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    let mut imports: BTreeMap<&str, Vec<Import<'_>>> = BTreeMap::new();
    for promise in rows.of("promise") {
        done(rows, promise, wrong);
        // The items come from the request or, for an abandoned call, from the stored row.
        let items = rows
            .get(text(promise, "pk"), "items#000")
            .map_or(&[][..], |items| list(items, "items"));
        for item in items {
            let id = text(item, "externalSystemId");
            let promise = text(promise, "id");
            let entry = rows
                .of("log")
                .find(|entry| entry["promiseId"] == promise && entry["externalSystemId"] == id);
            imports
                .entry(id)
                .or_default()
                .extend(entry.map(|entry| Import {
                    promise,
                    item,
                    entry,
                }));
        }
    }
    for (id, mut imports) in imports {
        imports.sort_by_key(|import| import.promise);
        applied(rows, id, &imports, wrong);
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

/// Each id has one order and one subscription, in the state of its imports applied one by one.
fn applied(rows: &Rows, id: &str, imports: &[Import<'_>], wrong: &mut Vec<String>) {
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
    let history = mirrors.first().map(|mirror| mirror["history"].to_string());
    let expected = one_by_one(imports, &history.unwrap_or_default(), wrong);
    let Some(expected) = expected else {
        if !orders.is_empty() {
            wrong.push(format!("imports: {id} has an order, but every item failed"));
        }
        return;
    };
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
    let (end, discount) = (&expected["endDate"]["at"], &expected["discountBasisPoints"]);
    let right = mirror["subscriptionId"] == subscription["id"]
        && subscription["quantity"] == expected["quantity"]
        && subscription["paymentMethod"] == expected["paymentMethod"]
        && subscription["startedAt"] == expected["startDate"]
        && &subscription["endsAt"] == end
        && &subscription["external"]["discountBasisPoints"] == discount
        && order["external"] == subscription["external"];
    if !right {
        wrong.push(format!(
            "imports: {id} should be {expected}, but the rows are {mirror} and {subscription}"
        ));
    }
}

/// The stored members after all imports; `None` if none was applied. Judges the results of the items.
fn one_by_one(imports: &[Import<'_>], history: &str, wrong: &mut Vec<String>) -> Option<Value> {
    let mut kept: Option<Value> = None;
    for import in imports {
        let (result, problem) = (text(import.entry, "result"), text(import.entry, "problem"));
        // An item whose customer was erased meanwhile changes nothing, whatever other imports set.
        let fails_alone = result == "failed" && problem != "end_before_start"
            || result == "superseded" && !history.contains(import.promise);
        if fails_alone {
            continue;
        }
        let mut next = kept
            .clone()
            .unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        for (name, value) in import.item.as_object().into_iter().flatten() {
            next[name.as_str()] = value.clone();
        }
        let end = text(&next["endDate"], "at");
        let is_impossible = !end.is_empty() && end < text(&next, "startDate");
        if !is_impossible {
            kept = Some(next);
        }
        if (result == "failed") != is_impossible && result != "superseded" {
            wrong.push(format!(
                "imports: the item {} is {result}, after {kept:?}",
                import.item
            ));
        }
    }
    kept
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
