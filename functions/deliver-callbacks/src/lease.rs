//! Decides whether a due callback is attempted now, and writes the lease or the postponement.

use tandem_domain::Timestamp;
use tandem_domain::callback::{Callback, RetrySchedule};
use tandem_runtime::callback_body;
use tandem_sealing::Sealer;
use tandem_store::{Store, TooManyConflicts, Transaction, keys};

use crate::admission::Decision;
use crate::endpoint::EndpointSnapshot;
use crate::{cut_off, random};

/// Attempts to write the lease while others change the endpoint's health. About five failures open the circuit; after
/// that only the probe writes the row.
const LEASE_ATTEMPTS: usize = 12;

pub(crate) enum Lease {
    /// This worker attempts the callback.
    Taken(Box<Leased>),
    /// The callback is not due, another worker has it, or it waits for its endpoint.
    None,
}

/// A callback that only this worker attempts.
pub(crate) struct Leased {
    pub(crate) callback: Callback,
    /// Opens the customer's part of the body; `None` if there is none or the customer was erased.
    pub(crate) personal_sealer: Option<Sealer>,
    pub(crate) endpoint: EndpointSnapshot,
}

impl Lease {
    /// Leases a due callback if its endpoint admits it, else postpones or holds the callback.
    pub(crate) async fn take(
        store: &Store,
        sealer: &Sealer,
        schedule: &RetrySchedule,
        callback: Callback,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let (callback, dead_attempt) = match callback.cut_off(schedule, random::per_mille(), now) {
            Some((callback, attempt)) => (callback, Some(attempt)),
            None => (callback, None),
        };
        let Some(begun) = callback.clone().begin(now) else {
            if let Some(attempt) = dead_attempt {
                cut_off::record(store, callback, attempt).await?;
            }
            return Ok(Self::None);
        };
        let key = keys::callback(callback.client_id, callback.id);
        let lease = store.until_committed(LEASE_ATTEMPTS, async |conflict| {
            if conflict.is_some_and(|conflict| conflict.concerns(&key)) {
                // Another worker has leased the callback.
                return Ok((Transaction::default(), Self::None));
            }
            // Read again after a conflict, because the endpoint's health has changed.
            let (endpoint, personal_sealer) = load(store, sealer, &callback).await?;
            let mut decision = Decision::new(&callback, &begun, endpoint, now);
            let transaction = decision.transaction(dead_attempt.clone())?;
            Ok((transaction, Self::after_commit(decision, personal_sealer)))
        });
        match lease.await {
            Err(error) if anyhow::Error::is::<TooManyConflicts>(&error) => {
                tracing::warn!(callback = %callback.id, "the endpoint is busy; the callback is left to the sweep");
                Ok(Self::None)
            }
            lease => lease,
        }
    }

    fn after_commit(decision: Decision, personal_sealer: Option<Sealer>) -> Self {
        let Some(endpoint) = decision.endpoint else {
            return Self::None;
        };
        let callback = Callback {
            version: decision.callback.version + 1,
            ..decision.callback
        };
        Self::Taken(Box::new(Leased {
            callback,
            personal_sealer,
            endpoint,
        }))
    }
}

/// Loads the endpoint (`None` if it was removed) and the customer's key (`None` if there is no customer) in one read.
async fn load(
    store: &Store,
    sealer: &Sealer,
    callback: &Callback,
) -> anyhow::Result<(Option<EndpointSnapshot>, Option<Sealer>)> {
    let customer = callback
        .concerned
        .map(|concerned| keys::customer(concerned.company_id, concerned.customer_id));
    let (endpoint, customer) = EndpointSnapshot::load(store, callback.endpoint(), customer).await?;
    let personal_sealer = customer
        .map(|customer| callback_body::personal(sealer, &customer))
        .transpose()?;
    Ok((endpoint, personal_sealer))
}
