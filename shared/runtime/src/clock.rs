//! The current time, as a value that tests can control.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp, Unit};

/// The system's clock, or a fixed one. Millisecond precision.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<Mutex<Timestamp>>>);

impl Clock {
    /// A clock that shows `time` until it is advanced. Clones share it.
    pub fn fixed_at(time: Timestamp) -> Self {
        Self(Some(Arc::new(Mutex::new(time))))
    }

    pub fn now(&self) -> Timestamp {
        let time = match &self.0 {
            None => Timestamp::now(),
            Some(fixed) => *fixed.lock().unwrap_or_else(PoisonError::into_inner),
        };
        time.round(
            jiff::TimestampRound::new()
                .smallest(Unit::Millisecond)
                .mode(jiff::RoundMode::Floor),
        )
        .unwrap_or(time)
    }

    /// Advances a fixed clock; has no effect on the system's clock.
    pub fn advance(&self, by: SignedDuration) {
        if let Some(fixed) = &self.0 {
            let mut time = fixed.lock().unwrap_or_else(PoisonError::into_inner);
            *time = time.saturating_add(by).unwrap_or(Timestamp::MAX);
        }
    }
}
