//! Names of lists. A row names the lists that it is in; a list names the partitions and the index that hold its rows.

use std::marker::PhantomData;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Index {
    Table,
    Gsi1,
    Gsi2,
}

/// Partitions of a list that is spread: 8,000 new rows a second.
///
/// Source: "1,000 write units per second" for a partition, <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>
pub(crate) const PARTITIONS: u32 = 8;

/// Rows of one type, sorted by a sort key, which is mostly their id.
pub struct List<E> {
    pub(crate) index: Index,
    /// The partition, or its beginning if the list is spread.
    name: String,
    is_spread: bool,
    /// The lowest sort key (inclusive).
    pub(crate) lower: String,
    /// The end of the sort keys (exclusive).
    pub(crate) upper: Option<String>,
    row: PhantomData<fn() -> E>,
}

impl<E> List<E> {
    pub(crate) fn gsi1(name: impl Into<String>) -> Self {
        Self {
            index: Index::Gsi1,
            name: name.into(),
            is_spread: false,
            lower: String::new(),
            upper: None,
            row: PhantomData,
        }
    }

    pub(crate) fn gsi2(name: impl Into<String>) -> Self {
        Self {
            index: Index::Gsi2,
            ..Self::gsi1(name)
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

    /// Spreads the rows over [`PARTITIONS`] partitions, for lists that sales or imports write. A partition takes 1,000 write units
    /// a second, and an index that lags throttles the table itself. A read merges the partitions.
    pub(crate) fn spread(self) -> Self {
        Self {
            is_spread: true,
            ..self
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

    /// The partition of a row: by the last digit of its id, which is random.
    pub(crate) fn partition_of(&self, sort: &str) -> String {
        if !self.is_spread {
            return self.name.clone();
        }
        let digit = sort.chars().last().and_then(|digit| digit.to_digit(16));
        self.partition(digit.unwrap_or_default() % PARTITIONS)
    }

    pub(crate) fn partitions(&self) -> Vec<String> {
        if self.is_spread {
            (0..PARTITIONS)
                .map(|number| self.partition(number))
                .collect()
        } else {
            vec![self.name.clone()]
        }
    }

    fn partition(&self, number: u32) -> String {
        format!("{}#{number}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_list_has_its_rows_in_all_partitions_alike() {
        let list = List::<()>::gsi1("cli#orders").spread();
        let partitions = list.partitions();
        let mut rows = [0; PARTITIONS as usize];
        for id in 0..=0xff_u8 {
            let of_row = list.partition_of(&format!("ord_{id:02x}"));
            let number = partitions.iter().position(|name| *name == of_row);
            rows[number.expect("a partition of the list")] += 1;
        }
        assert_eq!(rows, [32; PARTITIONS as usize]);
    }
}
