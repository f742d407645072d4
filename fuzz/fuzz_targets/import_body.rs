//! Bodies of imports: an accepted body respects the bounds and survives a round trip; a rejected body has a field error.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tandem_domain::import::MAX_ITEMS;
use tandem_domain::import::item::{ImportItem, parse_items};
use tandem_domain::json;

fuzz_target!(|bytes: &[u8]| {
    let Ok(body) = json::parse(bytes) else { return };
    assert_eq!(
        serde_json::from_slice::<Value>(bytes).expect("it was read before"),
        body
    );
    match parse_items(&body) {
        Ok(items) => taken(&items),
        Err(errors) => {
            assert!(!errors.0.is_empty());
            assert!(
                errors
                    .0
                    .iter()
                    .all(|error| !error.code.is_empty() && !error.detail.is_empty())
            );
        }
    }
});

fn taken(items: &[ImportItem]) {
    assert!((1..=MAX_ITEMS).contains(&items.len()));
    let ids: HashSet<&str> = items
        .iter()
        .map(|item| item.external_system_id.as_str())
        .collect();
    assert_eq!(ids.len(), items.len(), "one item for each externalSystemId");
    for item in items {
        assert!((1..=10_000).contains(&item.members.quantity));
        assert!(!item.external_system_id.as_str().trim().is_empty());
        let stored = serde_json::to_string(item).expect("written");
        assert_eq!(
            &serde_json::from_str::<ImportItem>(&stored).expect("read"),
            item,
            "{stored}"
        );
    }
}
