//! Counts events over all histories, because an eventless history satisfies every invariant.

use std::collections::BTreeMap;

use serde_json::Value;
use tandem_tests::attempts_of;

use super::{Rows, list, text};
use crate::run::{Outcome, Run};
use crate::step::Call;

/// Counts by event.
pub(crate) type Tally = BTreeMap<&'static str, usize>;

/// Purchases that were refused because old terms had ended.
fn terms_not_accepted(run: &Run<'_>) -> usize {
    let is = |outcome: &Outcome| matches!(outcome, Outcome::Answered(answer) if list(&answer.body, "errors").iter().any(|error| error["code"] == "terms_not_accepted"));
    run.made.iter().filter(|made| is(&made.outcome)).count()
}

/// The counts of one history.
pub(crate) fn tally(run: &Run<'_>) -> Tally {
    let rows = Rows::new(run.stage.table.dump());
    let attempts: Vec<_> = rows
        .of("callback")
        .filter_map(Value::as_object)
        .flat_map(|callback| attempts_of(callback, rows.of("attempt")))
        .collect();
    let of_log = |result: &'static str| {
        rows.of("chunk")
            .flat_map(|chunk| list(chunk, "results"))
            .filter(|found| text(found, "result") == result)
            .count()
    };
    let refused = |code: &str| {
        let is = |outcome: &Outcome| matches!(outcome, Outcome::Answered(answer) if answer.body["code"] == code);
        run.made.iter().filter(|made| is(&made.outcome)).count()
    };
    let done = |is: fn(&Call) -> bool| {
        run.made
            .iter()
            .filter(|made| is(&made.call) && made.done().is_some())
            .count()
    };
    let events = |name: &str| {
        let event = format!("crossClientSubscription.{name}");
        rows.of("callback")
            .filter(|callback| text(callback, "event") == event)
            .count()
    };
    let received = run.world.endpoints.received();
    let sources = || {
        rows.of("subscription")
            .filter(|row| text(row, "role") == "source")
    };
    BTreeMap::from([
        ("sales", rows.bought().count()),
        (
            "sales between companies",
            sources()
                .filter(|row| row["crossClient"]["betweenCompanies"] == true)
                .count(),
        ),
        ("payout rows", rows.of("payout").count()),
        (
            "money that went back",
            rows.of("payout")
                .filter(|row| text(row, "type") != "PAYMENT")
                .count(),
        ),
        ("renewals", done(|call| matches!(call, Call::Pay { .. }))),
        (
            "cancellations",
            done(|call| matches!(call, Call::Cancel { .. })),
        ),
        (
            "cancellations undone",
            done(|call| matches!(call, Call::Undo { .. })),
        ),
        ("periods paid again", events("paidAgain")),
        ("reversals without an end", events("paymentReversed")),
        (
            "periods in part",
            rows.of("period")
                .filter(|row| {
                    let amount = |name: &str| row[name]["amount"].as_i64();
                    amount("reversed") > Some(0) && amount("reversed") < amount("amount")
                })
                .count(),
        ),
        (
            "periods unpaid",
            rows.of("subscription")
                .filter(|row| row.get("unpaid").is_some())
                .count(),
        ),
        ("ambiguous payments", refused("subscription_past_due")),
        (
            "payments of other amounts",
            rows.of("payout")
                .filter(|row| row["differsFromTerms"] == true)
                .count(),
        ),
        (
            "vouchers redeemed",
            sources()
                .filter(|row| row["voucherHash"].is_string() && row["customerId"].is_string())
                .count(),
        ),
        ("vouchers of others", refused("voucher_redeemed")),
        (
            "vouchers void",
            sources()
                .filter(|row| row["voucherHash"].is_null() && row["customerId"].is_null())
                .count(),
        ),
        ("wrong codes", refused("voucher_not_found")),
        (
            "blocks",
            rows.of("history")
                .filter(|line| text(line, "action") == "blocked")
                .count(),
        ),
        ("sales refused", refused("cart_not_sellable")),
        (
            "terms proposed",
            rows.of("terms")
                .filter(|line| text(line, "action") == "termsProposed")
                .count(),
        ),
        (
            "terms accepted",
            done(|call| matches!(call, Call::AcceptTerms { .. })),
        ),
        ("sales at ended terms", terms_not_accepted(run)),
        ("moves refused", refused("connection_status")),
        ("customers erased", rows.of("erasure").count()),
        ("items imported", of_log("created")),
        ("items updated", of_log("updated")),
        ("items superseded", of_log("superseded")),
        (
            "callbacks taken",
            received.iter().filter(|request| request.accepted).count(),
        ),
        (
            "callbacks refused",
            received.iter().filter(|request| !request.accepted).count(),
        ),
        ("attempts", attempts.len()),
        (
            "attempts cut off",
            attempts
                .iter()
                .filter(|attempt| text(attempt, "error").contains("cut off"))
                .count(),
        ),
        ("replays", rows.of("replay").count()),
        (
            "calls given up",
            run.made.iter().filter(|made| made.is_unknown()).count(),
        ),
        ("mails", run.stage.sent_mails()),
        ("rows that were read", run.reads.len()),
    ])
}
