//! Names of lists. A row names the lists that it is in; a list names the partition and the index that hold its rows.

use std::fmt::Display;
use std::marker::PhantomData;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Index {
    Table,
    Gsi1,
    Gsi2,
}

/// A partition whose rows are of one type.
pub struct List<E> {
    pub(crate) index: Index,
    pub(crate) pk: String,
    /// The lowest sort key (inclusive).
    pub(crate) lower: String,
    /// The end of the sort keys (exclusive).
    pub(crate) upper: Option<String>,
    row: PhantomData<fn() -> E>,
}

impl<E> List<E> {
    pub(crate) fn gsi1(pk: impl Into<String>) -> Self {
        Self {
            index: Index::Gsi1,
            pk: pk.into(),
            lower: String::new(),
            upper: None,
            row: PhantomData,
        }
    }

    pub(crate) fn gsi2(pk: impl Into<String>) -> Self {
        Self {
            index: Index::Gsi2,
            ..Self::gsi1(pk)
        }
    }

    /// Rows of the table itself whose sort keys begin with a prefix that ends in an ASCII character.
    pub(crate) fn table(pk: impl Into<String>, prefix: &str) -> Self {
        let upper = prefix.char_indices().last().and_then(|(at, last)| {
            let next = char::from_u32(u32::from(last) + 1)?;
            Some(format!("{}{next}", &prefix[..at]))
        });
        Self {
            index: Index::Table,
            lower: prefix.to_owned(),
            upper,
            ..Self::gsi1(pk)
        }
    }

    /// Only rows with sort keys from `lower` (inclusive) and before `upper` (exclusive); ids sort by time.
    pub fn between(mut self, lower: Option<String>, upper: Option<String>) -> Self {
        if let Some(lower) = lower {
            self.lower = self.lower.max(lower);
        }
        if let Some(upper) = upper {
            self.upper = Some(self.upper.map_or(upper.clone(), |own| own.min(upper)));
        }
        self
    }
}

/// Partitions of the imported rows of a client: 8,000 write units a second for each list.
///
/// Source: "1,000 write units per second" for a partition, <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>
const PARTITIONS: u32 = 8;

/// A list whose imported rows are spread over several partitions.
///
/// A partition takes 1,000 write units a second, and an index that lags throttles the table itself. Sales arrive at the pace of
/// customers and share one partition. Imports arrive by the hundred thousand, so they are spread, and a read merges the partitions.
pub(crate) struct SpreadList<E> {
    name: String,
    row: PhantomData<fn() -> E>,
}

impl<E> SpreadList<E> {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            row: PhantomData,
        }
    }

    /// The partition of a row.
    pub(crate) fn partition(&self, id: impl Display, is_imported: bool) -> List<E> {
        if !is_imported {
            return List::gsi1(&self.name);
        }
        // The last digit of an id is random.
        let digit = id
            .to_string()
            .chars()
            .last()
            .and_then(|digit| digit.to_digit(16))
            .unwrap_or_default();
        self.imported(digit % PARTITIONS)
    }

    /// All partitions, to merge.
    pub(crate) fn partitions(&self) -> Vec<List<E>> {
        let imported = (0..PARTITIONS).map(|number| self.imported(number));
        std::iter::once(List::gsi1(&self.name))
            .chain(imported)
            .collect()
    }

    fn imported(&self, number: u32) -> List<E> {
        List::gsi1(format!("{}#{number}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imported_rows_are_spread_evenly_and_sales_stay_together() {
        let list = SpreadList::<()>::new("cli#orders".to_owned());
        let mut rows = [0; PARTITIONS as usize];
        for id in 0..=0xff_u8 {
            let at = list.partition(format!("ord_{id:02x}"), true).pk;
            let number: usize = at
                .strip_prefix("cli#orders#")
                .expect("a number")
                .parse()
                .expect("a number");
            rows[number] += 1;
        }
        assert_eq!(rows, [32; PARTITIONS as usize]);
        assert_eq!(list.partition("ord_01", false).pk, "cli#orders");
        assert_eq!(list.partitions().len(), rows.len() + 1);
    }
}
