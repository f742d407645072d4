//! Imports: each item is applied once, and each id has one order, in the state of its imports applied one by one in the order of
//! acceptance.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tandem_domain::ids::PromiseId;
use tandem_domain::import::imported::Imported;

use super::{Rows, list, number, text};
use crate::run::Run;
use crate::step::Call;

/// One item of a promise, with its result.
struct Import<'a> {
    promise: &'a str,
    item: &'a Value,
    result: &'a Value,
}

/// The row of an imported id.
pub(super) fn imported(row: &Value) -> Imported {
    serde_json::from_value(row.clone()).expect("an imported order")
}

pub(super) fn judge(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    let mut imports: BTreeMap<&str, Vec<Import<'_>>> = BTreeMap::new();
    for promise in rows.of("promise") {
        let pk = text(promise, "pk");
        // The items come from the request or, for an abandoned call, from the stored row.
        let items = rows
            .get(pk, "items#000")
            .map_or(&[][..], |items| list(items, "items"));
        let results = rows
            .get(pk, "chunk#000")
            .map_or(&[][..], |chunk| list(chunk, "results"));
        done(promise, results, wrong);
        for (item, result) in items.iter().zip(results) {
            let id = text(item, "externalSystemId");
            imports.entry(id).or_default().push(Import {
                promise: pk.split_once('#').map_or("", |(_, id)| id),
                item,
                result,
            });
        }
    }
    for (id, mut imports) in imports {
        imports.sort_by_key(|import| import.promise);
        applied(rows, id, &imports, wrong);
    }
    sent(run, rows, wrong);
}

/// Each item has one result, and each promise has one `import.completed`.
fn done(promise: &Value, results: &[Value], wrong: &mut Vec<String>) {
    let counted: i64 = promise["counts"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, count)| number(count))
        .sum();
    let items = number(&promise["items"]);
    if promise.get("finishedAt").is_none()
        || counted != items
        || i64::try_from(results.len()) != Ok(items)
    {
        wrong.push(format!("imports: {promise} has {} results", results.len()));
    }
}

/// Each id has one row, in the state of its imports applied one by one, which records each of them.
fn applied(rows: &Rows, id: &str, imports: &[Import<'_>], wrong: &mut Vec<String>) {
    let of_id = rows
        .of("imported")
        .filter(|row| row["externalSystemId"] == id);
    let [row] = of_id
        .map(imported)
        .collect::<Vec<_>>()
        .try_into()
        .unwrap_or_else(|found: Vec<Imported>| panic!("imports: {id} has {} rows", found.len()));
    for import in imports {
        let promise: PromiseId = import.promise.parse().expect("an id");
        let recorded = row.records.get(&promise).map(|record| &record.outcome);
        let is_recorded = recorded.is_some_and(|outcome| {
            json!(outcome.result) == import.result["result"]
                && json!(outcome.problem) == import.result["problem"]
        });
        if !is_recorded && !row.may_be_paged(promise) {
            wrong.push(format!(
                "imports: {id} records {recorded:?}, but the log says {}",
                import.result
            ));
        }
    }
    let expected = one_by_one(imports, &row, wrong);
    let (Some(expected), Some(subscription), Some(order)) =
        (&expected, row.subscription(), row.order())
    else {
        if expected.is_some() != row.sale.is_some() {
            wrong.push(format!(
                "imports: {id} should be {expected:?}, but the row is {row:?}"
            ));
        }
        return;
    };
    let (shown, external) = (json!(subscription), json!(subscription.external));
    let right = shown["quantity"] == expected["quantity"]
        && shown["paymentMethod"] == expected["paymentMethod"]
        && shown["startedAt"] == expected["startDate"]
        && shown["endsAt"] == expected["endDate"]["at"]
        && external["discountBasisPoints"] == expected["discountBasisPoints"]
        && order.external == subscription.external;
    if !right {
        wrong.push(format!(
            "imports: {id} should be {expected}, but the subscription is {shown}"
        ));
    }
}

/// The stored members after all imports; `None` if none was applied. Judges the results of the items.
fn one_by_one(imports: &[Import<'_>], row: &Imported, wrong: &mut Vec<String>) -> Option<Value> {
    let mut kept: Option<Value> = None;
    for import in imports {
        let (result, problem) = (
            text(import.result, "result"),
            text(import.result, "problem"),
        );
        // An item whose customer was erased meanwhile changes nothing, whatever other imports set.
        let fails_alone = result == "failed" && problem != "end_before_start"
            || result == "superseded"
                && !row.history.contains(import.promise.parse().expect("an id"));
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
