//! Lists whose rows an import writes faster than one partition of an index takes them.
//!
//! A partition takes 1,000 write units a second, and an index that lags throttles the table itself. What is sold comes at the
//! pace of customers and lies together. What is imported comes by the hundred thousand, so it is spread, and a list merges.

use std::fmt::Display;

use crate::page::Collection;

/// Partitions of what a client imported: 8,000 write units a second for each list.
///
/// Source: "1,000 write units per second" for a partition, <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>
const PARTITIONS: u32 = 8;

/// The partition of a row in the list `list`. The last digit of an id is random.
pub(crate) fn partition(list: &str, id: impl Display, imported: bool) -> String {
    let digit = id
        .to_string()
        .chars()
        .last()
        .and_then(|digit| digit.to_digit(16))
        .unwrap_or_default();
    if imported {
        format!("{list}#{}", digit % PARTITIONS)
    } else {
        list.to_owned()
    }
}

/// All partitions of a list, to be merged.
pub(crate) fn partitions<E>(list: &str) -> Vec<Collection<E>> {
    let imported = (0..PARTITIONS).map(|number| format!("{list}#{number}"));
    std::iter::once(list.to_owned())
        .chain(imported)
        .map(Collection::gsi1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_imported_is_spread_evenly_and_what_is_sold_stays_together() {
        let mut rows = [0; PARTITIONS as usize];
        for id in 0..=0xff_u8 {
            let at = partition("cli#orders", format!("ord_{id:02x}"), true);
            let number: usize = at
                .strip_prefix("cli#orders#")
                .expect("a number")
                .parse()
                .expect("a number");
            rows[number] += 1;
        }
        assert_eq!(rows, [32; PARTITIONS as usize]);
        assert_eq!(partition("cli#orders", "ord_01", false), "cli#orders");
        assert_eq!(partitions::<()>("cli#orders").len(), rows.len() + 1);
    }
}
