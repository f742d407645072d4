//! The keys of every entity, in one place. docs/table-design.md tells which question each answers.
//!
//! A tenant's row has its tenant in the partition key: `cli_…#off_…`. Lists are partitions of an index, sorted by id, which
//! is by time: `cli_…#offers`.

use jiff::{SignedDuration, Timestamp};
use tandem_domain::callback::Callback;
use tandem_domain::cart::Cart;
use tandem_domain::connection::{Connection, Side};
use tandem_domain::customer::Customer;
use tandem_domain::event_endpoint::EventEndpoint;
use tandem_domain::ids::{
    CallbackId, CartId, ClientId, CompanyId, ConnectionId, CustomerId, MailId, OfferId, OrderId,
    PayoutId, SubscriptionId,
};
use tandem_domain::mail::Mail;
use tandem_domain::offer::Offer;
use tandem_domain::order::Order;
use tandem_domain::payout::Payout;
use tandem_domain::subscription::Subscription;
use tandem_domain::tenancy::{ApiKey, Client, ContractingCompany};
use tandem_domain::voucher::{Voucher, VoucherHash};

use crate::entity::{Entity, Indexes, Key};
use crate::outbox::sortable;
use crate::page::Collection;
use crate::spread;

/// How long a mail's row is kept after it was committed.
const MAIL_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A contracting company.
pub fn company(id: CompanyId) -> Key<ContractingCompany> {
    Key::new(id.to_string(), "company")
}

/// All contracting companies.
pub fn companies() -> Collection<ContractingCompany> {
    Collection::gsi1("companies")
}

impl Entity for ContractingCompany {
    fn key(&self) -> Key<Self> {
        company(self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes {
            gsi1: Some(("companies".to_owned(), self.id.to_string())),
            ..Indexes::default()
        }
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// A client.
pub fn client(id: ClientId) -> Key<Client> {
    Key::new(id.to_string(), "client")
}

/// All clients.
pub fn clients() -> Collection<Client> {
    Collection::gsi2("clients")
}

/// The clients of a contracting company.
pub fn clients_of(company: CompanyId) -> Collection<Client> {
    Collection::gsi1(format!("{company}#clients"))
}

impl Entity for Client {
    fn key(&self) -> Key<Self> {
        client(self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes {
            gsi1: Some((format!("{}#clients", self.company_id), self.id.to_string())),
            gsi2: Some(("clients".to_owned(), self.id.to_string())),
            ..Indexes::default()
        }
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// An API key, by the public part of it.
pub fn api_key(key_id: &str) -> Key<ApiKey> {
    Key::new(format!("key#{key_id}"), "key")
}

/// The API keys of a client.
pub fn api_keys_of(client: ClientId) -> Collection<ApiKey> {
    Collection::gsi1(format!("{client}#keys"))
}

impl Entity for ApiKey {
    fn key(&self) -> Key<Self> {
        api_key(&self.key_id)
    }
    fn indexes(&self) -> Indexes {
        let sort = format!("{}#{}", sortable(self.created_at), self.key_id);
        Indexes {
            gsi1: Some((format!("{}#keys", self.client_id), sort)),
            ..Indexes::default()
        }
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// A connection. Read it by [`crate::Store::connection_of`], which shows it to its two parties only.
pub fn connection(id: ConnectionId) -> Key<Connection> {
    Key::new(id.to_string(), "connection")
}

/// The connections in which a client is on one side.
pub fn connections_of(client: ClientId, side: Side) -> Collection<Connection> {
    match side {
        Side::Source => Collection::gsi1(format!("{client}#connections#source")),
        Side::Target => Collection::gsi2(format!("{client}#connections#target")),
    }
}

impl Entity for Connection {
    fn key(&self) -> Key<Self> {
        connection(self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes {
            gsi1: Some((
                format!("{}#connections#source", self.source.client_id),
                self.id.to_string(),
            )),
            gsi2: Some((
                format!("{}#connections#target", self.target.client_id),
                self.id.to_string(),
            )),
            ..Indexes::default()
        }
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// An offer of a client.
pub fn offer(owner: ClientId, id: OfferId) -> Key<Offer> {
    Key::new(format!("{owner}#{id}"), "offer")
}

/// The offers of a client.
pub fn offers_of(owner: ClientId) -> Collection<Offer> {
    Collection::gsi1(format!("{owner}#offers"))
}

impl Entity for Offer {
    fn key(&self) -> Key<Self> {
        offer(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes {
            gsi1: Some((format!("{}#offers", self.client_id), self.id.to_string())),
            ..Indexes::default()
        }
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// A cart of a client.
pub fn cart(owner: ClientId, id: CartId) -> Key<Cart> {
    Key::new(format!("{owner}#{id}"), "cart")
}

/// The carts of a client.
pub fn carts_of(owner: ClientId) -> Collection<Cart> {
    Collection::gsi1(format!("{owner}#carts"))
}

impl Entity for Cart {
    fn key(&self) -> Key<Self> {
        cart(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes {
            gsi1: Some((format!("{}#carts", self.client_id), self.id.to_string())),
            ..Indexes::default()
        }
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// A customer of a contracting company.
pub fn customer(company: CompanyId, id: CustomerId) -> Key<Customer> {
    Key::new(format!("{company}#{id}"), "customer")
}

/// The customers of a contracting company.
pub fn customers_of(company: CompanyId) -> Collection<Customer> {
    Collection::gsi1(format!("{company}#customers"))
}

impl Entity for Customer {
    fn key(&self) -> Key<Self> {
        customer(self.company_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes {
            gsi1: Some((
                format!("{}#customers", self.company_id),
                self.id.to_string(),
            )),
            ..Indexes::default()
        }
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// An order of a client.
pub fn order(seller: ClientId, id: OrderId) -> Key<Order> {
    Key::new(format!("{seller}#{id}"), "order")
}

/// The orders of a client, to be merged.
pub fn orders_of(seller: ClientId) -> Vec<Collection<Order>> {
    spread::partitions(&format!("{seller}#orders"))
}

/// The orders of a client by one customer.
pub fn orders_by(seller: ClientId, customer: CustomerId) -> Collection<Order> {
    Collection::gsi2(format!("{seller}#{customer}#orders"))
}

impl Entity for Order {
    fn key(&self) -> Key<Self> {
        order(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        let list = spread::partition(
            &format!("{}#orders", self.client_id),
            self.id,
            self.external.is_some(),
        );
        Indexes {
            gsi1: Some((list, self.id.to_string())),
            gsi2: Some((
                format!("{}#{}#orders", self.client_id, self.customer_id),
                self.id.to_string(),
            )),
            ..Indexes::default()
        }
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// A client's row of a subscription.
pub fn subscription(owner: ClientId, id: SubscriptionId) -> Key<Subscription> {
    Key::new(format!("{owner}#{id}"), "subscription")
}

/// The subscriptions of a client, to be merged.
pub fn subscriptions_of(owner: ClientId) -> Vec<Collection<Subscription>> {
    spread::partitions(&format!("{owner}#subscriptions"))
}

/// The subscriptions of a client for one customer.
pub fn subscriptions_for(owner: ClientId, customer: CustomerId) -> Collection<Subscription> {
    Collection::gsi2(format!("{owner}#{customer}#subscriptions"))
}

impl Entity for Subscription {
    fn key(&self) -> Key<Self> {
        subscription(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        let by_customer = self.customer_id.map(|customer| {
            (
                format!("{}#{customer}#subscriptions", self.client_id),
                self.id.to_string(),
            )
        });
        let list = spread::partition(
            &format!("{}#subscriptions", self.client_id),
            self.id,
            self.external.is_some(),
        );
        Indexes {
            gsi1: Some((list, self.id.to_string())),
            gsi2: by_customer,
            ..Indexes::default()
        }
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// A voucher of a source client, by the hash of its code.
pub fn voucher(source: ClientId, hash: &VoucherHash) -> Key<Voucher> {
    Key::new(format!("{source}#voucher#{}", hash.0), "voucher")
}

impl Entity for Voucher {
    fn key(&self) -> Key<Self> {
        voucher(self.client_id, &self.hash)
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// A row of the payout list. Read it by [`crate::Store::payout_of`], which shows it to its two parties only.
pub fn payout(id: PayoutId) -> Key<Payout> {
    Key::new(id.to_string(), "payout")
}

/// The payout rows in which a client is on one side.
pub fn payouts_of(client: ClientId, side: Side) -> Collection<Payout> {
    match side {
        Side::Source => Collection::gsi1(format!("{client}#payouts#source")),
        Side::Target => Collection::gsi2(format!("{client}#payouts#target")),
    }
}

impl Entity for Payout {
    fn key(&self) -> Key<Self> {
        payout(self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes {
            gsi1: Some((
                format!("{}#payouts#source", self.source_client_id),
                self.id.to_string(),
            )),
            gsi2: Some((
                format!("{}#payouts#target", self.target_client_id),
                self.id.to_string(),
            )),
            ..Indexes::default()
        }
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// A callback of a source client.
pub fn callback(source: ClientId, id: CallbackId) -> Key<Callback> {
    Key::new(format!("{source}#{id}"), "callback")
}

/// The callbacks of a source client.
pub fn callbacks_of(source: ClientId) -> Collection<Callback> {
    Collection::gsi1(format!("{source}#callbacks"))
}

impl Entity for Callback {
    fn key(&self) -> Key<Self> {
        callback(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes {
            gsi1: Some((format!("{}#callbacks", self.client_id), self.id.to_string())),
            due: self.due_at(),
            ..Indexes::default()
        }
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// A client's own event endpoint.
pub fn event_endpoint(client: ClientId) -> Key<EventEndpoint> {
    Key::new(client.to_string(), "eventEndpoint")
}

impl Entity for EventEndpoint {
    fn key(&self) -> Key<Self> {
        event_endpoint(self.client_id)
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// A mail to a client.
pub fn mail(to: ClientId, id: MailId) -> Key<Mail> {
    Key::new(format!("{to}#{id}"), "mail")
}

impl Entity for Mail {
    fn key(&self) -> Key<Self> {
        mail(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        let expires: Option<Timestamp> = self.created_at.checked_add(MAIL_KEPT).ok();
        Indexes {
            due: self.due_at(),
            expires,
            ..Indexes::default()
        }
    }
    fn version(&self) -> u64 {
        self.version
    }
}
