//! The JSON of each noun, as docs/openapi.yaml describes it. What is stored and what is shown are different things: a view
//! names every member that leaves the house.

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
