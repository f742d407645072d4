//! Compares payout rows with the paid periods of the orders: the rows of each period, the sums by partner and currency, and the
//! clients' statements.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Rows, is_reversed, list, number, text};
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

/// The money of a position's paid periods that the seller still has, which its payout rows add up to.
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
    let share = number(&row["crossClient"]["sellerShareBasisPoints"]);
    let due = |gross: i64| gross - (gross * share + 5_000) / 10_000;
    let currency = text(&position["amount"], "currency").to_owned();
    let periods = number(&row["periodsPaid"]);
    let payouts = || rows.of("payout").filter(|row| row["subscriptionId"] == id);
    if payouts().any(|row| !(1..=periods).contains(&number(&row["periodNumber"]))) {
        wrong.push(format!(
            "money: {id} has payout rows of periods that nobody paid"
        ));
    }
    for period in 1..=periods {
        let (paid, reversed) = rows.period(row, period);
        let of_it: Vec<&Value> = payouts()
            .filter(|row| number(&row["periodNumber"]) == period)
            .collect();
        let left = (paid - reversed, due(paid) - due(reversed));
        let found = running(&of_it);
        if found.last() != Some(&left) || found.iter().any(|sum| sum.0 < 0 || sum.1 < 0) {
            wrong.push(format!(
                "money: period {period} of {id} has {left:?} left, but its rows add up to {found:?}"
            ));
        }
        let terms = number(&position["amount"]["amount"]);
        if of_it
            .last()
            .is_some_and(|row| (row["differsFromTerms"] == true) != (paid != terms))
        {
            wrong.push(format!(
                "money: the last row of {id} hides its amount: {of_it:?}"
            ));
        }
        let key = (source.to_owned(), seller.to_owned(), currency.clone());
        let sum = sums.entry(key).or_default();
        *sum = (sum.0 + left.0, sum.1 + left.1);
    }
}

/// The sums of gross and due after each row of a period, the oldest first. A payment is positive, a reversal negative.
fn running(payouts: &[&Value]) -> Vec<(i64, i64)> {
    let mut rows: Vec<&&Value> = payouts.iter().collect();
    // Rows of one step have one millisecond, the first twelve digits of their ids. Then payments come first.
    let millisecond = |row: &Value| text(row, "id").chars().take(16).collect::<String>();
    rows.sort_by_key(|row| (millisecond(row), row["type"] != "PAYMENT"));
    let mut sum = (0, 0);
    rows.into_iter()
        .map(|row| {
            let (gross, due) = (&row["gross"]["amount"], &row["due"]["amount"]);
            let is_payment = row["type"] == "PAYMENT";
            // A row with the wrong sign makes the sum negative, and is found.
            let is_right = if is_payment {
                number(gross) >= 0
            } else {
                number(gross) <= 0
            };
            sum = if is_right {
                (sum.0 + number(gross), sum.1 + number(due))
            } else {
                (i64::MIN / 2, i64::MIN / 2)
            };
            sum
        })
        .collect()
}

impl Rows {
    /// The last payment of a seller's period, and the part that went back. A plain period has no row; of the period whose
    /// reversal ended the subscription, nothing is left.
    pub(super) fn period(&self, seller: &Value, period: i64) -> (i64, i64) {
        let sk = format!("period#{period:010}");
        let (client, id) = (text(seller, "clientId"), text(seller, "id"));
        if let Some(row) = self.own(client, id, &sk) {
            let amount = |name: &str| number(&row[name]["amount"]);
            return (amount("amount"), amount("reversed"));
        }
        let terms = number(&seller["unitPrice"]["amount"]) * number(&seller["quantity"]);
        let ended_by = seller["reversedPeriod"].as_i64();
        let ended_by = ended_by.unwrap_or(number(&seller["periodsPaid"]));
        (
            terms,
            if is_reversed(seller) && ended_by == period {
                terms
            } else {
                0
            },
        )
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
