//! What the domain decides, asked from outside: each state machine's full table, each rule's every reason, and what is
//! stored.

mod after_sale;
mod callback;
mod cart;
mod connection;
mod connection_edit;
mod customer;
mod endpoint_health;
mod erasure;
mod fixtures;
mod import;
mod invitation;
mod mail;
mod offer;
mod order;
mod payout;
mod purchase;
mod purchase_refused;
mod replay;
mod sharing;
mod stored;
mod tenancy;
mod voucher;
