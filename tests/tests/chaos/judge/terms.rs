//! Nothing is sold at terms that its seller had not accepted, nor at old terms after their end.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use tandem_domain::ids::SubscriptionId;

use super::{Rows, list, number, text};
use crate::run::Run;
use crate::world::SHARED;

/// A price and a seller's share.
type Terms = (i64, i64);

/// A line of the history about the terms of an offer.
struct Line {
    at: Timestamp,
    is_accepted: bool,
    terms: Terms,
    until: Option<Timestamp>,
}

/// The lines by connection and offer, the oldest first.
type Lines<'a> = BTreeMap<(&'a str, &'a str), Vec<Line>>;

pub(super) fn judge(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    let lines = lines(rows);
    for sold in rows.sold() {
        let (offer, connection) = (
            text(sold, "offerId"),
            text(&sold["crossClient"], "connectionId"),
        );
        let share = number(&sold["crossClient"]["sellerShareBasisPoints"]);
        let terms = (number(&sold["unitPrice"]["amount"]), share);
        let at = sold_at(sold);
        let none = Vec::new();
        let of_offer = lines.get(&(connection, offer)).unwrap_or(&none);
        let allowed = allowed(first_terms(run, offer), of_offer, at);
        if !allowed.contains(&terms) {
            wrong.push(format!(
                "terms: {sold} is sold at {terms:?}, not at {allowed:?}"
            ));
        }
    }
}

/// The id of a row says its time, unless the row has another.
fn sold_at(sold: &Value) -> Timestamp {
    let of_id = || {
        let id: SubscriptionId = text(sold, "id").parse().expect("an id");
        id.time()
    };
    sold["createdAt"].as_str().map_or_else(of_id, time)
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// The terms of the initial state, which all carts accepted.
fn first_terms(run: &Run<'_>, offer: &str) -> Terms {
    let index = run.world.offers.iter().position(|(_, id)| id == offer);
    let shared = SHARED[index.expect("an offer of the initial state")];
    (shared.amount, shared.share)
}

/// The terms at which a sale of this time may be made: those accepted before it, unless they had ended, and those of lines of the
/// same moment, which may have been written before or after its read.
fn allowed(first: Terms, lines: &[Line], at: Timestamp) -> Vec<Terms> {
    let (mut current, mut until) = (first, None);
    for line in lines.iter().filter(|line| line.at < at) {
        if line.is_accepted {
            current = line.terms;
        }
        until = line.until;
    }
    let at_once = lines.iter().filter(|line| line.at == at);
    let has_ended = until.is_some_and(|until| until <= at) && at_once.clone().next().is_none();
    let mut allowed: Vec<_> = at_once
        .filter(|line| line.is_accepted)
        .map(|line| line.terms)
        .collect();
    if !has_ended {
        allowed.push(current);
    }
    allowed
}

fn lines(rows: &Rows) -> Lines<'_> {
    let mut lines = Lines::new();
    for row in rows.of("terms") {
        let value = |name: &str| {
            let values = list(row, "changes").iter().filter_map(Value::as_str);
            let mut of_name = values.filter_map(|text| text.strip_prefix(name));
            of_name
                .next()
                .map(|value| value.rsplit(" -> ").next().unwrap_or(value))
        };
        let first_number = |text: &str| {
            let word = text.split(' ').next().unwrap_or_default();
            word.parse().expect("a number")
        };
        let terms = (
            value("price: ").map_or(0, first_number),
            value("sellerShareBasisPoints: ").map_or(0, first_number),
        );
        lines
            .entry((text(row, "connectionId"), text(row, "offerId")))
            .or_default()
            .push(Line {
                at: time(text(row, "at")),
                is_accepted: row["action"] != "termsProposed",
                terms,
                until: value("sellOldTermsUntil: ").map(time),
            });
    }
    // Their ids sort by time.
    lines
}
