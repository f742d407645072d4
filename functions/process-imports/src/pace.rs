//! How many items a worker writes at the same time. Workers do not know each other, but they share the table, so each adapts to
//! its throttling: a throttled write halves the number, and writes without throttling raise it again, one by one.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tandem_store::Store;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The writes under way of one worker, over all chunks of its batch, while the table is not throttled. A test holds
/// `ImportConcurrency` times this number to the capacity of a new table.
pub const MOST_WRITES: usize = 3;
/// Items written without throttling before one more is written at the same time.
const RECOVERY: usize = 25;

/// Clones share the number.
#[derive(Debug, Clone)]
pub struct Pace(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    permits: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// Permits to withhold once they are returned.
    excess: usize,
    /// Writes without throttling since the limit changed.
    unthrottled: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self(Arc::new(Shared {
            permits: Semaphore::new(MOST_WRITES),
            state: Mutex::new(State {
                limit: MOST_WRITES,
                excess: 0,
                unthrottled: 0,
            }),
        }))
    }
}

impl Pace {
    /// The number of writes that may be under way now.
    pub fn limit(&self) -> usize {
        self.state().limit
    }

    /// Waits for its turn, then runs a write.
    pub(crate) async fn run<T>(&self, store: &Store, write: impl Future<Output = T>) -> T {
        let permit = self.0.permits.acquire().await.expect("never closed");
        let before = store.throttled();
        let written = write.await;
        self.settle(permit, store.throttled() > before);
        written
    }

    fn settle(&self, permit: SemaphorePermit<'_>, throttled: bool) {
        let mut state = self.state();
        if throttled {
            let less = (state.limit / 2).max(1);
            state.excess += state.limit - less;
            (state.limit, state.unthrottled) = (less, 0);
        } else if state.limit < MOST_WRITES {
            state.unthrottled += 1;
            if state.unthrottled == RECOVERY {
                (state.limit, state.unthrottled) = (state.limit + 1, 0);
                match state.excess.checked_sub(1) {
                    Some(excess) => state.excess = excess,
                    None => self.0.permits.add_permits(1),
                }
            }
        }
        if let Some(excess) = state.excess.checked_sub(1) {
            state.excess = excess;
            permit.forget();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
