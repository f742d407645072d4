//! Marks an endpoint as slow while an attempt still waits for its answer, so that an endpoint that hangs is paused before
//! the first attempt times out.

use std::pin::pin;
use std::time::Duration;

use tandem_domain::endpoint_health::EndpointHealth;
use tandem_runtime::Clock;
use tandem_runtime::metrics::Metric;
use tandem_store::{CommitError, Store, StoreError, Transaction};
use tandem_webhooks::Reply;
use tokio::join;
use tokio::time::timeout;

use crate::circuit;
use crate::endpoint::EndpointSnapshot;

/// Attempts to write the note while others change the row. The winners write the same note, and the attempt's record must not wait
/// long for it.
const NOTE_ATTEMPTS: usize = 3;

/// Waits for the reply. If it takes longer than `slow_after`, notes that meanwhile. Returns the endpoint as last read or
/// written.
pub(crate) async fn note_if_slow(
    call: impl Future<Output = Reply>,
    slow_after: Duration,
    store: &Store,
    clock: &Clock,
    endpoint: EndpointSnapshot,
) -> (Reply, EndpointSnapshot) {
    let mut call = pin!(call);
    match timeout(slow_after, &mut call).await {
        Ok(reply) => (reply, endpoint),
        Err(_) => join!(call, note_slow(store, clock, endpoint)),
    }
}

/// Counts a slow answer in the endpoint's health, unless the circuit is open already. A failure is not retried: the next
/// slow attempt writes the note.
async fn note_slow(
    store: &Store,
    clock: &Clock,
    mut snapshot: EndpointSnapshot,
) -> EndpointSnapshot {
    let endpoint = snapshot.endpoint();
    // Not `until_committed`: the snapshot is also returned when the note fails.
    for _ in 0..NOTE_ATTEMPTS {
        if snapshot.has_moved() {
            break;
        }
        let health = EndpointHealth::after_slow(snapshot.health.as_ref(), endpoint, clock.now());
        let Some(health) = health else {
            break;
        };
        match write(store, &snapshot, &health).await {
            Ok(()) => {
                if let Some(until) = health.paused_until() {
                    tracing::info!(%endpoint, %until, "an endpoint hangs and is paused");
                    circuit::count(Some(Metric::EndpointsPaused), clock.now());
                }
                return snapshot.with_written(health);
            }
            // Another attempt changed the row first.
            Err(CommitError::Conflict(_)) => match snapshot.clone().reload(store).await {
                Ok(current) => snapshot = current,
                Err(error) => {
                    warn(&snapshot, &error);
                    return snapshot;
                }
            },
            // The note may have been written. The record notices if it was not.
            Err(CommitError::Store(error)) => {
                warn(&snapshot, &error);
                return snapshot.with_written(health);
            }
        }
    }
    snapshot
}

async fn write(
    store: &Store,
    snapshot: &EndpointSnapshot,
    health: &EndpointHealth,
) -> Result<(), CommitError> {
    let mut transaction = Transaction::default();
    snapshot.write_health(health, &mut transaction)?;
    store.commit(transaction).await
}

fn warn(snapshot: &EndpointSnapshot, error: &StoreError) {
    tracing::warn!(endpoint = %snapshot.endpoint(), %error, "a slow answer may not have been noted");
}
