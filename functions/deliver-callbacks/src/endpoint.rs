//! An endpoint's address and health as a worker last read them, and the writes that depend on them.

use tandem_domain::callback::Endpoint;
use tandem_domain::connection::CallbackSettings;
use tandem_domain::customer::Customer;
use tandem_domain::endpoint_health::EndpointHealth;
use tandem_store::{Key, Prefetched, Store, StoreError, Transaction, keys};

#[derive(Debug, Clone)]
pub(crate) struct EndpointSnapshot {
    endpoint: Endpoint,
    /// The URL, headers and signing secrets at the time of the lease.
    pub(crate) settings: CallbackSettings,
    /// The version of the row that holds the settings.
    settings_version: u64,
    /// `None` if the endpoint is healthy.
    pub(crate) health: Option<EndpointHealth>,
    /// The URL or the headers changed, or the endpoint was removed, after the lease.
    moved: bool,
}

impl EndpointSnapshot {
    /// The endpoint, and a customer in the same round trip. The endpoint is `None` if it was removed. `rows` were read ahead.
    pub(crate) async fn load(
        store: &Store,
        rows: &Prefetched,
        endpoint: Endpoint,
        customer: Option<Key<Customer>>,
    ) -> Result<(Option<Self>, Option<Customer>), StoreError> {
        let (connection, event_endpoint) = match endpoint {
            Endpoint::Connection(id) => (Some(keys::connection(id)), None),
            Endpoint::Client(id) => (None, Some(keys::event_endpoint(id))),
        };
        let health = keys::endpoint_health(endpoint);
        let (connection, event_endpoint, health, customer) = rows
            .load(store, (connection, event_endpoint, health, customer))
            .await?;
        let of_connection = connection.and_then(|row| Some((row.callback?, row.version)));
        let of_client = event_endpoint.map(|row| (row.settings, row.version));
        let snapshot = of_connection.or(of_client).map(|(settings, version)| Self {
            endpoint,
            settings,
            settings_version: version,
            health,
            moved: false,
        });
        Ok((snapshot, customer))
    }

    /// Loads the endpoint again after a conflict. The settings stay those of the lease: the attempt used them.
    pub(crate) async fn reload(self, store: &Store) -> Result<Self, StoreError> {
        let (current, _) = Self::load(store, &Prefetched::default(), self.endpoint, None).await?;
        Ok(match current {
            Some(current) if current.settings.is_same_endpoint(&self.settings) => Self {
                settings: self.settings,
                moved: self.moved,
                ..current
            },
            _ => Self {
                moved: true,
                ..self
            },
        })
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// Whether the attempt used another URL or other headers than the endpoint has now. Its outcome is no news about these.
    pub(crate) fn has_moved(&self) -> bool {
        self.moved
    }

    /// Writes the health, on condition that the settings are unchanged.
    pub(crate) fn write_health(
        &self,
        health: &EndpointHealth,
        transaction: &mut Transaction,
    ) -> Result<(), StoreError> {
        self.require_same_settings(transaction);
        match self.health {
            Some(_) => transaction.replace(health),
            None => transaction.create(health),
        }
    }

    /// Deletes the health row of an endpoint that has recovered.
    pub(crate) fn delete_health(&self, transaction: &mut Transaction) {
        if let Some(health) = &self.health {
            self.require_same_settings(transaction);
            transaction.remove(health);
        }
    }

    /// The snapshot after `health` was written.
    pub(crate) fn with_written(self, health: EndpointHealth) -> Self {
        // A created row keeps its version; a replaced row counts it up.
        let version = health.version + u64::from(self.health.is_some());
        Self {
            health: Some(EndpointHealth { version, ..health }),
            ..self
        }
    }

    fn require_same_settings(&self, transaction: &mut Transaction) {
        let version = self.settings_version;
        match self.endpoint {
            Endpoint::Connection(id) => transaction.unchanged(&keys::connection(id), version),
            Endpoint::Client(id) => transaction.unchanged(&keys::event_endpoint(id), version),
        }
    }
}
