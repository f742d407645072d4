//! Decides whether a due callback is attempted now, and writes the lease or the postponement.

use tandem_domain::Timestamp;
use tandem_domain::callback::Callback;
use tandem_domain::customer::Customer;
use tandem_runtime::callback_body;
use tandem_sealing::Sealer;
use tandem_store::{Key, Prefetched, TooManyConflicts, Transaction, keys};

use crate::admission::Decision;
use crate::endpoint::EndpointSnapshot;
use crate::invocation::Invocation;
use crate::{Worker, cut_off, random};

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
        invocation: &Invocation<'_>,
        callback: Callback,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let Worker {
            store, schedule, ..
        } = invocation.worker;
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
            let (endpoint, personal_sealer) = match conflict {
                None => load(invocation, &callback).await?,
                // Another worker has leased the callback.
                Some(conflict) if conflict.concerns(&key) => {
                    return Ok((Transaction::default(), Self::None));
                }
                // The endpoint's health has changed.
                Some(_) => load_again(invocation.worker, &callback).await?,
            };
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

type Loaded = (Option<EndpointSnapshot>, Option<Sealer>);

/// The endpoint (`None` if it was removed) and the customer's key (`None` if there is no customer), if possible without a read.
async fn load(invocation: &Invocation<'_>, callback: &Callback) -> anyhow::Result<Loaded> {
    let Invocation { worker, rows, .. } = invocation;
    let may_use_cache = Invocation::may_use_cache(callback);
    let known = worker
        .endpoints
        .get(callback.endpoint())
        .filter(|_| may_use_cache);
    if let Some(endpoint) = known {
        let customer = rows.load(&worker.store, customer_of(callback)).await?;
        return Ok((Some(endpoint), personal(worker, customer)?));
    }
    let (endpoint, customer) = EndpointSnapshot::load(
        &worker.store,
        rows,
        callback.endpoint(),
        customer_of(callback),
    )
    .await?;
    if let Some(endpoint) = endpoint.as_ref().filter(|_| may_use_cache) {
        worker.endpoints.keep(endpoint, invocation.read_at);
    }
    Ok((endpoint, personal(worker, customer)?))
}

/// Reads the same rows again.
async fn load_again(worker: &Worker, callback: &Callback) -> anyhow::Result<Loaded> {
    worker.endpoints.forget(callback.endpoint());
    let (endpoint, customer) = EndpointSnapshot::load(
        &worker.store,
        &Prefetched::default(),
        callback.endpoint(),
        customer_of(callback),
    )
    .await?;
    Ok((endpoint, personal(worker, customer)?))
}

fn customer_of(callback: &Callback) -> Option<Key<Customer>> {
    let concerned = callback.concerned?;
    Some(keys::customer(concerned.company_id, concerned.customer_id))
}

fn personal(worker: &Worker, customer: Option<Customer>) -> anyhow::Result<Option<Sealer>> {
    let personal = customer.map(|customer| callback_body::personal(&worker.sealer, &customer));
    Ok(personal.transpose()?)
}
