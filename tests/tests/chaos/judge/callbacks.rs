//! Callbacks: each event has one callback, delivered with one id and one body.

use std::collections::BTreeMap;

use serde_json::Value;
use tandem_tests::{Received, attempts_of, is_signed_with};

use super::{Rows, is_reversed, number, text};
use crate::endpoints::endpoint_of;
use crate::run::{Made, Run};
use crate::step::Call;

pub(super) fn judge(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    for sold in rows
        .sold()
        .filter(|row| row["crossClient"]["betweenCompanies"] == true)
    {
        has_its_events(run, rows, sold, wrong);
    }
    let seller = &run.world.clients[2].id;
    for order in rows
        .bought()
        .filter(|order| text(order, "pk").starts_with(seller.as_str()))
    {
        is_one_event_of_its_seller(rows, order, wrong);
    }
    let received = run.world.endpoints.received();
    for callback in rows.of("callback") {
        delivered(rows, callback, &received, wrong);
    }
    for request in &received {
        is_signed(run, request, wrong);
        if !rows
            .of("callback")
            .any(|callback| callback["id"] == request.webhook_id())
        {
            wrong.push(format!(
                "callbacks: {} was received but is not in the table",
                request.webhook_id()
            ));
        }
    }
    repeated(&received, wrong);
}

/// A sale by the client with an event endpoint.
fn is_one_event_of_its_seller(rows: &Rows, order: &Value, wrong: &mut Vec<String>) {
    let is_it = |callback: &&Value| {
        callback["event"] == "order.created" && callback["orderId"] == order["id"]
    };
    let events = rows.of("callback").filter(is_it).count();
    if events != 1 {
        wrong.push(format!("callbacks: {order} has {events} events"));
    }
}

/// For a subscription of another company's offer, each event has exactly its callbacks.
fn has_its_events(run: &Run<'_>, rows: &Rows, sold: &Value, wrong: &mut Vec<String>) {
    let id = text(sold, "id");
    let count = |event: &str| {
        let of_it =
            |callback: &&Value| callback["subscriptionId"] == id && callback["event"] == event;
        i64::try_from(rows.of("callback").filter(of_it).count()).unwrap_or(i64::MAX)
    };
    let rows_of = |is: fn(&str) -> bool| {
        let of_it = |row: &&Value| row["subscriptionId"] == id && is(text(row, "type"));
        i64::try_from(rows.of("payout").filter(of_it).count()).unwrap_or(i64::MAX)
    };
    let calls = |is: fn(&Call) -> bool, unknown: bool| {
        let about = |made: &&Made| {
            let known = made.done().is_some() || (unknown && made.is_unknown());
            is(&made.call) && made.request.target.contains(id) && known
        };
        i64::try_from(run.made.iter().filter(about).count()).unwrap_or(i64::MAX)
    };
    let cancels = |unknown| calls(|call| matches!(call, Call::Cancel { .. }), unknown);
    let undoes = |unknown| calls(|call| matches!(call, Call::Undo { .. }), unknown);
    let cancelled = count("crossClientSubscription.cancelled");
    let undone = count("crossClientSubscription.cancellationUndone");
    let ended = count("crossClientSubscription.refunded");
    let reversed = count("crossClientSubscription.paymentReversed");
    let periods = number(&sold["periodsPaid"]);
    // A cancellation to the same end has no event.
    let is_cancelled = cancels(false) > 0 || sold["life"] == "cancelled";
    let right = count("crossClientOrder.created") == 1
        && count("crossClientSubscription.renewed") == periods - 1
        && count("crossClientSubscription.paidAgain")
            == rows_of(|kind| kind == "PAYMENT") - periods
        && ended == i64::from(is_reversed(sold))
        && ended + reversed == rows_of(|kind| kind != "PAYMENT")
        && (undone.max(i64::from(is_cancelled))..=cancels(true)).contains(&cancelled)
        && (undoes(false)..=undoes(true)).contains(&undone);
    if !right {
        let events: Vec<&str> = rows
            .of("callback")
            .filter(|callback| callback["subscriptionId"] == id)
            .map(|callback| text(callback, "event"))
            .collect();
        wrong.push(format!("callbacks: {sold} has the events {events:?}"));
    }
}

/// At the end each callback is delivered: the receiver accepted it, and the log holds each attempt.
fn delivered(rows: &Rows, callback: &Value, received: &[Received], wrong: &mut Vec<String>) {
    let id = text(callback, "id");
    if callback["status"] != "delivered" {
        return wrong.push(format!("callbacks: {id} ends as {}", callback["status"]));
    }
    if !received
        .iter()
        .any(|request| request.webhook_id() == id && request.accepted)
    {
        wrong.push(format!(
            "callbacks: {id} is delivered, but no receiver accepted it"
        ));
    }
    let logged = callback
        .as_object()
        .map_or(0, |row| attempts_of(row, rows.of("attempt")).len());
    if i64::try_from(logged) != Ok(number(&callback["attempts"])) {
        wrong.push(format!(
            "callbacks: {id} was attempted {} times, but its log holds {logged} attempts",
            callback["attempts"]
        ));
    }
}

/// The endpoint's secret signs the bytes.
fn is_signed(run: &Run<'_>, request: &Received, wrong: &mut Vec<String>) {
    // Connections created by a history have other secrets; nothing is sold through them.
    let endpoint = endpoint_of(request);
    let secret = run.world.secrets.get(endpoint).filter(|_| endpoint < 3);
    if secret.is_some_and(|secret| !is_signed_with(request, secret)) {
        wrong.push(format!(
            "callbacks: {} is not signed by its endpoint's secret",
            request.webhook_id()
        ));
    }
}

/// A repeated callback has the same body, except for a person who was erased meanwhile.
fn repeated(received: &[Received], wrong: &mut Vec<String>) {
    let mut bodies: BTreeMap<&str, Vec<&Received>> = BTreeMap::new();
    for request in received {
        bodies
            .entry(request.webhook_id())
            .or_default()
            .push(request);
    }
    for (id, all) in bodies {
        if all
            .windows(2)
            .any(|two| two[0].body != two[1].body && !is_without_person(two[0], two[1]))
        {
            wrong.push(format!(
                "callbacks: {id} was received with different bodies"
            ));
        }
    }
}

/// Whether two bodies differ in the person alone: an erased customer is sent as an id.
fn is_without_person(before: &Received, after: &Received) -> bool {
    let parts = |request: &Received| {
        let mut body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let customer = body["data"]["customer"].take();
        (body, customer)
    };
    let ((content, person), (repeated, erased)) = (parts(before), parts(after));
    content == repeated
        && person["id"] == erased["id"]
        && erased["erased"] == true
        && erased["email"].is_null()
}
