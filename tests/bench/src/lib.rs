//! What benchmarks need to run the binaries of functions as Lambda runs them: several processes at once, fed through the
//! Lambda Runtime API, on an in-process DynamoDB, with stand-ins for what else they call.

pub mod fair_queue;
pub mod front;
pub mod import;
pub mod lambda;
pub mod services;
pub mod table;
