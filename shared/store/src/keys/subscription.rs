use tandem_domain::ids::{ClientId, CustomerId, SubscriptionId};
use tandem_domain::subscription::Subscription;

use crate::entity::{Entity, Indexes, Key};
use crate::list::List;

/// A client's row of a subscription; a cross-client subscription has one row for each of its two clients.
pub fn subscription(owner: ClientId, id: SubscriptionId) -> Key<Subscription> {
    Key::new(format!("{owner}#{id}"), "subscription")
}

pub fn subscriptions_of(owner: ClientId) -> List<Subscription> {
    List::gsi1(format!("{owner}#subscriptions")).spread()
}

/// The subscriptions that one customer has with a client.
pub fn subscriptions_for(owner: ClientId, customer: CustomerId) -> List<Subscription> {
    List::gsi2(format!("{owner}#{customer}#subscriptions"))
}

impl Entity for Subscription {
    const KEY_SAYS: &'static [&'static str] =
        &["clientId", "id", "createdAt", "updatedAt", "startedAt"];

    fn key(&self) -> Key<Self> {
        subscription(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        let list = subscriptions_of(self.client_id);
        let indexes = Indexes::default().in_list(list, self.id);
        match self.customer_id {
            Some(customer) => indexes.in_list(subscriptions_for(self.client_id, customer), self.id),
            // A pending subscription has no customer until its voucher is redeemed.
            None => indexes,
        }
    }
    fn version(&self) -> u64 {
        self.version
    }
}
