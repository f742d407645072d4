//! The payout rows against the orders: each row, and the sums by partner and currency.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Rows, list, number, text};

/// What one client owes another in a currency: gross, and due to the source.
type Sums = BTreeMap<(String, String, String), (i64, i64)>;

pub(super) fn judge(rows: &Rows, wrong: &mut Vec<String>) {
    let (mut by_orders, mut by_payouts) = (Sums::new(), Sums::new());
    for payout in rows.of("payout") {
        add(&mut by_payouts, payout, number(&payout["gross"]["amount"]), number(&payout["due"]["amount"]));
    }
    for order in rows.bought() {
        let positions = list(order, "positions");
        let total: i64 = positions.iter().map(|position| number(&position["amount"]["amount"])).sum();
        if total != number(&order["total"]["amount"]) {
            wrong.push(format!("money: the positions of {} are {total} in total", text(order, "id")));
        }
        for position in positions.iter().filter(|position| position.get("sourceClientId").is_some()) {
            expected(rows, order, position, &mut by_orders, wrong);
        }
    }
    if by_orders != by_payouts {
        wrong.push(format!("money: the orders say {by_orders:?}, the payout rows {by_payouts:?}"));
    }
}

/// What the payout rows of a position must be: a payment for each paid period, and what went back of the last one.
fn expected(rows: &Rows, order: &Value, position: &Value, sums: &mut Sums, wrong: &mut Vec<String>) {
    let (seller, source) = (text(order, "clientId"), text(position, "sourceClientId"));
    let id = text(position, "subscriptionId");
    let Some(row) = rows.own(seller, id, "subscription") else {
        return wrong.push(format!("money: {id} was sold, and is not there"));
    };
    let amount = number(&position["amount"]["amount"]);
    let periods = number(&row["periodsPaid"]);
    let mut lines: Vec<(&str, i64, i64)> = (1..=periods).map(|period| ("PAYMENT", period, amount)).collect();
    match text(position, "status") {
        "refunded" => lines.push(("REFUND", periods, -amount)),
        "chargedBack" => lines.push(("LOSS", periods, -amount)),
        _ => {}
    }
    let share = number(&row["crossClient"]["sellerShareBasisPoints"]);
    // The seller's part is rounded down; a refund undoes its payment to the cent.
    let due = |gross: i64| gross.signum() * (gross.abs() - gross.abs() * share / 10_000);
    let of_it = |payout: &&Value| payout["subscriptionId"] == id;
    let mut found: Vec<(&str, i64, i64)> = rows
        .of("payout")
        .filter(of_it)
        .map(|payout| (text(payout, "type"), number(&payout["periodNumber"]), number(&payout["gross"]["amount"])))
        .collect();
    found.sort_unstable();
    lines.sort_unstable();
    if found != lines {
        wrong.push(format!("money: the payout rows of {id} are {found:?} instead of {lines:?}"));
    }
    let currency = text(&position["amount"], "currency").to_owned();
    for (_, _, gross) in lines {
        let sum = sums.entry((source.to_owned(), seller.to_owned(), currency.clone())).or_default();
        *sum = (sum.0 + gross, sum.1 + due(gross));
    }
}

fn add(sums: &mut Sums, payout: &Value, gross: i64, due: i64) {
    let key = (
        text(payout, "sourceClientId").to_owned(),
        text(payout, "targetClientId").to_owned(),
        text(&payout["gross"], "currency").to_owned(),
    );
    let sum = sums.entry(key).or_default();
    *sum = (sum.0 + gross, sum.1 + due);
}
