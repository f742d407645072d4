//! The times of attempts.

use jiff::SignedDuration;

/// The wait before each attempt; the first is usually 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySchedule(Vec<SignedDuration>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a retry schedule is a comma-separated list of whole seconds, e.g. 0,5,300")]
pub struct InvalidSchedule;

impl Default for RetrySchedule {
    /// Standard Webhooks 1.0: 10 attempts over about 75 hours.
    fn default() -> Self {
        Self(
            [
                0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
            ]
            .map(SignedDuration::from_secs)
            .to_vec(),
        )
    }
}

impl std::str::FromStr for RetrySchedule {
    type Err = InvalidSchedule;

    fn from_str(text: &str) -> Result<Self, InvalidSchedule> {
        let seconds = text
            .split(',')
            .map(|part| part.trim().parse::<u32>())
            .collect::<Result<Vec<_>, _>>();
        let seconds = seconds.map_err(|_| InvalidSchedule)?;
        Ok(Self(
            seconds
                .into_iter()
                .map(|s| SignedDuration::from_secs(i64::from(s)))
                .collect(),
        ))
    }
}

impl RetrySchedule {
    /// The wait after `attempts` failed ones; `None` after the last. `jitter` (0 to 1,000 thousandths) adds up to a tenth, so that
    /// callbacks that failed together are not retried together.
    pub fn wait_after(&self, attempts: u32, jitter: u16) -> Option<SignedDuration> {
        let wait = *self.0.get(usize::try_from(attempts).ok()?)?;
        let longer = wait.as_millis() * i128::from(jitter.min(1_000)) / 10_000;
        Some(wait + SignedDuration::from_millis(i64::try_from(longer).unwrap_or(0)))
    }
}
