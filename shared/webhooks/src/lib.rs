//! Callbacks on the wire: signed as Standard Webhooks 1.0 wants it, sent to addresses that partners choose.
//!
//! The flow of one attempt:
//! 1. [`signature_header`] makes the `webhook-signature` header over the very bytes that are sent.
//! 2. [`Sender`] looks at the URL again, looks its name up once, lets the judge of [`address`] look at *all* answers, and
//!    connects to one of the answers that were judged: no second look-up that could answer otherwise.
//! 3. It sends one POST, follows no redirect, and reads a bounded answer before fixed deadlines.
//! 4. [`Reply`] tells the outcome, and what the log of attempts is to hold.
//!
//! A sender never fails and never panics: whatever a receiver does ends as a [`Reply`] with a text that a person can act on.
//! Not guaranteed: that a callback whose attempt failed was not received. A receiver may have taken it and then
//! answered too late; it must look at the `webhook-id`.

pub mod address;
mod failure;
mod reply;
mod resolver;
pub mod retry_after;
mod sender;
mod settings;
mod sign;

pub use reply::Reply;
pub use resolver::{LookUp, Resolver, SystemResolver};
pub use sender::{Delivery, Sender, SenderError};
pub use settings::SenderSettings;
pub use sign::{InvalidSecret, signature_header};
