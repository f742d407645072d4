//! A stand-in for a standard SQS queue whose messages have a `MessageGroupId`.
//!
//! SQS favours groups that are quiet over one that fills the queue ("fair queues"). The stand-in takes the groups in turn, which
//! is the clearest form of that; what SQS does exactly is not published.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// Messages by group.
#[derive(Debug, Default)]
pub struct FairQueue {
    groups: Mutex<VecDeque<(String, VecDeque<String>)>>,
    filled: Notify,
}

impl FairQueue {
    /// Adds a message.
    pub fn push(&self, group: &str, body: String) {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        match groups.iter_mut().find(|(name, _)| name == group) {
            Some((_, messages)) => messages.push_back(body),
            None => groups.push_back((group.to_owned(), VecDeque::from([body]))),
        }
        self.filled.notify_waiters();
    }

    /// Messages that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups.iter().map(|(_, messages)| messages.len()).sum()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Up to `most` messages, one of each group in turn; waits for the first.
    pub async fn take(&self, most: usize) -> Vec<String> {
        loop {
            let filled = self.filled.notified();
            let taken = self.take_now(most);
            if !taken.is_empty() {
                return taken;
            }
            filled.await;
        }
    }

    fn take_now(&self, most: usize) -> Vec<String> {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::new();
        while taken.len() < most {
            let Some((name, mut messages)) = groups.pop_front() else { break };
            taken.extend(messages.pop_front());
            if !messages.is_empty() {
                groups.push_back((name, messages));
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_take_turns() {
        let queue = FairQueue::default();
        for (group, body) in [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1")] {
            queue.push(group, body.to_owned());
        }
        assert_eq!(queue.take_now(3), ["a1", "b1", "a2"]);
        assert_eq!((queue.take_now(3), queue.len()), (vec!["a3".to_owned()], 0));
    }
}
