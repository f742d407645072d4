//! Vouchers: one for each sale between two contracting companies, redeemed for one customer.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Rows, text};
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
        let vouchers: Vec<&Value> = rows
            .of("voucher")
            .filter(|voucher| voucher["subscriptionId"] == sold["id"])
            .collect();
        match (link.get("voucherHash"), vouchers.as_slice()) {
            (None, []) => {}
            (Some(hash), [voucher]) if voucher["hash"] == *hash => {
                redeemed(rows, voucher, sold, source, wrong)
            }
            _ => wrong.push(format!("vouchers: {} has {vouchers:?}", text(sold, "id"))),
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
        "periodsPaid",
        "paidUntil",
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

/// A redeemed voucher links its subscription to a customer; with an issued or void voucher it has none.
fn redeemed(rows: &Rows, voucher: &Value, sold: &Value, source: &Value, wrong: &mut Vec<String>) {
    let reversed = rows
        .position_of(sold)
        .is_some_and(|position| position["status"] != "paid");
    let right = match text(voucher, "status") {
        "redeemed" => {
            voucher["customerId"] == source["customerId"] && source["customerId"].is_string()
        }
        "issued" => source["customerId"].is_null() && !reversed,
        "void" => source["customerId"].is_null() && reversed,
        _ => false,
    };
    if !right {
        wrong.push(format!("vouchers: {voucher} led to {source}"));
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
