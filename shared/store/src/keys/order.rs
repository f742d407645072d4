use tandem_domain::ids::{ClientId, CustomerId, OrderId};
use tandem_domain::order::Order;

use crate::entity::{Entity, Indexes, Key};
use crate::list::{List, SpreadList};

pub fn order(seller: ClientId, id: OrderId) -> Key<Order> {
    Key::new(format!("{seller}#{id}"), "order")
}

/// The orders of a client, as lists to merge.
pub fn orders_of(seller: ClientId) -> Vec<List<Order>> {
    spread(seller).partitions()
}

fn spread(seller: ClientId) -> SpreadList<Order> {
    SpreadList::new(format!("{seller}#orders"))
}

/// The orders that one customer placed with a client.
pub fn orders_by(seller: ClientId, customer: CustomerId) -> List<Order> {
    List::gsi2(format!("{seller}#{customer}#orders"))
}

impl Entity for Order {
    fn key(&self) -> Key<Self> {
        order(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        let list = spread(self.client_id).partition(self.id, self.external.is_some());
        Indexes::default()
            .in_list(list, self.id)
            .in_list(orders_by(self.client_id, self.customer_id), self.id)
    }
    fn version(&self) -> u64 {
        self.version
    }
}
