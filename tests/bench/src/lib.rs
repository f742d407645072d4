//! Runs the functions' binaries as Lambda does: several processes at once, fed through the Lambda Runtime API, on an in-process
//! DynamoDB, with stand-ins for the other services.

// The handlers' futures are a deeply nested type.
#![recursion_limit = "256"]

pub mod callback_figures;
pub mod callbacks;
pub mod counting_proxy;
pub mod deliveries;
pub mod deployment;
pub mod fair_queue;
pub mod import;
pub mod lambda;
pub mod long_index;
pub mod receivers;
pub mod seller;
pub mod services;
pub mod start;
pub mod table;
