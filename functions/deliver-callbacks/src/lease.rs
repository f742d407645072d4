//! Before an attempt: what its endpoint allows, and the lease.

use tandem_domain::Timestamp;
use tandem_domain::callback::{Attempt, Callback, CallbackState, EventType};
use tandem_domain::endpoint_health::{Admission, EndpointHealth};
use tandem_domain::mail::MailKind;
use tandem_runtime::callback_body;
use tandem_sealing::Sealer;
use tandem_store::rows::AttemptRow;
use tandem_store::{CommitError, Transaction, keys};

use crate::attempt::write_mails;
use crate::known::Known;
use crate::{MOST_TRIES, Worker, chance};

/// What becomes of a callback that a message names.
pub(crate) enum Lease {
    /// This worker attempts it.
    Ours(Box<Leased>),
    /// It waits for its endpoint.
    PutOff(Box<Callback>),
    /// This worker has nothing more to do with it.
    Nothing,
}

/// A callback that this worker alone attempts.
pub(crate) struct Leased {
    /// In flight.
    pub(crate) callback: Callback,
    /// What opens the part that tells of a person; `None` if there is none or the person was erased.
    pub(crate) person: Option<Sealer>,
    /// The endpoint as it is now.
    pub(crate) known: Known,
}

/// What decides about a due callback.
struct Loaded {
    /// `None` if there is no such endpoint any more.
    known: Option<Known>,
    person: Option<Sealer>,
}

/// What is written of a due callback.
struct Decided {
    callback: Callback,
    probing: Option<EndpointHealth>,
    leased: Option<Leased>,
}

impl Worker {
    /// Leases a due callback, or writes why not.
    pub(crate) async fn lease(&self, callback: Callback) -> anyhow::Result<Lease> {
        let now = self.clock.now();
        let (callback, cut_off) = match callback.cut_off(&self.schedule, chance(), now) {
            Some((after, attempt)) => (after, Some(attempt)),
            None => (callback, None),
        };
        let Some(begun) = callback.clone().begin(now) else {
            if let Some(attempt) = cut_off {
                self.write_cut_off(callback, attempt).await?;
            }
            return Ok(Lease::Nothing);
        };
        for _ in 0..MOST_TRIES {
            let Decided {
                callback: next,
                probing,
                leased,
            } = self.decide(&callback, &begun, now).await?;
            let mut transaction = Transaction::default();
            transaction.replace(&next)?;
            if let Some(probing) = &probing {
                transaction.replace(probing)?;
            }
            if let Some(attempt) = &cut_off {
                transaction.create(&row_of(&next, attempt.clone()))?;
            }
            match self.store.commit(transaction).await {
                Ok(()) => {
                    return Ok(leased.map_or(Lease::PutOff(Box::new(next)), |leased| {
                        Lease::Ours(Box::new(leased))
                    }));
                }
                // Another callback probes the endpoint, or its state changed otherwise.
                Err(error @ CommitError::Conflict(_))
                    if !error.concerns(&keys::callback(callback.client_id, callback.id)) => {}
                // Another worker was faster, who then does the rest.
                Err(CommitError::Conflict(_)) => return Ok(Lease::Nothing),
                Err(error) => return Err(error.into()),
            }
        }
        tracing::warn!(callback = %callback.id, "the endpoint is busy; the callback is left to the sweep");
        Ok(Lease::Nothing)
    }

    /// What becomes of a due callback as its endpoint is now.
    async fn decide(
        &self,
        callback: &Callback,
        begun: &Callback,
        now: Timestamp,
    ) -> anyhow::Result<Decided> {
        let Loaded { known, person } = self.load(callback).await?;
        let aside = |callback: Callback| Decided {
            callback,
            probing: None,
            leased: None,
        };
        let Some(known) = known else {
            return Ok(aside(callback.clone().hold(now)));
        };
        let asked_for = callback.event == EventType::ConnectionTest
            && matches!(begun.state, CallbackState::InFlight { step: 0, .. });
        let version = begun.version + 1;
        let leased = |known| Leased {
            callback: Callback {
                version,
                ..begun.clone()
            },
            person,
            known,
        };
        Ok(
            match EndpointHealth::admit(known.health.as_ref(), callback.id, asked_for, now) {
                Admission::Attempt => Decided {
                    callback: begun.clone(),
                    probing: None,
                    leased: Some(leased(known)),
                },
                Admission::Probe(probing) => {
                    let known = known.written(probing.clone());
                    Decided {
                        callback: begun.clone(),
                        probing: Some(probing),
                        leased: Some(leased(known)),
                    }
                }
                Admission::NotBefore(until) => {
                    let back = known
                        .health
                        .map_or(until, |health| health.comes_back(until, chance(), now));
                    aside(callback.clone().postpone(back, now))
                }
                Admission::Disabled => {
                    tracing::info!(callback = %callback.id, endpoint = %callback.endpoint(), "held: the endpoint is disabled");
                    aside(callback.clone().hold(now))
                }
            },
        )
    }

    /// Where the callback goes, how that endpoint does, and who is told of.
    async fn load(&self, callback: &Callback) -> anyhow::Result<Loaded> {
        let endpoint = callback.endpoint();
        let customer = callback
            .concerned
            .map(|concerned| keys::customer(concerned.company_id, concerned.customer_id));
        let mut batch = self.store.batch();
        Known::add_keys(endpoint, &mut batch);
        if let Some(key) = &customer {
            batch.add(key);
        }
        let loaded = batch.load().await?;
        let customer = customer.map(|key| loaded.get(&key)).transpose()?.flatten();
        let person = customer
            .map(|customer| callback_body::personal(&self.sealer, &customer))
            .transpose()?;
        Ok(Loaded {
            known: Known::of(endpoint, &loaded)?,
            person,
        })
    }

    /// The attempt of a worker that died is over, and the next one is not due, or was the last.
    async fn write_cut_off(&self, callback: Callback, attempt: Attempt) -> anyhow::Result<()> {
        let mut transaction = Transaction::default();
        transaction.replace(&callback)?;
        transaction.create(&row_of(&callback, attempt))?;
        if let CallbackState::Exhausted { .. } = callback.state
            && let Some(source) = self.store.get(&keys::client(callback.client_id)).await?
        {
            let (callback_id, connection_id, attempts) =
                (callback.id, callback.connection_id, callback.attempts);
            let kind = MailKind::CallbackExhausted {
                callback_id,
                connection_id,
                attempts,
            };
            write_mails(&mut transaction, &source, vec![kind], callback.updated_at)?;
        }
        match self.store.commit(transaction).await {
            Ok(()) | Err(CommitError::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn row_of(callback: &Callback, attempt: Attempt) -> AttemptRow {
    AttemptRow {
        client_id: callback.client_id,
        callback_id: callback.id,
        attempt,
    }
}
