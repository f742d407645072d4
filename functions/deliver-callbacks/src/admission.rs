//! Decides whether a due callback is attempted, postponed or held, from the state of its endpoint.
//!
//! The callbacks of a paused endpoint are postponed by one read and one write, without a call, so that a failing endpoint
//! does not take time from the others. When the pause is over, one callback probes the endpoint; a conditional write
//! selects it.

use tandem_domain::Timestamp;
use tandem_domain::callback::{Attempt, Callback, CallbackState, EventType};
use tandem_domain::endpoint_health::{Admission, EndpointHealth};
use tandem_domain::request_id::RequestId;
use tandem_store::Transaction;

use crate::endpoint::EndpointSnapshot;
use crate::{cut_off, random};

/// The rows to write for a due callback.
pub(crate) struct Decision {
    pub(crate) callback: Callback,
    /// The endpoint's health, if this callback is its probe.
    probing: Option<EndpointHealth>,
    /// The endpoint to call; `None` if the callback is postponed or held.
    pub(crate) endpoint: Option<EndpointSnapshot>,
}

impl Decision {
    /// `begun` is the callback as it is in flight.
    pub(crate) fn new(
        callback: &Callback,
        begun: &Callback,
        endpoint: Option<EndpointSnapshot>,
        now: Timestamp,
    ) -> Self {
        let wait = |callback| Self {
            callback,
            probing: None,
            endpoint: None,
        };
        let attempt = |endpoint, probing| Self {
            callback: begun.clone(),
            probing,
            endpoint: Some(endpoint),
        };
        let Some(endpoint) = endpoint else {
            return wait(callback.clone().hold(now));
        };
        // The first attempt of a test, which a person waits for, ignores the circuit.
        let is_test = callback.event == EventType::ConnectionTest
            && matches!(begun.state, CallbackState::InFlight { step: 0, .. });
        match EndpointHealth::admit(endpoint.health.as_ref(), callback.id, is_test, now) {
            Admission::Attempt => attempt(endpoint, None),
            Admission::Probe(probing) => {
                attempt(endpoint.with_written(probing.clone()), Some(probing))
            }
            Admission::NotBefore(until) => {
                let due_at = endpoint.health.map_or(until, |health| {
                    health.postponed_until(until, random::per_mille(), now)
                });
                wait(callback.clone().postpone(due_at, now))
            }
            Admission::Disabled => {
                tracing::info!(
                    callback = %callback.id,
                    request = callback.request.as_ref().map(RequestId::as_str),
                    endpoint = %callback.endpoint(),
                    "the callback is held because its endpoint is disabled"
                );
                wait(callback.clone().hold(now))
            }
        }
    }

    /// The rows, with the attempt of a worker that died.
    pub(crate) fn transaction(
        &mut self,
        dead_attempt: Option<Attempt>,
    ) -> anyhow::Result<Transaction> {
        let mut transaction = Transaction::default();
        cut_off::write(&mut transaction, &mut self.callback, dead_attempt)?;
        if let Some(probing) = &self.probing {
            transaction.replace(probing)?;
        }
        Ok(transaction)
    }
}
