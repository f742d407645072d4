//! The queues between the rows that are due and the workers that look at them.
//!
//! A [`Message`] names a row and holds nothing of it: the row is the truth, the queue is only speed. A message may come twice, late
//! or never; the worker reads the row and sees whether there is something to do, and the sweep sends again what is still
//! due.
//!
//! - [`Queue`] sends to one queue, [`Queues`] sorts due rows into the queue of their kind.
//! - [`DeadLetterQueue`] takes what can never be handled, with its reason: a [`DeadLetterReason`].
//! - [`Recorder`] keeps what tests send instead.
//!
//! The queues are standard ones with fair delivery: each message carries its tenant as message group, so that a busy
//! merchant's backlog does not hold up the others.

mod dead_letter_queue;
mod dead_letter_reason;
mod message;
mod queue;
mod queues;
mod recorder;

pub use dead_letter_queue::{DeadLetter, DeadLetterQueue, DeadLetterRecorder, REASON};
pub use dead_letter_reason::{DeadLetterReason, MOST_BYTES};
pub use message::{Kind, Message, UnknownKind};
pub use queue::{LONGEST_DELAY, Queue, SendError};
pub use queues::Queues;
pub use recorder::{Recorder, Sent};
