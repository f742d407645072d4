//! Where the same callers play the same stories: against the deployed template, or in this process.

mod deployed;
mod exchanges;
pub(crate) mod in_process;
mod settle;
pub(crate) mod stack;
pub mod table;

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;

pub use deployed::Deployed;
pub use in_process::InProcess;
pub use stack::Stack;
pub use table::Row;

use crate::answer::Answer;
use crate::mail::Mail;
use crate::request::Request;

/// An installation of Tandem. Every answer that it gives was found in docs/openapi.yaml.
pub trait Stage: Send + Sync {
    fn send(&self, request: Request) -> BoxFuture<'_, Answer>;

    /// All mails to an address, the oldest first.
    fn mails_to<'a>(&'a self, email: &'a str) -> BoxFuture<'a, Vec<Mail>>;

    /// All rows that contain one of the texts, e.g. a client's id, in the order of their keys. Reads the whole table.
    fn rows_about<'a>(&'a self, texts: &'a [&'a str]) -> BoxFuture<'a, Vec<Row>>;

    /// The time by the functions' clock.
    fn now(&self) -> Timestamp;

    fn operator_key(&self) -> &str;

    /// Lets outstanding work go on for a while.
    ///
    /// # Errors
    /// Waiting longer is pointless: nothing is due, or too much time has passed since `began`.
    fn proceed(&self, began: Instant) -> BoxFuture<'_, Result<(), String>>;
}
