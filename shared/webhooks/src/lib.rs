//! Callbacks on the wire: signed by Standard Webhooks 1.0, sent to addresses that partners choose.
//!
//! The flow of one attempt:
//! 1. [`signature_header`] signs the exact bytes that are sent.
//! 2. [`Sender`] checks the URL again, resolves its name once, checks *all* addresses
//!    ([`public_address`](tandem_domain::public_address)), and connects to one
//!    of them. There is no second lookup, which could return other addresses.
//! 3. It sends one POST, follows no redirects, and reads the answer before fixed deadlines. The status line decides
//!    ([`answer_head`]); the octets and the reads are bounded, so that a receiver that floods takes no time from others.
//! 4. A connection whose exchange was strictly HTTP/1.1 serves the next attempt at the same endpoint in the same invocation
//!    ([`Connections`]), with the bounds of a new one.
//! 5. [`Reply`] holds the outcome and the entries for the log of attempts.
//!
//! A sender never fails and never panics: every attempt ends as a [`Reply`], whose error text a person can act on.
//! Not guaranteed: that the receiver did not get a callback whose attempt failed. It may have answered too late; it
//! must check the `webhook-id`.

pub mod answer_head;
mod bounded;
mod connector;
mod exchange;
mod failure;
mod pool;
mod reply;
mod resolver;
pub mod retry_after;
mod sender;
mod settings;
mod sign;

pub use failure::Failure;
pub use reply::Reply;
pub use resolver::{Lookup, Resolver, SystemResolver};
pub use sender::{Connections, Delivery, Sender, SenderError};
pub use settings::SenderSettings;
pub use sign::{InvalidSecret, signature_header};
