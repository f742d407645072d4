//! Events of clients: each becomes a callback row of the transaction that causes it, if its client has an event endpoint that
//! takes the type.

use std::collections::{BTreeSet, HashMap};

use tandem_domain::IdSource;
use tandem_domain::callback::{Announcement, Concerned};
use tandem_domain::event_endpoint::EventEndpoint;
use tandem_domain::ids::ClientId;
use tandem_runtime::callback_body;
use tandem_store::read::{Batch, Rows};
use tandem_store::{StoreError, Transaction, keys};

use crate::app::App;

/// The event endpoints of the clients that an operation concerns.
#[derive(Debug, Default)]
pub struct EventEndpoints(HashMap<ClientId, EventEndpoint>);

impl EventEndpoints {
    /// Adds the keys to a read that is made anyway.
    pub fn add_keys(batch: &mut Batch<'_>, clients: &BTreeSet<ClientId>) {
        for client in clients {
            batch.add(&keys::event_endpoint(*client));
        }
    }

    /// Takes the endpoints from the rows of that read.
    pub fn from_rows(rows: &Rows, clients: &BTreeSet<ClientId>) -> Result<Self, StoreError> {
        let mut endpoints = Self::default();
        for client in clients {
            endpoints.insert(rows.get(&keys::event_endpoint(*client))?);
        }
        Ok(endpoints)
    }

    /// Loads the endpoints in one round trip.
    pub async fn load(app: &App, clients: &BTreeSet<ClientId>) -> Result<Self, StoreError> {
        let mut batch = app.store.batch();
        Self::add_keys(&mut batch, clients);
        Self::from_rows(&batch.load().await?, clients)
    }

    pub fn insert(&mut self, endpoint: Option<EventEndpoint>) {
        self.0
            .extend(endpoint.map(|endpoint| (endpoint.client_id, endpoint)));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the callbacks of the events that their clients take. `concerned`: the customer whose key seals the receivers' answers.
    pub fn announce(
        &self,
        app: &App,
        ids: &mut dyn IdSource,
        transaction: &mut Transaction,
        concerned: Option<Concerned>,
        events: impl IntoIterator<Item = Announcement>,
    ) -> Result<(), StoreError> {
        for event in events.into_iter().filter(|event| self.take(event)) {
            let (sealer, now) = (&app.sealer, app.now());
            transaction.create(&callback_body::seal(sealer, ids, concerned, event, now))?;
        }
        Ok(())
    }

    fn take(&self, event: &Announcement) -> bool {
        self.0
            .get(&event.client_id)
            .is_some_and(|endpoint| endpoint.takes(event.event))
    }
}
