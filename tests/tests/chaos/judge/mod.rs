//! What must hold after every history, judged by the whole table, by what callers were answered, and by what receivers got.
//!
//! | judge | holds |
//! |---|---|
//! | [`effects`] | what was answered is there; one key, one effect; what was refused has none |
//! | [`money`] | the payout rows are what the orders say, by row, and by partner and currency |
//! | [`callbacks`] | each sale, renewal and refund of another company's offer has one callback, which came |
//! | [`vouchers`] | a voucher gives one subscription to one customer |
//! | [`imports`] | of what was imported under one id there is one order, and the latest import won |
//! | [`orphans`] | no row without those that it belongs to, and nothing left to do |
//! | [`tenants`] | nobody read a row of another tenant, but those that the design shares |

mod callbacks;
mod effects;
mod imports;
mod money;
mod orphans;
mod tally;
mod tenants;
mod vouchers;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::run::Run;

pub(crate) use tally::{Tally, tally};

/// All rows in the end.
pub(crate) struct Rows {
    all: BTreeMap<(String, String), Value>,
}

/// A member's text, or nothing.
fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_default()
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

    /// The rows of a kind: what their sort key begins with.
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

    /// The orders that were bought.
    fn bought(&self) -> impl Iterator<Item = &Value> {
        self.of("order")
            .filter(|order| order.get("external").is_none())
    }

    /// The sellers' rows of sold subscriptions of other clients.
    fn sold(&self) -> impl Iterator<Item = &Value> {
        self.of("subscription")
            .filter(|row| row["role"] == "seller")
    }

    /// The order's position that began a subscription.
    fn position_of(&self, seller: &Value) -> Option<&Value> {
        let order = self.own(text(seller, "clientId"), text(seller, "orderId"), "order")?;
        list(order, "positions")
            .iter()
            .find(|position| position["subscriptionId"] == seller["id"])
    }
}

/// Finds what is wrong.
pub(crate) fn judge(run: &Run<'_>) -> Vec<String> {
    let rows = Rows::new(run.house.table.dump());
    let mut wrong = Vec::new();
    effects::judge(run, &rows, &mut wrong);
    money::judge(run, &rows, &mut wrong);
    callbacks::judge(run, &rows, &mut wrong);
    vouchers::judge(run, &rows, &mut wrong);
    imports::judge(run, &rows, &mut wrong);
    orphans::judge(run, &rows, &mut wrong);
    tenants::judge(run, &rows, &mut wrong);
    wrong
}
