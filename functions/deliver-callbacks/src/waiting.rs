//! While an attempt waits for its answer: what that tells of its endpoint.

use tandem_domain::callback::Endpoint;
use tandem_domain::endpoint_health::EndpointHealth;
use tandem_store::{CommitError, StoreError, Transaction, endpoint_keys};

use crate::{MOST_TRIES, Worker};

impl Worker {
    /// Writes of an endpoint that it lets an attempt wait, unless that is known; answers how the endpoint is then, as far as this
    /// attempt knows: the record of the attempt looks at the version. What cannot be written is told by the next one that waits.
    pub(crate) async fn waited(&self, endpoint: Endpoint, mut health: Option<EndpointHealth>) -> Option<EndpointHealth> {
        for _ in 0..MOST_TRIES {
            let Some(after) = EndpointHealth::waited(health.as_ref(), endpoint, self.clock.now()) else { break };
            let (written, noted) = self.note(health.as_ref(), after).await;
            match written {
                Ok(()) => {
                    if let Some(until) = noted.paused_until() {
                        tracing::info!(%endpoint, %until, "an endpoint hangs and is paused");
                    }
                    return Some(noted);
                }
                // Another attempt was faster: what it wrote counts.
                Err(CommitError::Conflict(_)) => match self.store.get(&endpoint_keys::endpoint_health(endpoint)).await {
                    Ok(seen) => health = seen,
                    Err(error) => return unanswered(endpoint, &error, health),
                },
                // It may have been written: the record finds out.
                Err(CommitError::Store(error)) => return unanswered(endpoint, &error, Some(noted)),
            }
        }
        health
    }

    /// Writes it; what it is if it was written.
    async fn note(&self, before: Option<&EndpointHealth>, after: EndpointHealth) -> (Result<(), CommitError>, EndpointHealth) {
        let mut transaction = Transaction::default();
        let (written, version) = match before {
            None => (transaction.create(&after), after.version),
            Some(_) => (transaction.replace(&after), after.version + 1),
        };
        let written = match written {
            Ok(()) => self.store.commit(transaction).await,
            Err(error) => Err(error.into()),
        };
        (written, EndpointHealth { version, ..after })
    }
}

fn unanswered(endpoint: Endpoint, error: &StoreError, health: Option<EndpointHealth>) -> Option<EndpointHealth> {
    tracing::warn!(%endpoint, %error, "it may not have been noted that an attempt waits");
    health
}
