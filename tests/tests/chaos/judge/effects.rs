//! Compares the answers that callers got with the rows in the table.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use tandem_domain::ids::SubscriptionId;

use super::{Rows, list, number, text};
use crate::run::{Made, Outcome, Run};
use crate::step::Call;

pub(super) fn judge(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    purchases(run, rows, wrong);
    external_ids(rows, wrong);
    once(rows, wrong);
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
    for sold in rows.sold() {
        of_subscription(run, rows, sold, wrong);
    }
}

/// Each answered payment and reversal of a sold subscription has one payout row, and each abandoned one at most one.
fn of_subscription(run: &Run<'_>, rows: &Rows, sold: &Value, wrong: &mut Vec<String>) {
    let id = text(sold, "id");
    let count = |is: &dyn Fn(&Made) -> bool| {
        let made = || run.made.iter().filter(|made| is(made));
        let done = made().filter(|made| made.done().is_some()).count();
        done..=done + made().filter(|made| made.is_unknown()).count()
    };
    let about =
        |made: &Made, is: fn(&Call) -> bool| is(&made.call) && made.request.target.contains(id);
    let found = |kinds: &[&str]| {
        let of_it =
            |row: &&Value| row["subscriptionId"] == id && kinds.contains(&text(row, "type"));
        rows.of("payout").filter(of_it).count()
    };
    let paid = count(&|made| about(made, |call| matches!(call, Call::Pay { .. })));
    // The sale paid the first period.
    let payments = found(&["PAYMENT"]) - 1;
    if !paid.contains(&payments) {
        wrong.push(format!(
            "effects: {payments} further payments of {id}, but {paid:?} were answered"
        ));
    }
    let by_order = count(&|made| {
        let is_reversal = matches!(made.call, Call::Reverse { .. });
        is_reversal && made.request.target.contains(text(sold, "orderId"))
    });
    let own = count(&|made| about(made, |call| matches!(call, Call::ReversePeriod { .. })));
    let reversals = found(&["REFUND", "LOSS"]);
    if !(*own.start()..=own.end() + by_order.end()).contains(&reversals) {
        wrong.push(format!(
            "effects: {reversals} reversals of {id}, but {own:?} and {by_order:?} of its order were answered"
        ));
    }
}

/// A purchase's unique quantity identifies its order: one order for each answered purchase, at most one for each
/// abandoned purchase, none for each refused purchase.
fn purchases(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    let mut orders: BTreeMap<i64, Vec<&Value>> = BTreeMap::new();
    for order in rows.bought() {
        orders
            .entry(number(&order["positions"][0]["quantity"]))
            .or_default()
            .push(order);
    }
    for (quantity, orders) in &orders {
        let is_it = |made: &&Made| {
            let body = made
                .request
                .body
                .as_ref()
                .filter(|_| matches!(made.call, Call::Purchase { .. }));
            body.is_some_and(|body| number(&body["positions"][0]["quantity"]) == *quantity)
        };
        match run.made.iter().find(is_it) {
            None => wrong.push(format!("effects: orders without a purchase: {orders:?}")),
            Some(made) if orders.len() > 1 => wrong.push(format!(
                "effects: {:?} created {} orders",
                made.call,
                orders.len()
            )),
            Some(Made {
                call,
                outcome: Outcome::Answered(answer),
                ..
            }) if answer.status != 201 => {
                wrong.push(format!(
                    "effects: {call:?} was refused with {}, but created {orders:?}",
                    answer.text
                ));
            }
            Some(_) => {}
        }
    }
}

/// An offer that is sold once has at most one running subscription of each seller's customer at any time.
fn once(rows: &Rows, wrong: &mut Vec<String>) {
    let end = |row: &Value| {
        let mut members = ["endedAt", "endsAt"].iter();
        let end = members.find_map(|name| row[*name].as_str());
        end.map_or(Timestamp::MAX, |end| end.parse().expect("a time"))
    };
    let sold_at = |row: &Value| {
        let id: SubscriptionId = text(row, "id").parse().expect("an id");
        id.time()
    };
    for held in rows.of("once") {
        let mut sold: Vec<&Value> = rows
            .sold()
            .filter(|row| {
                ["clientId", "customerId", "offerId"]
                    .iter()
                    .all(|name| row[*name] == held[*name])
            })
            .collect();
        sold.sort_by_key(|row| sold_at(row));
        let overlap = |pair: &[&Value]| end(pair[0]) > sold_at(pair[1]);
        let latest = sold.last().map(|row| text(row, "id"));
        if sold.windows(2).any(overlap) || latest != Some(text(held, "subscriptionId")) {
            wrong.push(format!("effects: {held} has the subscriptions {sold:?}"));
        }
    }
}

/// A seller's `externalSystemId` belongs to one purchase, and its row names that purchase's order.
fn external_ids(rows: &Rows, wrong: &mut Vec<String>) {
    let mut orders: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let with_id = || {
        rows.bought()
            .filter(|order| order["externalSystemId"].is_string())
    };
    for order in with_id() {
        let of_order = |row: &&Value| {
            row["orderId"] == order["id"] && text(row, "clientId") == text(order, "clientId")
        };
        if rows.of("externalOrder").filter(of_order).count() != 1 {
            wrong.push(format!(
                "effects: no row of an externalSystemId names {order}"
            ));
        }
        let id = (text(order, "clientId"), text(order, "externalSystemId"));
        *orders.entry(id).or_default() += 1;
    }
    if rows.of("externalOrder").count() != with_id().count()
        || orders.values().any(|count| *count > 1)
    {
        wrong.push(format!(
            "effects: orders by externalSystemId are {orders:?}"
        ));
    }
}

/// Describes the part of a call's effect that is missing.
fn missing(run: &Run<'_>, rows: &Rows, made: &Made, answer: &Value) -> Option<String> {
    let client = run.world.clients[made.request.client].id.as_str();
    let there = |row: Option<&Value>| {
        row.is_none()
            .then(|| format!("{} is missing", text(answer, "id")))
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
            let (answered, kept): (Vec<Value>, Vec<Value>) = (state(answer), state(order));
            let lost = answered
                .iter()
                .zip(&kept)
                .any(|(answered, kept)| answered != "paid" && answered != kept);
            lost.then(|| format!("the positions are {kept:?} instead of {answered:?}"))
        }
        Call::ReversePeriod { .. } | Call::Undo { .. } => {
            there(rows.own(client, text(answer, "id"), "subscription"))
        }
        Call::Pay { .. } | Call::Cancel { .. } => {
            let row = rows.own(client, text(answer, "id"), "subscription")?;
            let unpaid = number(&row["periodsPaid"]) < number(&answer["periodsPaid"]);
            // A later call may move the end or undo the cancellation.
            let may_move = run.made.iter().any(|other| {
                let moves = matches!(other.call, Call::Cancel { .. } | Call::Undo { .. });
                let is_other =
                    other.key != made.key && (other.done().is_some() || other.is_unknown());
                moves && is_other && other.request.target.contains(text(answer, "id"))
            });
            let uncancelled =
                matches!(made.call, Call::Cancel { .. }) && !may_move && !keeps_end(row, answer);
            (unpaid || uncancelled).then(|| format!("the subscription is {row}"))
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
                &run.world.clients[made.request.client].company.id,
                text(answer, "customerId"),
            );
            let gone = rows.own(company, customer, "customer").is_none()
                && rows.own(company, customer, "erasure").is_some();
            (!gone).then(|| format!("{customer} is not erased"))
        }
        Call::Customer { .. } => {
            let (company, customer) = (
                &run.world.clients[made.request.client].company.id,
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

/// Whether a cancelled subscription keeps its cancellation and gets no later end, whatever follows.
fn keeps_end(row: &Value, cancelled: &Value) -> bool {
    let time = |of: &Value, name: &str| text(of, name).parse::<Timestamp>().ok();
    let end = time(row, "endsAt").or(time(row, "endedAt"));
    row["cancelledAt"] == cancelled["cancelledAt"]
        && end.is_some_and(|end| Some(end) <= time(cancelled, "endsAt"))
}

/// Each kind of effect occurs once per answered call, plus at most once per abandoned call.
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
    ];
    // The setup accepted three connections.
    for (verb, action, before) in [
        ("accept", "accepted", 3),
        ("decline", "declined", 0),
        ("withdraw", "withdrawn", 0),
        ("resend-invitation", "invitationResent", 0),
        ("block", "blocked", 0),
        ("unblock", "unblocked", 0),
    ] {
        let made = count(&|call| matches!(call, Call::Move { verb: own, .. } if *own == verb));
        kinds.push((verb, moved(action).saturating_sub(before), made));
    }
    for (kind, there, answered) in kinds {
        if !answered.contains(&there) {
            wrong.push(format!(
                "effects: the table holds {there} {kind}, but {answered:?} were answered"
            ));
        }
    }
}
