//! Pauses between repetitions that the SDK does not make itself: keys that DynamoDB left unprocessed.

use std::time::Duration;

use crate::Store;

/// The pauses of one call, as the client's retries have them: random, up to a limit that doubles with each.
pub(crate) struct Backoff {
    left: u32,
    limit: Duration,
    most: Duration,
}

impl Backoff {
    pub(crate) fn of(store: &Store) -> Self {
        let retries = store.client.config().retry_config();
        let (attempts, limit, most) = retries.map_or_else(
            || (1, Duration::ZERO, Duration::ZERO),
            |retries| {
                (
                    retries.max_attempts(),
                    retries.initial_backoff(),
                    retries.max_backoff(),
                )
            },
        );
        Self {
            left: attempts.saturating_sub(1),
            limit,
            most,
        }
    }

    /// Pauses before the next attempt; false, without a pause, if none is left.
    pub(crate) async fn pause(&mut self) -> bool {
        let Some(left) = self.left.checked_sub(1) else {
            return false;
        };
        let limit = self.limit.min(self.most);
        tokio::time::sleep(limit.mul_f64(fastrand::f64())).await;
        (self.left, self.limit) = (left, self.limit.saturating_mul(2));
        true
    }
}
