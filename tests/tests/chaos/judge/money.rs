//! Compares payout rows with orders: each row, the sums by partner and currency, and the clients' statements.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Rows, list, number, text};
use crate::run::Run;

/// The amounts that one client owes another in a currency: gross, and due to the source.
type Sums = BTreeMap<(String, String, String), (i64, i64)>;

pub(super) fn judge(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    let (mut by_orders, mut by_payouts) = (Sums::new(), Sums::new());
    for payout in rows.of("payout") {
        add(
            &mut by_payouts,
            payout,
            number(&payout["gross"]["amount"]),
            number(&payout["due"]["amount"]),
        );
    }
    for order in rows.bought() {
        let positions = list(order, "positions");
        let total: i64 = positions
            .iter()
            .map(|position| number(&position["amount"]["amount"]))
            .sum();
        if total != number(&order["total"]["amount"]) {
            wrong.push(format!(
                "money: the positions of {} are {total} in total",
                text(order, "id")
            ));
        }
        for position in positions
            .iter()
            .filter(|position| position.get("sourceClientId").is_some())
        {
            expected(rows, order, position, &mut by_orders, wrong);
        }
    }
    if by_orders != by_payouts {
        wrong.push(format!(
            "money: the orders add up to {by_orders:?}, the payout rows to {by_payouts:?}"
        ));
    }
    for (client, statement) in run.world.clients.iter().zip(&run.statements) {
        if stated(&client.id, statement) != of_client(&client.id, &by_orders) {
            wrong.push(format!(
                "money: the orders add up to {by_orders:?}, but the statement of {} is {statement}",
                client.id
            ));
        }
    }
}

/// The sums of a client's statement over all months.
fn stated(client: &str, statement: &Value) -> Sums {
    let mut sums = Sums::new();
    for line in list(statement, "lines") {
        let (own, partner) = (client.to_owned(), text(line, "partnerClientId").to_owned());
        let (source, target) = if line["role"] == "source" {
            (own, partner)
        } else {
            (partner, own)
        };
        let sum = sums
            .entry((source, target, text(&line["gross"], "currency").to_owned()))
            .or_default();
        *sum = (
            sum.0 + number(&line["gross"]["amount"]),
            sum.1 + number(&line["due"]["amount"]),
        );
    }
    sums
}

/// The sums of one client.
fn of_client(client: &str, sums: &Sums) -> Sums {
    let of_it = |((source, target, _), _): &(&(String, String, String), &(i64, i64))| {
        source == client || target == client
    };
    sums.iter()
        .filter(of_it)
        .map(|(key, sum)| (key.clone(), *sum))
        .collect()
}

/// The expected payout rows of a position: a payment for each paid period, and the reversal of the last one.
fn expected(
    rows: &Rows,
    order: &Value,
    position: &Value,
    sums: &mut Sums,
    wrong: &mut Vec<String>,
) {
    let (seller, source) = (text(order, "clientId"), text(position, "sourceClientId"));
    let id = text(position, "subscriptionId");
    let Some(row) = rows.own(seller, id, "subscription") else {
        return wrong.push(format!("money: {id} was sold but is missing"));
    };
    let amount = number(&position["amount"]["amount"]);
    let periods = number(&row["periodsPaid"]);
    let mut lines: Vec<(&str, i64, i64)> = (1..=periods)
        .map(|period| ("PAYMENT", period, amount))
        .collect();
    match text(position, "status") {
        "refunded" => lines.push(("REFUND", periods, -amount)),
        "chargedBack" => lines.push(("LOSS", periods, -amount)),
        _ => {}
    }
    let share = number(&row["crossClient"]["sellerShareBasisPoints"]);
    // The seller's share is rounded half up; a refund reverses its payment to the cent.
    let due = |gross: i64| gross.signum() * (gross.abs() - (gross.abs() * share + 5_000) / 10_000);
    let of_it = |payout: &&Value| payout["subscriptionId"] == id;
    let mut found: Vec<(&str, i64, i64)> = rows
        .of("payout")
        .filter(of_it)
        .map(|payout| {
            (
                text(payout, "type"),
                number(&payout["periodNumber"]),
                number(&payout["gross"]["amount"]),
            )
        })
        .collect();
    found.sort_unstable();
    lines.sort_unstable();
    if found != lines {
        wrong.push(format!(
            "money: the payout rows of {id} are {found:?} instead of {lines:?}"
        ));
    }
    let currency = text(&position["amount"], "currency").to_owned();
    for (_, _, gross) in lines {
        let sum = sums
            .entry((source.to_owned(), seller.to_owned(), currency.clone()))
            .or_default();
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
