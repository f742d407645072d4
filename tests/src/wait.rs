//! Waiting for what happens after the answer.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long anything may take. What the stream loses comes with the sweep of the next minute, so two of them.
const LONGEST: Duration = Duration::from_secs(150);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Looks until there is something, and gives it. `look` says what is still missing.
///
/// # Panics
/// It does not happen in time; the message says what was awaited and what the last look saw.
pub async fn eventually<T, E: Display>(
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let began = Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(missing) if began.elapsed() > LONGEST => {
                panic!(
                    "{what}: not within {} s; at last: {missing}",
                    LONGEST.as_secs()
                )
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}
