//! The queues between due rows and the workers that process them.
//!
//! A [`Message`] holds only the key of a row: the row is the truth, the queue is only speed. A message may arrive twice,
//! late or never. The worker reads the row to decide whether any work is due, and the sweep re-sends messages for rows
//! that are still due.
//!
//! - [`Queue`] sends to one queue; [`Queues`] sends each due row to the queue of its kind.
//! - [`DeadLetterQueue`] stores messages that can never be processed, each with its [`DeadLetterReason`].
//! - [`QueueTransport`] and [`DeadLetterTransport`] carry both: SQS in production, a recorder in tests.
//!
//! The queues are standard queues with fair delivery: each message carries its tenant as message group, so one
//! merchant's backlog does not delay the others.

mod dead_letter_queue;
mod dead_letter_reason;
mod message;
mod queue;
mod queues;
mod send_error;
mod sqs;

pub use dead_letter_queue::{DeadLetter, DeadLetterQueue, DeadLetterTransport};
pub use dead_letter_reason::{DeadLetterReason, MAX_MESSAGE_BYTES};
pub use message::{Kind, Message, UnknownKind};
pub use queue::{Delayed, Queue, QueueTransport};
pub use queues::{Queues, Relayed};
pub use send_error::SendError;
pub use sqs::{MAX_DELAY, REASON, SqsTransport};
