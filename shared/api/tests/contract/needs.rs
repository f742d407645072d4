//! Derives the needs of a function from its code: actions on the table, and settings.

use std::collections::BTreeSet;

use crate::source::{Sources, crate_of};

/// Functions of the store that call DynamoDB, with the permission that each needs. IAM authorizes `TransactWriteItems` by the
/// actions of its items.
const ACTIONS: &[(&str, &str, &str)] = &[
    ("::Store::connect", "GetItem", "table"),
    ("::Store::get", "GetItem", "table"),
    ("::Store::read_rows", "BatchGetItem", "table"),
    ("::Store::due", "Query", "due"),
    ("::Store::sold_with_voucher", "Query", "voucher"),
    ("::Store::mark_swept", "UpdateItem", "table"),
    ("::List::table", "Query", "table"),
    ("::List::gsi1", "Query", "gsi1"),
    ("::List::gsi2", "Query", "gsi2"),
    ("::Transaction::create", "PutItem", "table"),
    ("::Transaction::create_over_expired", "PutItem", "table"),
    ("::Transaction::replace", "PutItem", "table"),
    (
        "::Transaction::remove_from_due_index",
        "UpdateItem",
        "table",
    ),
    ("::Transaction::delete", "DeleteItem", "table"),
    ("::Transaction::remove", "DeleteItem", "table"),
    ("::Transaction::require", "ConditionCheckItem", "table"),
    ("::Transaction::unchanged", "ConditionCheckItem", "table"),
];

#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// Actions on the table or an index of it: `("Query", "gsi1")`.
    pub(crate) table: BTreeSet<(String, String)>,
    /// Environment variables without which the function does not start.
    pub(crate) required: BTreeSet<String>,
    /// Optional environment variables that the function uses.
    pub(crate) optional: BTreeSet<String>,
}

impl Needs {
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
        // Every HTTP function reads the local targets at its start; only functions that check or call addresses use them.
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

/// If this fails, add the new place to `ACTIONS`.
#[test]
fn the_store_calls_dynamodb_in_known_places_only() {
    let sources = Sources::get();
    let calls = sources.beneath("tandem_store::").flat_map(|(path, body)| {
        let asked = body
            .methods
            .iter()
            .filter(|(owner, _)| owner == "Client" && path.contains("::Store::"))
            // The client's settings, which the store extends.
            .filter(|(_, method)| method != "config");
        asked.map(move |(_, method)| {
            format!("{} {method}", path.trim_start_matches("tandem_store::"))
        })
    });
    let expected = [
        "one_row::Store::put put_item",
        "outbox::Store::due query",
        "outbox::Store::mark_swept update_item",
        "page::Store::query query",
        "payout_sums::Store::entries_after query",
        "read::Store::connect get_item",
        "read::Store::get get_item",
        "read::Store::read_once batch_get_item",
        "transaction::Store::commit transact_write_items",
        "vouchers::Store::sold_with_voucher query",
    ];
    assert_eq!(calls.collect::<Vec<_>>(), expected);
    for (end, _, _) in ACTIONS {
        assert!(
            sources
                .beneath("tandem_store::")
                .any(|(path, _)| path.ends_with(end)),
            "{end} no longer exists"
        );
    }
}
