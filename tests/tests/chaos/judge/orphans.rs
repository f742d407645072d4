//! Each row has the rows that it refers to, and no row is still due.

use std::collections::BTreeSet;

use serde_json::Value;

use tandem_domain::ids::PromiseId;

use super::imports::imported;
use super::{Rows, text};
use crate::run::Run;

pub(super) fn judge(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    for row in rows.all.values() {
        if row.get("dueShard").is_some() {
            wrong.push(format!("orphans: {row} is still due"));
        }
        let kind = text(row, "sk").split('#').next().unwrap_or_default();
        if let Some(missing) = missing(rows, kind, row) {
            wrong.push(format!(
                "orphans: {kind} {} lacks its {missing}",
                text(row, "pk")
            ));
        }
    }
    histories(rows, wrong);
    mails(run, rows, wrong);
}

/// The referenced row that is missing.
fn missing(rows: &Rows, kind: &str, row: &Value) -> Option<&'static str> {
    let parent = |name: &'static str, found: Option<&Value>| found.is_none().then_some(name);
    let pk = text(row, "pk");
    let connection = || {
        parent(
            "connection",
            rows.get(text(row, "connectionId"), "connection"),
        )
    };
    let anywhere = |kind: &'static str, id: &'static str| {
        rows.of(kind)
            .any(|found| found["id"] == row[id])
            .then_some(())
            .is_none()
            .then_some(kind)
    };
    match kind {
        "subscription" => anywhere("order", "orderId"),
        "payout" => anywhere("order", "orderId")
            .or(parent(
                "source's row",
                rows.own(
                    text(row, "sourceClientId"),
                    text(row, "subscriptionId"),
                    "subscription",
                ),
            ))
            .or(parent(
                "seller's row",
                rows.own(
                    text(row, "targetClientId"),
                    text(row, "subscriptionId"),
                    "subscription",
                ),
            )),
        "callback" => {
            let of_sale = row
                .get("orderId")
                .and_then(|_| anywhere("order", "orderId"));
            of_sale.or_else(|| row.get("connectionId").and_then(|_| connection()))
        }
        "period" => parent("subscription", rows.get(pk, "subscription")),
        "attempt" => parent("callback", rows.get(pk, "callback")),
        "chunk" | "items" => parent("promise", rows.get(pk, "promise")),
        "imported" => {
            let imported = imported(row);
            let promise = |id: &PromiseId| {
                rows.own(&imported.client_id.to_string(), &id.to_string(), "promise")
            };
            parent(
                "promise",
                imported
                    .records
                    .keys()
                    .all(|id| promise(id).is_some())
                    .then_some(row),
            )
        }
        "history" | "terms" => parent("connection", rows.get(pk, "connection")),
        "pair" => {
            let live = |connection: &&Value| {
                ["invited", "active", "blocked"].contains(&text(connection, "status"))
            };
            parent(
                "live connection",
                rows.get(text(row, "connectionId"), "connection")
                    .filter(live),
            )
        }
        "connection" if ["invited", "active", "blocked"].contains(&text(row, "status")) => {
            let pair = |pair: &Value| pair["connectionId"] == row["id"];
            (!rows.of("pair").any(pair)).then_some("pair")
        }
        "guard" => parent(
            "customer",
            rows.own(text(row, "companyId"), text(row, "customerId"), "customer"),
        ),
        _ => None,
    }
}

/// Each change of a connection has one history entry.
fn histories(rows: &Rows, wrong: &mut Vec<String>) {
    for connection in rows.of("connection") {
        let lines: BTreeSet<u64> = rows
            .of("history")
            .filter(|line| line["pk"] == connection["pk"])
            .filter_map(|line| line["number"].as_u64())
            .collect();
        let expected: BTreeSet<u64> =
            (1..=connection["version"].as_u64().unwrap_or_default()).collect();
        if lines != expected {
            wrong.push(format!(
                "orphans: the history of {connection} has the entries {lines:?}"
            ));
        }
    }
}

/// The mail service accepted each mail.
fn mails(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    let taken: BTreeSet<String> = run
        .stage
        .mails()
        .iter()
        .map(|mail| mail.mail.id.to_string())
        .collect();
    for mail in rows.of("mail") {
        // The mails of the setup were sent before this history.
        let before = run.world.now.to_string().as_str() >= text(mail, "createdAt");
        // A warning that no longer holds is cancelled; its first mail was sent.
        let done = ["sent", "cancelled"].contains(&text(mail, "status"));
        if !done || !(before || taken.contains(text(mail, "id"))) {
            wrong.push(format!("orphans: {mail} was not sent"));
        }
    }
}
