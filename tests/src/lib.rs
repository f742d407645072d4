//! What the stories are told with: the stack that is up, callers of its API, a receiver of callbacks, the mails that were
//! sent, and the people who take part.
//!
//! - [`Stack`]: where the deployed template can be reached.
//! - [`Api`] and [`Answer`]: a caller and what came back.
//! - [`World`]: makes contracting companies, clients with keys, and connected pairs of them, fresh for each story, so that
//!   stories run side by side on one stack.
//! - [`Client`]: a merchant, with what merchants do in most stories.
//! - [`Receiver`]: a partner's system that takes callbacks, and [`verified`], which trusts none of our own code.
//! - [`mails_to`]: what a client found in its inbox.
//! - [`eventually`]: waits for what happens after the answer.
//! - [`side_by_side`]: does much of the same, some at a time.
//! - [`rows_about`]: what the table holds, for stories in which nothing may be written; [`table::spoil`]: makes a row unreadable.
//! - [`operate()`]: what those see who run Tandem; [`queue`]: messages that Tandem did not send.
//! - [`trespass()`]: what functions are let do with the table, tried in their names.
//!
//! Only for stories: what goes wrong panics, and says what was called and what came back. Nothing is skipped without a
//! stack: see [`Stack::get`].

mod answer;
mod api;
mod callbacks;
mod client;
mod connection;
pub mod handlers;
mod mails;
mod operate;
pub mod queue;
mod receiver;
mod said;
mod side_by_side;
mod stack;
pub mod table;
mod trespass;
mod wait;
mod world;

pub use answer::{Answer, id};
pub use api::{Api, Call};
pub use callbacks::{callback_about, callbacks_of};
pub use client::{Client, mandatory, optional, preselected};
pub use connection::{Pair, Sale};
pub use mails::{Mail, mail_to, mails_to};
pub use operate::operate;
pub use receiver::{Received, Receiver, Reply, verified};
pub use side_by_side::side_by_side;
pub use stack::Stack;
pub use table::rows_about;
pub use trespass::{LetDo, trespass};
pub use wait::eventually;
pub use world::{Company, Module, World};
