//! The keys and lists of all entities. docs/table-design.md says which question each of them answers.
//!
//! A tenant's row has its tenant in the partition key: `cli_…#off_…`. A list is a partition, mostly of an index, sorted by id and
//! so by time: `cli_…#offers`. An entity names its lists in `indexes()`; reads use the same function.

mod callback;
mod canary;
mod cart;
mod connection;
mod customer;
mod endpoint;
mod erasure;
mod idempotency;
mod import;
mod limits;
mod mail;
mod offer;
mod order;
mod payout;
mod replay;
mod subscription;
mod tenancy;

pub use callback::{attempts_of, callback, callbacks_of};
pub use canary::canary;
pub use cart::{cart, carts_of};
pub use connection::{connection, connections_of, history_of, invitation_mail, pair, terms_of};
pub use customer::{customer, customers_of, guard};
pub use endpoint::{endpoint_health, event_endpoint};
pub use erasure::{erasure, erasures_of};
pub use idempotency::idempotency;
pub use import::{chunk, chunk_items, imported, imported_order, promise, promises_of, records_of};
pub use limits::{guesses, invitations, requested_callbacks};
pub use mail::mail;
pub use offer::{offer, offers_of, share, shares_with};
pub use order::{external_order, order, orders_by, orders_of};
pub use payout::{payout, payouts_of};
pub use replay::replay;
pub use subscription::{once, paid_period, subscription, subscriptions_for, subscriptions_of};
pub use tenancy::{api_key, api_keys_of, client, clients, clients_of, companies, company};
