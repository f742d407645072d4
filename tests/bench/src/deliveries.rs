//! The callbacks of a run, and their attempts as the receivers saw them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// By `webhook-id`.
#[derive(Debug, Default)]
pub struct Deliveries(Mutex<HashMap<String, Delivery>>);

#[derive(Debug, Clone, Copy, Default)]
pub struct Delivery {
    /// Counts up within the run.
    pub number: usize,
    pub endpoint: usize,
    /// When the relay got its stream record.
    pub relayed: Option<Instant>,
    pub first_attempt: Option<Instant>,
    /// When the receiver first answered 2xx.
    pub accepted: Option<Instant>,
    pub attempts: u32,
    /// Attempts after a 2xx answer.
    pub duplicates: u32,
}

impl Deliveries {
    pub fn expect(&self, id: String, number: usize, endpoint: usize) {
        self.deliveries().insert(
            id,
            Delivery {
                number,
                endpoint,
                ..Delivery::default()
            },
        );
    }

    pub fn relayed(&self, id: &str) {
        if let Some(delivery) = self.deliveries().get_mut(id) {
            delivery.relayed = Some(Instant::now());
        }
    }

    /// Counts an attempt and returns its callback; `None` if the callback is not part of this run.
    pub fn attempted(&self, id: &str) -> Option<Delivery> {
        let mut deliveries = self.deliveries();
        let delivery = deliveries.get_mut(id)?;
        delivery.attempts += 1;
        delivery.duplicates += u32::from(delivery.accepted.is_some());
        delivery.first_attempt.get_or_insert_with(Instant::now);
        Some(*delivery)
    }

    /// The receiver answered 2xx.
    pub fn accepted(&self, id: &str) {
        if let Some(delivery) = self.deliveries().get_mut(id) {
            delivery.accepted.get_or_insert_with(Instant::now);
        }
    }

    pub fn is_accepted(&self, id: &str) -> bool {
        self.deliveries()
            .get(id)
            .is_some_and(|delivery| delivery.accepted.is_some())
    }

    /// The number of callbacks to the selected endpoints without a 2xx answer.
    pub fn open(&self, selects: impl Fn(usize) -> bool) -> usize {
        self.deliveries()
            .values()
            .filter(|delivery| selects(delivery.endpoint) && delivery.accepted.is_none())
            .count()
    }

    /// The callbacks to the selected endpoints.
    pub fn of(&self, selects: impl Fn(usize) -> bool) -> Vec<Delivery> {
        self.deliveries()
            .values()
            .filter(|delivery| selects(delivery.endpoint))
            .copied()
            .collect()
    }

    fn deliveries(&self) -> MutexGuard<'_, HashMap<String, Delivery>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Delivery {
    /// From the stream record to the first attempt.
    pub fn start_delay(&self) -> Option<Duration> {
        Some(self.first_attempt?.saturating_duration_since(self.relayed?))
    }
}

/// The percentile by nearest rank; zero without values.
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
    fn only_attempts_after_a_2xx_are_duplicates() {
        let deliveries = Deliveries::default();
        deliveries.expect("cbk_1".to_owned(), 0, 3);
        let first = deliveries.attempted("cbk_1").expect("expected");
        let second = deliveries.attempted("cbk_1").expect("expected");
        deliveries.accepted("cbk_1");
        let third = deliveries.attempted("cbk_1").expect("expected");
        assert_eq!(
            [first.duplicates, second.duplicates, third.duplicates],
            [0, 0, 1]
        );
        assert_eq!(
            (deliveries.open(|endpoint| endpoint == 3), third.attempts),
            (0, 3)
        );
        assert!(deliveries.attempted("cbk_2").is_none());
    }

    #[test]
    fn a_percentile_is_a_measured_value() {
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
