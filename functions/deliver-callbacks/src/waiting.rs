//! While an attempt waits for its answer: what that tells of its endpoint.

use tandem_domain::callback::Endpoint;
use tandem_domain::endpoint_health::EndpointHealth;
use tandem_store::{CommitError, StoreError, Transaction};

use crate::Worker;
use crate::known::Known;

/// How often it is tried to write that an attempt waits, where others are faster: those say the same, and the record of an attempt
/// that is answered meanwhile is not to wait long.
const MOST_NOTES: usize = 3;

impl Worker {
    /// Writes of an endpoint that it lets an attempt wait, unless that is known; answers how the endpoint is then, as far as this
    /// attempt knows: the record of the attempt looks at the version. What cannot be written is told by the next one that waits.
    pub(crate) async fn waited(&self, endpoint: Endpoint, mut known: Known) -> Known {
        for _ in 0..MOST_NOTES {
            let after = EndpointHealth::waited(known.health.as_ref(), endpoint, self.clock.now());
            let Some(after) = after.filter(|_| !known.has_moved()) else {
                break;
            };
            match self.note(&known, &after).await {
                Ok(()) => {
                    if let Some(until) = after.paused_until() {
                        tracing::info!(%endpoint, %until, "an endpoint hangs and is paused");
                    }
                    return known.written(after);
                }
                // Another attempt was faster: what it wrote counts.
                Err(CommitError::Conflict(_)) => match self.look_again(known.clone()).await {
                    Ok(seen) => known = seen,
                    Err(error) => return unanswered(endpoint, &error, known),
                },
                // It may have been written: the record finds out.
                Err(CommitError::Store(error)) => {
                    return unanswered(endpoint, &error, known.written(after));
                }
            }
        }
        known
    }

    async fn note(&self, known: &Known, after: &EndpointHealth) -> Result<(), CommitError> {
        let mut transaction = Transaction::default();
        known.write(after, &mut transaction)?;
        self.store.commit(transaction).await
    }
}

fn unanswered(endpoint: Endpoint, error: &StoreError, known: Known) -> Known {
    tracing::warn!(%endpoint, %error, "it may not have been noted that an attempt waits");
    known
}
