//! The time, so that tests can move it.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp, Unit};

/// Tells the time, to the millisecond.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<Mutex<Timestamp>>>);

impl Clock {
    /// A clock that stands at a time until it is moved.
    pub fn standing_at(time: Timestamp) -> Self {
        Self(Some(Arc::new(Mutex::new(time))))
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        let time = match &self.0 {
            None => Timestamp::now(),
            Some(standing) => *standing.lock().unwrap_or_else(PoisonError::into_inner),
        };
        time.round(
            jiff::TimestampRound::new()
                .smallest(Unit::Millisecond)
                .mode(jiff::RoundMode::Floor),
        )
        .unwrap_or(time)
    }

    /// Moves a standing clock; the system's clock stays as it is.
    pub fn advance(&self, by: SignedDuration) {
        if let Some(standing) = &self.0 {
            let mut time = standing.lock().unwrap_or_else(PoisonError::into_inner);
            *time = time.saturating_add(by).unwrap_or(Timestamp::MAX);
        }
    }
}
