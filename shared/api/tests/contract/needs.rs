//! What a function's code needs of its surroundings: actions on the table, and settings.

use std::collections::BTreeSet;

use crate::source::{Sources, crate_of};

/// Where the store asks DynamoDB, and what permission each of these needs. `TransactWriteItems` is authorised by the actions of
/// its items.
const ACTIONS: &[(&str, &str, &str)] = &[
    ("::Store::connect", "GetItem", "table"),
    ("::Store::get", "GetItem", "table"),
    ("::Store::read_rows", "BatchGetItem", "table"),
    ("::Store::due", "Query", "due"),
    ("::List::table", "Query", "table"),
    ("::List::gsi1", "Query", "gsi1"),
    ("::List::gsi2", "Query", "gsi2"),
    ("::Transaction::create", "PutItem", "table"),
    ("::Transaction::create_over_expired", "PutItem", "table"),
    ("::Transaction::replace", "PutItem", "table"),
    ("::Transaction::quiet", "UpdateItem", "table"),
    ("::Transaction::delete", "DeleteItem", "table"),
    ("::Transaction::remove", "DeleteItem", "table"),
    ("::Transaction::require", "ConditionCheckItem", "table"),
    ("::Transaction::unchanged", "ConditionCheckItem", "table"),
];

/// What a function needs.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// Actions on the table or an index of it: `("Query", "gsi1")`.
    pub(crate) table: BTreeSet<(String, String)>,
    /// Environment variables without which it does not start.
    pub(crate) required: BTreeSet<String>,
    /// Environment variables that it looks at, if they are there, and has a use for.
    pub(crate) optional: BTreeSet<String>,
}

impl Needs {
    /// Of a function, by the name of its folder.
    pub(crate) fn of(sources: &Sources, function: &str) -> Self {
        let own: Vec<&str> = sources
            .beneath(&format!("{}::", crate_of(function)))
            .map(|(path, _)| path)
            .collect();
        let reached = sources.reach(own.iter().copied(), |path| action(path).is_some());
        let mut needs = Self::default();
        for (path, body) in &reached {
            needs
                .table
                .extend(action(path).map(|(action, on)| (action.to_owned(), on.to_owned())));
            for (called, arguments) in &body.calls {
                let names = arguments
                    .iter()
                    .flatten()
                    .filter(|text| is_setting(text))
                    .cloned();
                match called.rsplit("::").next() {
                    Some("required" | "queue" | "secret" | "cached_secret") => {
                        needs.required.extend(names)
                    }
                    Some("optional") => needs.optional.extend(names),
                    _ => {}
                }
            }
        }
        // Every HTTP function reads the local targets when it starts; only who judges or calls addresses has a use for them.
        let mentions = |path: &&str| {
            reached.get(path).is_some_and(|body| {
                body.fields.contains("local_targets")
                    || body
                        .paths
                        .iter()
                        .any(|path| path.ends_with("aws::local_targets"))
            })
        };
        if !own.iter().any(mentions) {
            needs.optional.remove("LOCAL_CALLBACK_TARGETS");
        }
        needs
    }
}

fn action(path: &str) -> Option<(&'static str, &'static str)> {
    ACTIONS
        .iter()
        .find(|(end, _, _)| path.ends_with(end))
        .map(|(_, action, on)| (*action, *on))
}

fn is_setting(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Should the store ask DynamoDB in another place, the table above must learn of it.
#[test]
fn the_store_asks_dynamodb_in_these_places_only() {
    let sources = Sources::get();
    let asks = sources.beneath("tandem_store::").flat_map(|(path, body)| {
        let asked = body
            .methods
            .iter()
            .filter(|(owner, _)| owner == "Client" && path.contains("::Store::"));
        asked.map(move |(_, method)| {
            format!("{} {method}", path.trim_start_matches("tandem_store::"))
        })
    });
    let expected = [
        "outbox::Store::due query",
        "page::Store::query query",
        "read::Store::read_chunk batch_get_item",
        "read::Store::connect get_item",
        "read::Store::get get_item",
        "transaction::Store::send transact_write_items",
    ];
    assert_eq!(asks.collect::<Vec<_>>(), expected);
    for (end, _, _) in ACTIONS {
        assert!(
            sources
                .beneath("tandem_store::")
                .any(|(path, _)| path.ends_with(end)),
            "{end} is gone"
        );
    }
}
