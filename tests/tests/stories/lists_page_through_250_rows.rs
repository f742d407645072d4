//! Lists page through 250 rows: each row once, newest first, for each page size, with and without filters.

mod offers_and_carts;
mod operator;
mod partners;
mod sales;

use std::collections::BTreeSet;

use serde_json::Value;
use tandem_tests::{Api, id};

/// Sizes of a page: the largest, and one that does not divide the rows.
const LIMITS: [usize; 2] = [100, 37];

/// All entries of a list, page by page.
async fn walk(api: &Api, path: &str, limit: usize) -> Vec<Value> {
    let joint = if path.contains('?') { '&' } else { '?' };
    let (mut entries, mut cursor) = (Vec::new(), String::new());
    for _ in 0..1_000 {
        let page = api
            .get(&format!("{path}{joint}limit={limit}{cursor}"))
            .await
            .ok();
        let items = page["items"].as_array().expect("items");
        assert!(
            items.len() <= limit,
            "{path}: {} entries on a page of {limit}",
            items.len()
        );
        entries.extend(items.iter().cloned());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return entries,
        }
    }
    panic!("{path} does not come to an end");
}

fn ids(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(id).collect()
}

/// The whole list, equal for each page size: each entry once, newest first. Ids sort by time.
async fn all(api: &Api, path: &str) -> Vec<Value> {
    let [by_hundred, by_less] = [
        walk(api, path, LIMITS[0]).await,
        walk(api, path, LIMITS[1]).await,
    ];
    assert_eq!(ids(&by_hundred), ids(&by_less), "{path}");
    let ordered = ids(&by_hundred);
    assert!(
        ordered.windows(2).all(|two| two[0] > two[1]),
        "{path} repeats an entry, or is not in order: {ordered:?}"
    );
    by_hundred
}

/// Asserts that a list has exactly these entries.
#[track_caller]
fn same<'a>(list: &'a [Value], expected: impl IntoIterator<Item = &'a Value>) {
    let (found, expected): (BTreeSet<&str>, BTreeSet<&str>) = (
        list.iter().map(id).collect(),
        expected.into_iter().map(id).collect(),
    );
    let (missing, unexpected) = (expected.difference(&found), found.difference(&expected));
    assert_eq!(
        found,
        expected,
        "missing: {:?}; unexpected: {:?}",
        missing.collect::<Vec<_>>(),
        unexpected.collect::<Vec<_>>()
    );
}

/// Asserts that a filtered list has the `count` matching entries of the whole list in the same order.
async fn filtered(
    api: &Api,
    path: &str,
    whole: &[Value],
    count: usize,
    fits: impl Fn(&Value) -> bool,
) {
    let expected: Vec<&str> = whole.iter().filter(|entry| fits(entry)).map(id).collect();
    assert_eq!(expected.len(), count, "{path}: the expected count is wrong");
    let limit = if count > 100 { LIMITS[1] } else { 9 };
    assert_eq!(ids(&walk(api, path, limit).await), expected, "{path}");
}
