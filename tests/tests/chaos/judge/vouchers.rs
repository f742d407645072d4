//! Vouchers: one for each sale between two contracting companies, redeemed for one customer.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Rows, is_reversed, text};
use crate::run::Run;
use crate::step::Call;

pub(super) fn judge(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    for sold in rows.sold() {
        let link = &sold["crossClient"];
        let Some(source) = rows.own(
            text(link, "sourceClientId"),
            text(sold, "id"),
            "subscription",
        ) else {
            wrong.push(format!(
                "vouchers: the source has no row of {}",
                text(sold, "id")
            ));
            continue;
        };
        follows(sold, source, wrong);
        has_its_voucher(sold, source, wrong);
    }
    let mut hashes = BTreeSet::new();
    for row in rows.of("subscription") {
        if let Some(hash) = row["voucherHash"].as_str()
            && !hashes.insert(hash)
        {
            wrong.push(format!(
                "vouchers: two subscriptions have the voucher {hash}"
            ));
        }
    }
    answered(run, wrong);
    unlinked(run, rows, wrong);
}

/// Whatever the life of a sold subscription, its source finds it by `linked=false` until the redemption.
fn unlinked(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    for (client, found) in run.world.clients.iter().zip(&run.unlinked) {
        let found: BTreeSet<&str> = found.iter().map(|row| text(row, "id")).collect();
        let of_client = |row: &&Value| row["clientId"] == client.id.as_str();
        let waiting: BTreeSet<&str> = rows
            .of("subscription")
            .filter(of_client)
            .filter(|row| row["customerId"].is_null())
            .map(|row| text(row, "id"))
            .collect();
        if found != waiting {
            wrong.push(format!(
                "vouchers: {} finds {found:?} unlinked instead of {waiting:?}",
                client.name
            ));
        }
    }
}

/// The source's row matches the seller's.
fn follows(sold: &Value, source: &Value, wrong: &mut Vec<String>) {
    for member in [
        "life",
        "cancelledAt",
        "endsAt",
        "endedAt",
        "reversedPeriod",
        "periodsPaid",
        "paidUntil",
        "unpaid",
        "graceDays",
        "paymentMethod",
        "quantity",
        "unitPrice",
        "orderId",
        "offerId",
    ] {
        if sold[member] != source[member] {
            wrong.push(format!(
                "vouchers: {member} of {sold} is {} at the source",
                source[member]
            ));
        }
    }
}

/// Between two contracting companies the source's row has a voucher, unless a reversal ended it before the redemption.
fn has_its_voucher(sold: &Value, source: &Value, wrong: &mut Vec<String>) {
    let between_companies = sold["crossClient"]["betweenCompanies"] == true;
    let is_reversed = is_reversed(sold);
    let is_linked = source["customerId"].is_string();
    let right = if between_companies {
        source["voucherHash"].is_string() == (is_linked || !is_reversed)
    } else {
        source["voucherHash"].is_null() && is_linked
    };
    if !right || !sold["voucherHash"].is_null() {
        wrong.push(format!("vouchers: {sold} led to {source}"));
    }
}

/// Only one customer gets the subscription of a code.
fn answered(run: &Run<'_>, wrong: &mut Vec<String>) {
    let mut got: BTreeSet<(String, String)> = BTreeSet::new();
    for made in run
        .made
        .iter()
        .filter(|made| matches!(made.call, Call::Redeem { .. }) && made.done().is_some())
    {
        let body = made.request.body.as_ref().expect("a code");
        got.insert((
            text(body, "voucherCode").to_owned(),
            text(body, "customerId").to_owned(),
        ));
    }
    for (code, customer) in &got {
        if got
            .iter()
            .any(|(other, another)| other == code && another != customer)
        {
            wrong.push("vouchers: two customers got the subscription of one code".to_owned());
        }
    }
}
