//! Orders and subscriptions by id and by `externalSystemId`. A sold one has a row of its own; an imported order and its subscription share the row of their
//! `externalSystemId`, whose partition follows from the id.

use std::cmp::Reverse;

use tandem_domain::ids::{ClientId, OrderId, SubscriptionId};
use tandem_domain::import::decide::ExternalHash;
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

    /// A client's orders with an `externalSystemId`: one that it sold, one that it imported. Newest first.
    pub async fn orders_of_external(
        &self,
        client: ClientId,
        external: &ExternalHash,
    ) -> Result<Vec<Order>, StoreError> {
        let (sold, imported) = self.rows_of_external(client, external).await?;
        let imported = imported.and_then(|row| row.order());
        let mut orders: Vec<Order> = sold.into_iter().chain(imported).collect();
        orders.sort_unstable_by_key(|order| Reverse(Uuid::from(order.id)));
        Ok(orders)
    }

    /// A client's subscriptions of the orders with an `externalSystemId`, newest first.
    pub async fn subscriptions_of_external(
        &self,
        client: ClientId,
        external: &ExternalHash,
    ) -> Result<Vec<Subscription>, StoreError> {
        let (sold, imported) = self.rows_of_external(client, external).await?;
        let positions = sold.iter().flat_map(|order| &order.positions);
        let ids = positions.filter_map(|position| position.subscription_id);
        let keys: Vec<_> = ids.map(|id| keys::subscription(client, id)).collect();
        let mut rows = self.load_all(keys.clone()).await?;
        let sold = keys.iter().filter_map(|key| rows.remove(key));
        let imported = imported.and_then(|row| row.subscription());
        let mut rows: Vec<Subscription> = sold.chain(imported).collect();
        rows.sort_unstable_by_key(|row| Reverse(Uuid::from(row.id)));
        Ok(rows)
    }

    async fn rows_of_external(
        &self,
        client: ClientId,
        external: &ExternalHash,
    ) -> Result<(Option<Order>, Option<Imported>), StoreError> {
        let (named, imported) = (
            keys::external_order(client, external),
            keys::imported(client, external),
        );
        let (named, imported) = self.load((named, imported)).await?;
        let sold = match named {
            Some(named) => self.get(&keys::order(client, named.order_id)).await?,
            None => None,
        };
        Ok((sold, imported))
    }

    async fn imported(&self, client: ClientId, id: Uuid) -> Result<Option<Imported>, StoreError> {
        let rows = keys::imported_order(client, OrderId::from(id));
        let page = self
            .page(&rows, None, 1, |row: &Imported| row.uuid() == Some(id))
            .await?;
        Ok(page.items.into_iter().next())
    }
}
