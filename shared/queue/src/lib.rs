//! The queues: how a worker is told which row to look at.
//!
//! A message names a row and holds nothing else; the row is the truth. Losing a message delays, doubling one is harmless.

mod message;
mod queue;

pub use message::{InvalidMessage, Kind, Message};
pub use queue::{Queue, Queues, SendError, Sent};
