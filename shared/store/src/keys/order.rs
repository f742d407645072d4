use tandem_domain::ids::{ClientId, CustomerId, OrderId};
use tandem_domain::order::Order;

use crate::entity::{Entity, Indexes, Key};
use crate::list::List;

pub fn order(seller: ClientId, id: OrderId) -> Key<Order> {
    Key::new(format!("{seller}#{id}"), "order")
}

pub fn orders_of(seller: ClientId) -> List<Order> {
    List::gsi1(format!("{seller}#orders")).spread()
}

/// The orders that one customer placed with a client.
pub fn orders_by(seller: ClientId, customer: CustomerId) -> List<Order> {
    List::gsi2(format!("{seller}#{customer}#orders"))
}

impl Entity for Order {
    const KEY_SAYS: &'static [&'static str] = &["clientId", "id", "createdAt", "updatedAt"];

    fn key(&self) -> Key<Self> {
        order(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        let list = orders_of(self.client_id);
        Indexes::default()
            .in_list(list, self.id)
            .in_list(orders_by(self.client_id, self.customer_id), self.id)
    }
    fn version(&self) -> u64 {
        self.version
    }
}
