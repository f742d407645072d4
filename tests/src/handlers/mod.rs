//! All of Tandem's functions in one process: [`House`] answers API calls by the real handlers on an in-process DynamoDB and
//! works through the outbox by the real workers, with stand-ins for the queues and the mailer only.
//!
//! What is not there: the HTTP API with its authorizer (the caller is simply named), the stream, and real queues. The
//! stories against the deployed template have them.

#![allow(
    clippy::missing_panics_doc,
    reason = "what cannot be prepared fails the test where it stands"
)]

mod caller;
mod house;
mod spoil;
mod world;

pub use caller::{Answer, Who};
pub use house::{House, event_of};
pub use world::{Merchant, Pair};
