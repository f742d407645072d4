//! Connections: the state is that of the history, and each line of it is an event.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Rows, list, text};
use crate::run::Run;

/// The only client with an event endpoint. It takes all types.
const WITH_ENDPOINT: usize = 2;

pub(super) fn judge(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    for connection in rows.of("connection") {
        let history = history(rows, connection);
        if let Err(reason) = has_its_blocks(connection, &history) {
            wrong.push(format!("connections: {reason}: {connection} {history:?}"));
        }
    }
    let (expected, written) = (expected_events(run, rows), written_events(run, rows));
    if expected != written {
        wrong.push(format!(
            "connections: the events are {written:?} instead of {expected:?}"
        ));
    }
}

/// The oldest line first.
fn history<'a>(rows: &'a Rows, connection: &Value) -> Vec<&'a Value> {
    let is_of = |line: &&Value| line["pk"] == connection["pk"];
    rows.of("history").filter(is_of).collect()
}

/// The events for the client with an event endpoint, by type.
fn expected_events(run: &Run<'_>, rows: &Rows) -> BTreeMap<String, usize> {
    let client = &run.world.clients[WITH_ENDPOINT].id;
    let mut events = BTreeMap::new();
    for connection in rows.of("connection") {
        let is_party = ["source", "target"].map(|side| connection[side]["clientId"] == **client);
        if is_party == [false; 2] {
            continue;
        }
        // Before the endpoint was set, the setup wrote these lines: an invitation, and an acceptance of the first connections.
        let links = &run.world.links;
        let link = links.iter().position(|link| link.id == connection["pk"]);
        let before = link.map_or(0, |number| if number < 3 { 2 } else { 1 });
        for line in history(rows, connection).iter().skip(before) {
            let access = |change: &Value| {
                let text = change.as_str().unwrap_or_default();
                text.starts_with("offersAccess")
            };
            let event = match text(line, "action") {
                "edited" if list(line, "changes").iter().any(access) => "accessChanged",
                "edited" | "secretRotated" | "invitationResent" => continue,
                action => action,
            };
            *events.entry(format!("connection.{event}")).or_default() += 1;
        }
    }
    events
}

fn written_events(run: &Run<'_>, rows: &Rows) -> BTreeMap<String, usize> {
    let client = &run.world.clients[WITH_ENDPOINT].id;
    let mut events = BTreeMap::new();
    for callback in rows.of("callback") {
        let event = text(callback, "event");
        let is_own = text(callback, "pk").starts_with(client.as_str());
        if is_own && event.starts_with("connection.") && event != "connection.test" {
            *events.entry(event.to_owned()).or_default() += 1;
        }
    }
    events
}

/// Each side has the block that it last asked for.
fn has_its_blocks(connection: &Value, history: &[&Value]) -> Result<(), &'static str> {
    let mut blocking = BTreeSet::new();
    for line in history {
        let by = text(line, "by");
        let is_possible = match text(line, "action") {
            "blocked" => blocking.insert(by),
            "unblocked" => blocking.remove(by),
            _ => true,
        };
        if !is_possible {
            return Err("a side blocks or unblocks twice");
        }
    }
    if blocking != blocking_sides(connection) {
        return Err("the blocks are not those of the history");
    }
    let is_accepted = history.iter().any(|line| line["action"] == "accepted");
    let is_active = is_accepted && blocking.is_empty();
    (is_active == (connection["status"] == "active"))
        .then_some(())
        .ok_or("the status is not that of the history")
}

/// The stored form: the older block with its side, and the time of the other side's block.
fn blocking_sides(connection: &Value) -> BTreeSet<&str> {
    let first = text(connection, "blockedBy");
    let second = if first == "source" {
        "target"
    } else {
        "source"
    };
    let first = connection.get("blockedBy").map(|_| first);
    let second = connection.get("otherBlockedAt").map(|_| second);
    first.into_iter().chain(second).collect()
}
