//! The JSON of each noun, as docs/openapi.yaml describes it. A view names each public member, so a new member of a stored row
//! does not become public by accident.

pub mod callback;
pub mod cart;
pub mod connection;
pub mod customer;
mod endpoint_health;
pub mod erasure;
pub mod event_endpoint;
pub mod import;
pub mod offer;
pub mod order;
pub mod payout;
pub mod replay;
pub mod subscription;
pub mod tenancy;
