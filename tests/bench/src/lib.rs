//! What benchmarks need to run the binaries of functions as Lambda runs them: several processes at once, fed through the
//! Lambda Runtime API, on an in-process DynamoDB, with stand-ins for what else they call.

// The futures of all handlers are one deep type.
#![recursion_limit = "256"]

pub mod callbacks;
pub mod deployment;
pub mod fair_queue;
pub mod front;
pub mod import;
pub mod lambda;
pub mod ledger;
pub mod receivers;
pub mod seller;
pub mod services;
pub mod table;
