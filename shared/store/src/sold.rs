//! Orders and subscriptions by id. A sold one has a row of its own; an imported order and its subscription share the row of their
//! `externalSystemId`, whose partition follows from the id.

use tandem_domain::ids::{ClientId, OrderId, SubscriptionId};
use tandem_domain::import::imported::Imported;
use tandem_domain::order::Order;
use tandem_domain::subscription::Subscription;
use uuid::Uuid;

use crate::{Store, StoreError, keys};

impl Store {
    /// A client's order, sold or imported.
    pub async fn order(&self, client: ClientId, id: OrderId) -> Result<Option<Order>, StoreError> {
        if let Some(order) = self.get(&keys::order(client, id)).await? {
            return Ok(Some(order));
        }
        let row = self.imported(client, Uuid::from(id)).await?;
        Ok(row.and_then(|row| row.order()))
    }

    /// A client's row of a subscription, sold or imported.
    pub async fn subscription(
        &self,
        client: ClientId,
        id: SubscriptionId,
    ) -> Result<Option<Subscription>, StoreError> {
        if let Some(subscription) = self.get(&keys::subscription(client, id)).await? {
            return Ok(Some(subscription));
        }
        let row = self.imported(client, Uuid::from(id)).await?;
        Ok(row.and_then(|row| row.subscription()))
    }

    async fn imported(&self, client: ClientId, id: Uuid) -> Result<Option<Imported>, StoreError> {
        let rows = keys::imported_order(client, OrderId::from(id));
        let page = self
            .page(&rows, None, 1, |row: &Imported| row.uuid() == Some(id))
            .await?;
        Ok(page.items.into_iter().next())
    }
}
