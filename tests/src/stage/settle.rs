//! Waiting for effects that follow an answer.

use std::fmt::Display;

use tokio::time::Instant;

use super::Stage;

impl dyn Stage {
    /// Repeats `check` until it succeeds; meanwhile the outstanding work goes on. `check` returns the difference as its error.
    ///
    /// # Panics
    /// The work is done, or the time is up, and `check` still fails.
    pub async fn settle<T, E: Display>(
        &self,
        description: &str,
        mut check: impl AsyncFnMut() -> Result<T, E>,
    ) -> T {
        let began = Instant::now();
        loop {
            let missing = match check().await {
                Ok(found) => return found,
                Err(missing) => missing,
            };
            if let Err(reason) = self.proceed(began).await {
                panic!("{description}: {reason}; the last check: {missing}");
            }
        }
    }
}
