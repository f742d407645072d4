//! What was handed over, and what came of it at the receivers.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Callbacks of one run by `webhook-id`.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<HashMap<String, Entry>>);

/// A callback as the receivers saw it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entry {
    /// Counts up within the run.
    pub number: usize,
    /// Which endpoint it goes to.
    pub endpoint: usize,
    /// When its record of the stream was handed to the relay.
    pub handed: Option<Instant>,
    /// When the first attempt arrived.
    pub first: Option<Instant>,
    /// When it was first answered with 2xx.
    pub taken: Option<Instant>,
    /// Attempts that arrived.
    pub attempts: u32,
    /// Attempts that arrived after one that had been answered with 2xx.
    pub again: u32,
}

impl Ledger {
    /// A callback will come.
    pub fn expect(&self, id: String, number: usize, endpoint: usize) {
        self.entries().insert(
            id,
            Entry {
                number,
                endpoint,
                ..Entry::default()
            },
        );
    }

    /// It may come from now on.
    pub fn handed(&self, id: &str) {
        if let Some(entry) = self.entries().get_mut(id) {
            entry.handed = Some(Instant::now());
        }
    }

    /// An attempt arrived; its callback, with this attempt counted. `None` if it is none of this run.
    pub fn arrived(&self, id: &str) -> Option<Entry> {
        let mut entries = self.entries();
        let entry = entries.get_mut(id)?;
        entry.attempts += 1;
        entry.again += u32::from(entry.taken.is_some());
        entry.first.get_or_insert_with(Instant::now);
        Some(*entry)
    }

    /// It was answered with 2xx.
    pub fn taken(&self, id: &str) {
        if let Some(entry) = self.entries().get_mut(id) {
            entry.taken.get_or_insert_with(Instant::now);
        }
    }

    /// Whether it was ever answered with 2xx.
    pub fn is_taken(&self, id: &str) -> bool {
        self.entries()
            .get(id)
            .is_some_and(|entry| entry.taken.is_some())
    }

    /// How many of some endpoints were not answered with 2xx.
    pub fn left(&self, of: impl Fn(usize) -> bool) -> usize {
        self.entries()
            .values()
            .filter(|entry| of(entry.endpoint) && entry.taken.is_none())
            .count()
    }

    /// The callbacks of some endpoints.
    pub fn of(&self, of: impl Fn(usize) -> bool) -> Vec<Entry> {
        self.entries()
            .values()
            .filter(|entry| of(entry.endpoint))
            .copied()
            .collect()
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// From the hand-over to the arrival of the first attempt.
    pub fn start_delay(&self) -> Option<Duration> {
        Some(self.first?.saturating_duration_since(self.handed?))
    }
}

/// The value below which so many of a hundred lie (nearest rank); zero if there are none.
pub fn percentile(mut values: Vec<Duration>, hundredths: usize) -> Duration {
    values.sort_unstable();
    let rank = (values.len() * hundredths).div_ceil(100);
    values
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_after_a_2xx_came_again_and_what_comes_before_did_not() {
        let ledger = Ledger::default();
        ledger.expect("cbk_1".to_owned(), 0, 3);
        let first = ledger.arrived("cbk_1").expect("expected");
        let second = ledger.arrived("cbk_1").expect("expected");
        ledger.taken("cbk_1");
        let third = ledger.arrived("cbk_1").expect("expected");
        assert_eq!([first.again, second.again, third.again], [0, 0, 1]);
        assert_eq!(
            (ledger.left(|endpoint| endpoint == 3), third.attempts),
            (0, 3)
        );
        assert!(ledger.arrived("cbk_2").is_none());
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let values: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(values.clone(), 50), Duration::from_millis(100));
        assert_eq!(percentile(values.clone(), 99), Duration::from_millis(198));
        assert_eq!(
            percentile(values[..1].to_vec(), 99),
            Duration::from_millis(1)
        );
        assert_eq!(percentile(Vec::new(), 99), Duration::ZERO);
    }
}
