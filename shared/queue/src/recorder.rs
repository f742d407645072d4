//! A stand-in for a queue.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::message::Message;
use crate::queue::SendError;

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The message.
    pub message: Message,
    /// After which delay it would have come.
    pub delay: Duration,
}

/// Keeps what was sent to [`crate::Queue::recording`], for tests to look at.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    sent: Vec<Sent>,
    broken: bool,
}

impl Recorder {
    /// What was sent since the last call.
    pub fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut self.state().sent)
    }

    /// From now on the queue takes nothing, or takes everything again.
    pub fn set_broken(&self, broken: bool) {
        self.state().broken = broken;
    }

    pub(crate) fn record(&self, messages: &[Message], delay: Duration) -> Result<(), SendError> {
        let mut state = self.state();
        if state.broken {
            let count = messages.len();
            return Err(SendError {
                failed: count,
                messages: count,
                cause: "the queue is broken".to_owned(),
            });
        }
        state.sent.extend(messages.iter().map(|message| Sent {
            message: message.clone(),
            delay,
        }));
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panics elsewhere must not hide what it found.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
