//! What callers were answered, and what is there.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Rows, list, number, text};
use crate::run::{Made, Outcome, Run};
use crate::step::Call;

pub(super) fn judge(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    purchases(run, rows, wrong);
    for made in &run.made {
        if let Some(answer) = made.done()
            && let Some(missing) = missing(run, rows, made, answer)
        {
            wrong.push(format!(
                "effects: {:?} was answered, but {missing}",
                made.call
            ));
        }
    }
    counts(run, rows, wrong);
}

/// Each purchase has a quantity of its own, which tells its order: one for each that was answered, one at most for each of
/// which nobody knows, none for each that was refused.
fn purchases(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    let mut orders: BTreeMap<i64, Vec<&Value>> = BTreeMap::new();
    for order in rows.bought() {
        orders
            .entry(number(&order["positions"][0]["quantity"]))
            .or_default()
            .push(order);
    }
    for (quantity, orders) in &orders {
        let asked = |made: &&Made| {
            let body = made
                .request
                .body
                .as_ref()
                .filter(|_| matches!(made.call, Call::Purchase { .. }));
            body.is_some_and(|body| number(&body["positions"][0]["quantity"]) == *quantity)
        };
        match run.made.iter().find(asked) {
            None => wrong.push(format!("effects: an order that nobody bought: {orders:?}")),
            Some(made) if orders.len() > 1 => wrong.push(format!(
                "effects: {:?} made {} orders",
                made.call,
                orders.len()
            )),
            Some(Made {
                call,
                outcome: Outcome::Answered(answer),
                ..
            }) if answer.status != 201 => {
                wrong.push(format!(
                    "effects: {call:?} was refused by {}, and made {orders:?}",
                    answer.text
                ));
            }
            Some(_) => {}
        }
    }
}

/// What is missing of a call's effect.
fn missing(run: &Run<'_>, rows: &Rows, made: &Made, answer: &Value) -> Option<String> {
    let client = run.world.clients[made.request.client].id.as_str();
    let there = |row: Option<&Value>| {
        row.is_none()
            .then(|| format!("there is no {}", text(answer, "id")))
    };
    match &made.call {
        Call::Purchase { .. } => {
            let order = rows.own(client, text(answer, "id"), "order");
            let sold = |order: &&Value| {
                list(order, "positions").iter().all(|position| {
                    rows.own(client, text(position, "subscriptionId"), "subscription")
                        .is_some()
                })
            };
            there(order.filter(sold))
        }
        Call::Reverse { .. } => {
            let order = rows.own(client, text(answer, "id"), "order")?;
            let state = |order: &Value| {
                list(order, "positions")
                    .iter()
                    .map(|position| position["status"].clone())
                    .collect()
            };
            let (told, kept): (Vec<Value>, Vec<Value>) = (state(answer), state(order));
            let lost = told
                .iter()
                .zip(&kept)
                .any(|(told, kept)| told != "paid" && told != kept);
            lost.then(|| format!("the positions are {kept:?} instead of {told:?}"))
        }
        Call::Pay { .. } | Call::Cancel { .. } => {
            let row = rows.own(client, text(answer, "id"), "subscription")?;
            let unpaid = number(&row["periodsPaid"]) < number(&answer["periodsPaid"]);
            let goes_on = matches!(made.call, Call::Cancel { .. }) && row["life"] == "active";
            (unpaid || goes_on).then(|| format!("the subscription is {row}"))
        }
        Call::Redeem { .. } => {
            let row = rows.own(client, text(answer, "id"), "subscription");
            let linked = |row: &&Value| {
                row["customerId"]
                    == made
                        .request
                        .body
                        .as_ref()
                        .map_or(Value::Null, |body| body["customerId"].clone())
            };
            there(row.filter(linked))
        }
        Call::Offer { .. } => there(rows.own(client, text(answer, "id"), "offer")),
        Call::Cart { .. } => there(rows.own(client, text(answer, "id"), "cart")),
        Call::Archive { .. } => there(
            rows.own(client, text(answer, "id"), "cart")
                .filter(|cart| cart["status"] == "archived"),
        ),
        Call::Import(_) => there(rows.own(client, text(answer, "promiseId"), "promise")),
        Call::ReplayAll { .. } => there(rows.own(client, text(answer, "id"), "replay")),
        Call::Invite { .. } => there(rows.get(text(answer, "id"), "connection")),
        Call::MarkPaid { .. } => there(
            rows.get(text(answer, "id"), "payout")
                .filter(|payout| payout["paidStatus"] == "PAID"),
        ),
        Call::Erase { .. } => {
            let (company, customer) = (
                &run.world.clients[made.request.client].company,
                text(answer, "customerId"),
            );
            let gone = rows.own(company, customer, "customer").is_none()
                && rows.own(company, customer, "erasure").is_some();
            (!gone).then(|| format!("{customer} is not erased"))
        }
        Call::Customer { .. } => {
            let (company, customer) = (
                &run.world.clients[made.request.client].company,
                text(answer, "id"),
            );
            there(
                rows.own(company, customer, "customer")
                    .or(rows.own(company, customer, "erasure")),
            )
        }
        _ => None,
    }
}

/// Of each kind of effect there are as many as were answered, and at most so many more as calls were given up.
fn counts(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    let count = |is: &dyn Fn(&Call) -> bool| {
        let done = run
            .made
            .iter()
            .filter(|made| is(&made.call) && made.done().is_some())
            .count();
        let unknown = run
            .made
            .iter()
            .filter(|made| is(&made.call) && made.is_unknown())
            .count();
        done..=done + unknown
    };
    let renewed: i64 = rows
        .bought_subscriptions()
        .map(|row| number(&row["periodsPaid"]) - 1)
        .sum();
    let moved = |action: &'static str| {
        rows.of("history")
            .filter(move |line| line["action"] == action)
            .count()
    };
    let of_world = run.world.links.len();
    let mut kinds = vec![
        (
            "promises",
            rows.of("promise").count(),
            count(&|call| matches!(call, Call::Import(_))),
        ),
        (
            "connections",
            rows.of("connection").count() - of_world,
            count(&|call| matches!(call, Call::Invite { .. })),
        ),
        (
            "paid periods",
            usize::try_from(renewed).unwrap_or(usize::MAX),
            count(&|call| matches!(call, Call::Pay { .. })),
        ),
    ];
    // Three connections were accepted before.
    for (verb, action, before) in [
        ("accept", "accepted", 3),
        ("decline", "declined", 0),
        ("withdraw", "withdrawn", 0),
        ("block", "blocked", 0),
        ("unblock", "unblocked", 0),
    ] {
        let made = count(&|call| matches!(call, Call::Move { verb: own, .. } if *own == verb));
        kinds.push((verb, moved(action).saturating_sub(before), made));
    }
    for (kind, there, answered) in kinds {
        if !answered.contains(&there) {
            wrong.push(format!(
                "effects: there are {there} {kind}, and {answered:?} were answered"
            ));
        }
    }
}

impl Rows {
    /// The sellers' rows of all subscriptions that were bought, of their own offers and of others'.
    fn bought_subscriptions(&self) -> impl Iterator<Item = &Value> {
        self.of("subscription")
            .filter(|row| row["role"] != "source" && row.get("external").is_none())
    }
}
