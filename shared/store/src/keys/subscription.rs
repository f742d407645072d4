use tandem_domain::ids::{ClientId, CustomerId, OfferId, SubscriptionId};
use tandem_domain::import::imported::Imported;
use tandem_domain::paid_period::PaidPeriod;
use tandem_domain::purchase::Once;
use tandem_domain::subscription::Subscription;
use uuid::Uuid;

use crate::StoreError;
use crate::entity::{Entity, Indexes, Key, Row, from_item};
use crate::keys::import::{IMPORTED, imported_for, imported_of, without_order};
use crate::list::List;

/// A client's row of a subscription; a cross-client subscription has one row for each of its two clients.
pub fn subscription(owner: ClientId, id: SubscriptionId) -> Key<Subscription> {
    Key::new(format!("{owner}#{id}"), "subscription")
}

/// A paid period of a seller's subscription that differs from a plain one; it is in the subscription's own partition.
pub fn paid_period(seller: ClientId, id: SubscriptionId, number: u32) -> Key<PaidPeriod> {
    Key::new(format!("{seller}#{id}"), format!("period#{number:010}"))
}

impl Entity for PaidPeriod {
    fn key(&self) -> Key<Self> {
        paid_period(self.client_id, self.subscription_id, self.number)
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// The latest subscription of a customer to an offer that the seller sells once to a customer.
pub fn once(seller: ClientId, customer: CustomerId, offer: OfferId) -> Key<Once> {
    Key::new(format!("{seller}#{customer}"), format!("once#{offer}"))
}

impl Entity for Once {
    fn key(&self) -> Key<Self> {
        once(self.client_id, self.customer_id, self.offer_id)
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// The subscriptions of a client, sold and imported, as lists to merge.
pub fn subscriptions_of(owner: ClientId) -> [List<Subscription>; 2] {
    [sold(owner), imported_of(owner)]
}

fn sold(owner: ClientId) -> List<Subscription> {
    List::gsi1(format!("{owner}#subscriptions")).spread()
}

/// The subscriptions that one customer has with a client.
pub fn subscriptions_for(owner: ClientId, customer: CustomerId) -> [List<Subscription>; 2] {
    [sold_to(owner, customer), imported_for(owner, customer)]
}

fn sold_to(owner: ClientId, customer: CustomerId) -> List<Subscription> {
    List::gsi2(format!("{owner}#{customer}#subscriptions"))
}

impl Entity for Subscription {
    const KEY_SAYS: &'static [&'static str] =
        &["clientId", "id", "createdAt", "updatedAt", "startedAt"];

    fn key(&self) -> Key<Self> {
        subscription(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        let sort = Uuid::from(self.id).simple();
        let indexes = Indexes::default().in_list(sold(self.client_id), sort);
        match self.customer_id {
            Some(customer) => indexes.in_list(sold_to(self.client_id, customer), sort),
            // A pending subscription has no customer until its voucher is redeemed.
            None => indexes,
        }
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn of_row(row: Row) -> Result<Self, StoreError> {
        match row.decoded::<Imported>(IMPORTED) {
            Some(imported) => {
                let imported = imported?;
                let subscription = imported.subscription();
                subscription.ok_or_else(|| without_order(&imported))
            }
            None => from_item(row.0),
        }
    }
}
