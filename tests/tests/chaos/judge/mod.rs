//! Invariants after each history, checked on the whole table, the answers to callers and the requests to receivers.
//!
//! | judge | holds |
//! |---|---|
//! | [`effects`] | answered calls have their effect; one key, one effect; refused calls have none |
//! | [`money`] | payout rows add up to the money that is left of each paid period, and to the statements |
//! | [`connections`] | each side has the block that it last asked for; a connection is active while neither side blocks; each change is an event |
//! | [`callbacks`] | each event of a sale of another company's offer has one delivered callback |
//! | [`vouchers`] | a voucher gives one subscription to one customer |
//! | [`imports`] | each imported id has one order, in the state of its imports applied one by one in the order of acceptance |
//! | [`orphans`] | each row has the rows that it refers to, and no work is left |
//! | [`terms`] | nothing is sold at terms that its seller had not accepted |
//! | [`tenants`] | no tenant reads another tenant's rows, except those that the design shares |

mod callbacks;
mod connections;
mod effects;
mod imports;
mod money;
mod orphans;
mod tally;
mod tenants;
mod terms;
mod vouchers;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::run::Run;

pub(crate) use tally::{Tally, tally};

/// All rows at the end.
pub(crate) struct Rows {
    all: BTreeMap<(String, String), Value>,
}

/// A member's text; empty if absent.
fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_default()
}

/// Whether a reversal ended the subscription.
fn is_reversed(subscription: &Value) -> bool {
    ["refunded", "chargedBack"].contains(&text(subscription, "life"))
}

fn number(of: &Value) -> i64 {
    of.as_i64().unwrap_or_default()
}

/// The items of a list.
fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of[name].as_array().map_or(&[], Vec::as_slice)
}

impl Rows {
    fn new(rows: Vec<Value>) -> Self {
        let key = |row: &Value| (text(row, "pk").to_owned(), text(row, "sk").to_owned());
        Self {
            all: rows.into_iter().map(|row| (key(&row), row)).collect(),
        }
    }

    /// The rows whose sort key begins with a kind.
    fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        let is = move |row: &&Value| text(row, "sk").split('#').next() == Some(kind);
        self.all.values().filter(is)
    }

    fn get(&self, pk: impl Into<String>, sk: &str) -> Option<&Value> {
        self.all.get(&(pk.into(), sk.to_owned()))
    }

    /// A row of a tenant.
    fn own(&self, tenant: &str, id: &str, sk: &str) -> Option<&Value> {
        self.get(format!("{tenant}#{id}"), sk)
    }

    /// Orders from purchases, without imported orders.
    fn bought(&self) -> impl Iterator<Item = &Value> {
        self.of("order")
            .filter(|order| order.get("external").is_none())
    }

    /// The sellers' rows of sold subscriptions of other clients.
    fn sold(&self) -> impl Iterator<Item = &Value> {
        self.of("subscription")
            .filter(|row| row["role"] == "seller")
    }
}

/// Lists the violated invariants.
pub(crate) fn judge(run: &Run<'_>) -> Vec<String> {
    let rows = Rows::new(run.stage.table.dump());
    let mut wrong = Vec::new();
    effects::judge(run, &rows, &mut wrong);
    money::judge(run, &rows, &mut wrong);
    connections::judge(run, &rows, &mut wrong);
    callbacks::judge(run, &rows, &mut wrong);
    vouchers::judge(run, &rows, &mut wrong);
    imports::judge(run, &rows, &mut wrong);
    orphans::judge(run, &rows, &mut wrong);
    tenants::judge(run, &rows, &mut wrong);
    terms::judge(run, &rows, &mut wrong);
    wrong
}
