//! Loads the offers that a cart's owner may sell: its own, and those shared with it, with their connections and companies.

use std::collections::{BTreeSet, HashMap};

use tandem_domain::cart::{OfferLookup, Origin};
use tandem_domain::connection::Connection;
use tandem_domain::ids::{ClientId, CompanyId, ConnectionId, OfferId};
use tandem_domain::import::decide::ExternalHash;
use tandem_domain::offer::Offer;
use tandem_domain::sharing::SharedOffer;
use tandem_domain::tenancy::ContractingCompany;
use tandem_domain::text::ExternalId;
use tandem_domain::zone::Zone;
use tandem_runtime::random_ids::hash_of_external;
use tandem_store::read::{Batch, Rows};
use tandem_store::rows::Share;
use tandem_store::{StoreError, keys};

use crate::app::App;
use crate::caller::ClientCaller;
use crate::client_events::EventEndpoints;

/// The hash by which the caller's orders with an `externalSystemId` are found.
pub fn external_hash(caller: ClientCaller, external: &ExternalId) -> ExternalHash {
    hash_of_external(caller.id, external)
}

/// Offers loaded for one client.
#[derive(Debug, Default)]
pub struct Offers {
    offers: HashMap<OfferId, (Offer, Option<ConnectionId>)>,
    connections: HashMap<ConnectionId, Connection>,
    companies: HashMap<CompanyId, ContractingCompany>,
    own_company: Option<CompanyId>,
}

impl Offers {
    /// Loads offers of known origin (`None`: the caller's own), in one round trip.
    pub async fn load(
        app: &App,
        caller: ClientCaller,
        wanted: &[(OfferId, Option<Origin>)],
    ) -> Result<Self, StoreError> {
        let mut batch = app.store.batch();
        add_keys(&mut batch, caller, wanted);
        Self::from_rows(&batch.load().await?, caller, wanted)
    }

    /// [`Self::load`], and in the same round trip the event endpoints of the caller and of the sources of its contracting company.
    pub async fn load_for_sale(
        app: &App,
        caller: ClientCaller,
        wanted: &[(OfferId, Option<Origin>)],
    ) -> Result<(Self, EventEndpoints), StoreError> {
        let sources = wanted.iter().filter_map(|(_, origin)| *origin);
        let clients: BTreeSet<ClientId> = sources
            .filter(|origin| origin.company_id == caller.company_id)
            .map(|origin| origin.client_id)
            .chain([caller.id])
            .collect();
        let mut batch = app.store.batch();
        add_keys(&mut batch, caller, wanted);
        EventEndpoints::add_keys(&mut batch, &clients);
        let rows = batch.load().await?;
        let offers = Self::from_rows(&rows, caller, wanted)?;
        Ok((offers, EventEndpoints::from_rows(&rows, &clients)?))
    }

    /// Loads offers by id alone: first their owners, then the offers.
    pub async fn find(
        app: &App,
        caller: ClientCaller,
        ids: &[OfferId],
    ) -> Result<Self, StoreError> {
        let share_of = |id: &OfferId| keys::share(caller.id, *id);
        let mut shares = app.store.load_all(ids.iter().map(share_of)).await?;
        let found: Vec<Share> = ids
            .iter()
            .filter_map(|id| shares.remove(&share_of(id)))
            .collect();
        let origins = origins(app, caller, &found).await?;
        let wanted: Vec<_> = ids
            .iter()
            .map(|id| (*id, origins.get(id).copied()))
            .collect();
        Self::load(app, caller, &wanted).await
    }

    /// The offer as the caller sees it.
    pub fn of(&self, id: OfferId) -> OfferLookup<'_> {
        match self.offers.get(&id) {
            None => OfferLookup::NotFound,
            Some((offer, None)) => OfferLookup::Own(offer),
            Some((offer, Some(connection))) => self
                .shared(offer, *connection)
                .map_or(OfferLookup::NotFound, OfferLookup::Shared),
        }
    }

    /// The time zone of the caller's contracting company.
    pub fn time_zone(&self) -> Zone {
        let company = self.own_company.and_then(|id| self.companies.get(&id));
        company
            .map(|company| company.time_zone.clone())
            .unwrap_or_default()
    }

    fn shared<'a>(&'a self, offer: &'a Offer, connection: ConnectionId) -> Option<SharedOffer<'a>> {
        let connection = self.connections.get(&connection)?;
        Some(SharedOffer {
            offer,
            connection,
            source_company: self.companies.get(&connection.source.company_id)?,
            target_company: self.companies.get(&self.own_company?)?,
        })
    }

    fn from_rows(
        rows: &Rows,
        caller: ClientCaller,
        wanted: &[(OfferId, Option<Origin>)],
    ) -> Result<Self, StoreError> {
        let mut offers = Self {
            own_company: Some(caller.company_id),
            ..Self::default()
        };
        if let Some(company) = rows.get(&keys::company(caller.company_id))? {
            offers.companies.insert(caller.company_id, company);
        }
        for (id, origin) in wanted {
            let owner = origin.map_or(caller.id, |origin| origin.client_id);
            if let Some(offer) = rows.get(&keys::offer(owner, *id))? {
                offers
                    .offers
                    .insert(*id, (offer, origin.map(|origin| origin.connection_id)));
            }
            let Some(origin) = origin else { continue };
            if let Some(connection) = rows.get(&keys::connection(origin.connection_id))? {
                offers.connections.insert(origin.connection_id, connection);
            }
            if let Some(company) = rows.get(&keys::company(origin.company_id))? {
                offers.companies.insert(origin.company_id, company);
            }
        }
        Ok(offers)
    }
}

/// The owner and the live connection of each shared offer. Shares without a live connection are left out.
pub async fn origins(
    app: &App,
    target: ClientCaller,
    shares: &[Share],
) -> Result<HashMap<OfferId, Origin>, StoreError> {
    let pair_of = |share: &Share| keys::pair(share.source, target.id);
    let pairs = app.store.load_all(shares.iter().map(pair_of)).await?;
    let mut origins = HashMap::new();
    for share in shares {
        if let Some(pair) = pairs.get(&pair_of(share)) {
            let origin = Origin {
                client_id: share.source,
                company_id: share.source_company,
                connection_id: pair.connection_id,
            };
            origins.insert(share.offer_id, origin);
        }
    }
    Ok(origins)
}

fn add_keys(batch: &mut Batch<'_>, caller: ClientCaller, wanted: &[(OfferId, Option<Origin>)]) {
    batch.add(&keys::company(caller.company_id));
    for (id, origin) in wanted {
        let owner = origin.map_or(caller.id, |origin| origin.client_id);
        batch.add(&keys::offer(owner, *id));
        if let Some(origin) = origin {
            batch.add(&keys::connection(origin.connection_id));
            batch.add(&keys::company(origin.company_id));
        }
    }
}
