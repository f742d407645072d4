//! The cast of all tests of the whole, on two stages.
//!
//! - [`Stage`]: an installation, [`Deployed`] from the template or [`InProcess`]. [`Setup::new`] chooses one for a story.
//! - [`Setup`]: the operator, who creates contracting companies, clients and connected pairs.
//! - [`Client`], [`Pair`], [`Checkout`], [`Sale`]: merchants and their sales.
//! - [`Setup::pair_with_long_names`]: for tests that count units: names of real length.
//! - [`Api`], [`Answer`]: a caller, and an answer that docs/openapi.yaml describes.
//! - [`Receiver`], [`verified`]: a partner's system that receives callbacks, and verifies them without our code.
//! - `stage.settle(…)`: waits for effects that follow an answer.
//! - [`Stack`], [`operate()`], [`queue`], [`table`], [`table_access()`]: for tests that need a deployed stack.
//!
//! A failure panics with the call and its answer.

#![allow(
    clippy::missing_panics_doc,
    reason = "a failed preparation fails the test"
)]

mod answer;
mod api;
mod attempts;
mod client;
mod importing;
mod long_names;
mod mail;
mod operate;
mod pair;
pub mod queue;
mod receiver;
mod request;
mod setup;
mod side_by_side;
mod stage;
mod table_access;

pub use answer::{Answer, id};
pub use api::{Api, Call};
pub use attempts::attempts_of;
pub use client::{Client, mandatory, optional, preselected};
pub use importing::{Importing, managed_offer};
pub use mail::Mail;
pub use operate::operate;
pub use pair::{Checkout, Pair, Sale};
pub use receiver::{Received, Receiver, Release, Reply, is_signed_with, verified};
pub use request::Request;
pub use setup::{Company, Module, Setup};
pub use side_by_side::side_by_side;
pub use stage::in_process::event_of;
pub use stage::{Deployed, InProcess, Row, Stack, Stage, table};
pub use table_access::{Access, table_access};
