//! The domain's decisions, tested from outside: the full table of each state machine, every error of each rule, and the
//! stored form of each value.

mod after_sale;
mod api_keys;
mod callback;
mod callback_headers;
mod cart;
mod connection;
mod connection_edit;
mod customer;
mod endpoint_health;
mod erasure;
mod fixtures;
mod import;
mod import_chunks;
mod import_order;
mod invitation;
mod mail;
mod offer;
mod order;
mod payout;
mod purchase;
mod purchase_refused;
mod releases;
mod replay;
mod request_id;
mod sharing;
mod stored;
mod sweep;
mod tenancy;
mod terms;
mod voucher;
