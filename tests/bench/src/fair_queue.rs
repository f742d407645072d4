//! A stand-in for a standard SQS queue whose messages have a `MessageGroupId`.
//!
//! A received message is hidden until it is deleted or its visibility timeout ends, then it is received again; after the last
//! receive it becomes a dead letter. SQS prefers quiet groups over a group that fills the queue ("fair queues"). The stand-in
//! takes the groups in turn, which is the plainest form of that; the exact rule of SQS is not published.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

#[derive(Debug, Clone)]
pub struct Message {
    /// Counts up; the `messageId`.
    pub number: u64,
    pub body: String,
    /// Receives so far, including this one.
    pub received: u32,
    group: String,
    hidden_until: Instant,
}

#[derive(Debug)]
pub struct FairQueue {
    visibility: Duration,
    max_receives: u32,
    state: Mutex<State>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct State {
    sent: u64,
    dead: usize,
    groups: VecDeque<(String, VecDeque<Message>)>,
    /// Delayed and received messages, by the time when they can be received.
    hidden: BTreeMap<(Instant, u64), Message>,
}

impl FairQueue {
    /// `max_receives` is SQS's `maxReceiveCount`.
    pub fn new(visibility: Duration, max_receives: u32) -> Self {
        Self {
            visibility,
            max_receives,
            state: Mutex::default(),
            filled: Notify::new(),
        }
    }

    pub fn push(&self, group: &str, body: String, delay: Duration) {
        let now = Instant::now();
        let mut state = self.state();
        let number = state.sent;
        state.sent += 1;
        let message = Message {
            number,
            body,
            received: 0,
            group: group.to_owned(),
            hidden_until: now + delay,
        };
        if delay.is_zero() {
            state.show(message);
        } else {
            state.hidden.insert((message.hidden_until, number), message);
        }
        drop(state);
        self.filled.notify_waiters();
    }

    /// The number of messages sent so far.
    pub fn sent(&self) -> u64 {
        self.state().sent
    }

    /// The number of messages that can be received.
    pub fn len(&self) -> usize {
        self.state()
            .groups
            .iter()
            .map(|(_, messages)| messages.len())
            .sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of dead letters.
    pub fn dead(&self) -> usize {
        self.state().dead
    }

    /// Returns up to `max` messages, one of each group in turn; waits for the first.
    pub async fn receive(&self, max: usize) -> Vec<Message> {
        loop {
            let filled = self.filled.notified();
            let (received, next) = self.receive_at(Instant::now(), max);
            if !received.is_empty() {
                return received;
            }
            let Some(next) = next else {
                filled.await;
                continue;
            };
            tokio::select! {
                () = filled => {}
                () = sleep_until(next) => {}
            }
        }
    }

    pub fn delete(&self, message: &Message) {
        self.state()
            .hidden
            .remove(&(message.hidden_until, message.number));
    }

    /// Returns the messages that can be received, and the time when the next hidden message returns.
    fn receive_at(&self, now: Instant, max: usize) -> (Vec<Message>, Option<Instant>) {
        let mut state = self.state();
        while let Some(hidden) = state
            .hidden
            .first_entry()
            .filter(|hidden| hidden.key().0 <= now)
        {
            let message = hidden.remove();
            if message.received < self.max_receives {
                state.show(message)
            } else {
                state.dead += 1
            }
        }
        let mut received = Vec::new();
        while received.len() < max {
            let Some(message) = state.next() else { break };
            let message = Message {
                received: message.received + 1,
                hidden_until: now + self.visibility,
                ..message
            };
            state
                .hidden
                .insert((message.hidden_until, message.number), message.clone());
            received.push(message);
        }
        (received, state.hidden.keys().next().map(|(at, _)| *at))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn show(&mut self, message: Message) {
        match self
            .groups
            .iter_mut()
            .find(|(name, _)| *name == message.group)
        {
            Some((_, messages)) => messages.push_back(message),
            None => self
                .groups
                .push_back((message.group.clone(), VecDeque::from([message]))),
        }
    }

    fn next(&mut self) -> Option<Message> {
        let (name, mut messages) = self.groups.pop_front()?;
        let next = messages.pop_front();
        if !messages.is_empty() {
            self.groups.push_back((name, messages));
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VISIBILITY: Duration = Duration::from_secs(360);

    fn bodies(queue: &FairQueue, now: Instant, max: usize) -> Vec<String> {
        queue
            .receive_at(now, max)
            .0
            .into_iter()
            .map(|message| message.body)
            .collect()
    }

    #[test]
    fn groups_take_turns() {
        let queue = FairQueue::new(VISIBILITY, 5);
        for (group, body) in [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1")] {
            queue.push(group, body.to_owned(), Duration::ZERO);
        }
        let now = Instant::now();
        assert_eq!(bodies(&queue, now, 3), ["a1", "b1", "a2"]);
        assert_eq!(
            (bodies(&queue, now, 3), queue.len()),
            (vec!["a3".to_owned()], 0)
        );
    }

    #[test]
    fn a_message_that_is_not_deleted_returns_until_it_is_dead() {
        let queue = FairQueue::new(VISIBILITY, 2);
        queue.push("a", "done".to_owned(), Duration::ZERO);
        queue.push("a", "failed".to_owned(), Duration::ZERO);
        let start = Instant::now();
        let (first, next) = queue.receive_at(start, 10);
        assert_eq!(
            (first.len(), first[0].received, next),
            (2, 1, Some(start + VISIBILITY))
        );
        queue.delete(&first[0]);
        assert_eq!(
            bodies(&queue, start + VISIBILITY / 2, 10),
            Vec::<String>::new()
        );
        assert_eq!(bodies(&queue, start + VISIBILITY, 10), ["failed"]);
        assert_eq!(
            (bodies(&queue, start + VISIBILITY * 2, 10), queue.dead()),
            (vec![], 1)
        );
    }

    #[test]
    fn a_delayed_message_is_received_after_its_delay() {
        let queue = FairQueue::new(VISIBILITY, 5);
        queue.push("a", "later".to_owned(), Duration::from_secs(5));
        let now = Instant::now();
        assert_eq!(bodies(&queue, now, 10), Vec::<String>::new());
        assert_eq!(bodies(&queue, now + Duration::from_secs(6), 10), ["later"]);
    }
}
