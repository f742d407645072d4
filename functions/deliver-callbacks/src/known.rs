//! What a worker knows of an endpoint while it attempts a callback, and what it writes of it.

use tandem_domain::callback::Endpoint;
use tandem_domain::connection::CallbackSettings;
use tandem_domain::endpoint_health::EndpointHealth;
use tandem_store::read::{Batch, Rows};
use tandem_store::{StoreError, Transaction, keys};

use crate::Worker;

/// An endpoint as it was seen last.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    endpoint: Endpoint,
    /// Where callbacks go, and how they are signed, as the attempt found it.
    pub(crate) settings: CallbackSettings,
    /// Of the row that says so.
    version: u64,
    /// How it does.
    pub(crate) health: Option<EndpointHealth>,
    /// Whether it has another address since, or none.
    moved: bool,
}

impl Known {
    /// Adds the keys of its rows.
    pub(crate) fn add_keys(endpoint: Endpoint, batch: &mut Batch<'_>) {
        match endpoint {
            Endpoint::Connection(id) => batch.add(&keys::connection(id)),
            Endpoint::Client(id) => batch.add(&keys::event_endpoint(id)),
        }
        batch.add(&keys::endpoint_health(endpoint));
    }

    /// As the rows say; `None` if there is no such endpoint any more.
    ///
    /// # Errors
    /// A row cannot be read.
    pub(crate) fn of(endpoint: Endpoint, rows: &Rows) -> Result<Option<Self>, StoreError> {
        let found = match endpoint {
            Endpoint::Connection(id) => {
                let row = rows.get(&keys::connection(id))?;
                row.and_then(|row| Some((row.callback?, row.version)))
            }
            Endpoint::Client(id) => rows
                .get(&keys::event_endpoint(id))?
                .map(|row| (row.settings, row.version)),
        };
        let Some((settings, version)) = found else {
            return Ok(None);
        };
        let health = rows.get(&keys::endpoint_health(endpoint))?;
        Ok(Some(Self {
            endpoint,
            settings,
            version,
            health,
            moved: false,
        }))
    }

    /// Whether what an attempt finds out tells of the endpoint as it is now.
    pub(crate) fn has_moved(&self) -> bool {
        self.moved
    }

    /// Writes how the endpoint does, if it is still where it was: what an old address answers says nothing of a new one.
    ///
    /// # Errors
    /// It cannot be stored.
    pub(crate) fn write(
        &self,
        health: &EndpointHealth,
        transaction: &mut Transaction,
    ) -> Result<(), StoreError> {
        self.rest_on_the_address(transaction);
        if self.health.is_some() {
            transaction.replace(health)
        } else {
            transaction.create(health)
        }
    }

    /// Writes that the endpoint is healthy, as far as it was known to be otherwise.
    pub(crate) fn write_healthy(&self, transaction: &mut Transaction) {
        if let Some(health) = &self.health {
            self.rest_on_the_address(transaction);
            transaction.remove(health);
        }
    }

    /// The endpoint after [`Self::write`], if that was done.
    pub(crate) fn written(self, health: EndpointHealth) -> Self {
        let version = if self.health.is_some() {
            health.version + 1
        } else {
            health.version
        };
        Self {
            health: Some(EndpointHealth { version, ..health }),
            ..self
        }
    }

    fn rest_on_the_address(&self, transaction: &mut Transaction) {
        match self.endpoint {
            Endpoint::Connection(id) => transaction.unchanged(&keys::connection(id), self.version),
            Endpoint::Client(id) => transaction.unchanged(&keys::event_endpoint(id), self.version),
        }
    }
}

impl Worker {
    /// Looks at an endpoint again, after others changed its rows.
    ///
    /// # Errors
    /// The table does not answer, or a row cannot be read.
    pub(crate) async fn look_again(&self, known: Known) -> Result<Known, StoreError> {
        let mut batch = self.store.batch();
        Known::add_keys(known.endpoint, &mut batch);
        Ok(match Known::of(known.endpoint, &batch.load().await?)? {
            Some(now) if now.settings.url == known.settings.url => Known {
                settings: known.settings,
                moved: known.moved,
                ..now
            },
            _ => Known {
                moved: true,
                ..known
            },
        })
    }
}
