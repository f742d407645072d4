use tandem_domain::ids::{ClientId, CustomerId, OrderId};
use tandem_domain::import::decide::ExternalHash;
use tandem_domain::import::imported::Imported;
use tandem_domain::order::Order;
use uuid::Uuid;

use crate::StoreError;
use crate::entity::{Entity, Indexes, Key, Row, from_item};
use crate::keys::import::{IMPORTED, imported_for, imported_of, without_order};
use crate::list::List;
use crate::rows::ExternalOrder;

pub fn order(seller: ClientId, id: OrderId) -> Key<Order> {
    Key::new(format!("{seller}#{id}"), "order")
}

/// The order whose purchase named an `externalSystemId`.
pub fn external_order(seller: ClientId, external: &ExternalHash) -> Key<ExternalOrder> {
    Key::new(format!("{seller}#external#{external}"), "externalOrder")
}

impl Entity for ExternalOrder {
    fn key(&self) -> Key<Self> {
        external_order(self.client_id, &self.hash)
    }
}

/// The orders of a client, sold and imported, as lists to merge. Their sort key is the UUID, which an imported order shares with
/// its subscription.
pub fn orders_of(seller: ClientId) -> [List<Order>; 2] {
    [sold(seller), imported_of(seller)]
}

fn sold(seller: ClientId) -> List<Order> {
    List::gsi1(format!("{seller}#orders")).spread()
}

/// The orders that one customer placed with a client.
pub fn orders_by(seller: ClientId, customer: CustomerId) -> [List<Order>; 2] {
    [sold_to(seller, customer), imported_for(seller, customer)]
}

fn sold_to(seller: ClientId, customer: CustomerId) -> List<Order> {
    List::gsi2(format!("{seller}#{customer}#orders"))
}

impl Entity for Order {
    const KEY_SAYS: &'static [&'static str] = &["clientId", "id", "createdAt", "updatedAt"];
    const KEEPS_REQUEST: bool = true;

    fn key(&self) -> Key<Self> {
        order(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        let sort = Uuid::from(self.id).simple();
        Indexes::default()
            .in_list(sold(self.client_id), sort)
            .in_list(sold_to(self.client_id, self.customer_id), sort)
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn of_row(row: Row) -> Result<Self, StoreError> {
        match row.decoded::<Imported>(IMPORTED) {
            Some(imported) => {
                let imported = imported?;
                let order = imported.order();
                order.ok_or_else(|| without_order(&imported))
            }
            None => from_item(row.0),
        }
    }
}
