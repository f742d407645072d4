//! The queues of all kinds of work.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_domain::sweep::Handover;
use tandem_store::outbox::{Beside, Due};

use crate::{Delayed, Kind, Message, Queue, SendError};

/// A row whose message is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relayed {
    pub due: Due,
    pub beside: Option<Beside>,
    /// Until the message is visible.
    pub delay: Duration,
}

impl Relayed {
    fn now(due: Due) -> Self {
        Self {
            due,
            beside: None,
            delay: Duration::ZERO,
        }
    }
}

/// One queue per kind of work. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Queues {
    callbacks: Queue,
    mails: Queue,
    imports: Queue,
}

impl Queues {
    pub fn new(callbacks: Queue, mails: Queue, imports: Queue) -> Self {
        Self {
            callbacks,
            mails,
            imports,
        }
    }

    /// Sends a message for each due row, without delay; see [`Queues::send_after`].
    ///
    /// # Errors
    /// The error of the first queue that failed.
    pub async fn send(&self, due: Vec<Due>) -> Result<(), SendError> {
        let now = due.into_iter().map(Relayed::now);
        self.send_after(now.collect()).await
    }

    /// Sends a message for each row to the queue of its kind, visible after a delay of at most [`MAX_DELAY`](crate::MAX_DELAY). A
    /// queue that fails does not affect the others. Rows of an unknown kind are logged and skipped.
    ///
    /// # Errors
    /// The error of the first queue that failed.
    pub async fn send_after(&self, due: Vec<Relayed>) -> Result<(), SendError> {
        let sent = self.send_each(due).await;
        sent.callbacks.and(sent.mails).and(sent.imports)
    }

    /// Sends a message for each row without delay, and returns how each row's message ended, in the order of the rows. If a queue
    /// fails, none of its messages counts as sent.
    pub async fn hand_over(&self, due: &[Due]) -> (Vec<Handover>, Result<(), SendError>) {
        let sent = self.send_each(due.iter().cloned().map(Relayed::now).collect());
        let sent = sent.await;
        let ended = |due: &Due| match Kind::of_row(&due.sk).map(|kind| sent.of(kind)) {
            Some(Ok(())) => Handover::Sent,
            Some(Err(_)) => Handover::NotSent,
            None => Handover::NoQueue,
        };
        let ended = due.iter().map(ended).collect();
        (ended, sent.callbacks.and(sent.mails).and(sent.imports))
    }

    async fn send_each(&self, due: Vec<Relayed>) -> Sent {
        let messages = due
            .into_iter()
            .filter_map(|Relayed { due, beside, delay }| {
                Message::try_from(due)
                    .inspect_err(
                        |error| tracing::error!(%error, "no worker processes this due row"),
                    )
                    .ok()
                    .map(|message| Message { beside, ..message })
                    .map(|message| Delayed { message, delay })
            });
        let (mut callbacks, mut mails, mut imports) = (Vec::new(), Vec::new(), Vec::new());
        for message in messages {
            match message.message.kind {
                Kind::Callback | Kind::Replay => callbacks.push(message),
                Kind::Mail => mails.push(message),
                Kind::Import => imports.push(message),
            }
        }
        let imports = interleaved(imports);
        let callbacks = self.callbacks.send(&callbacks);
        let mails = self.mails.send(&mails);
        let imports = self.imports.send(&imports);
        let (callbacks, mails, imports) = futures::future::join3(callbacks, mails, imports).await;
        Sent {
            callbacks,
            mails,
            imports,
        }
    }
}

/// The end of the sends to each queue.
struct Sent {
    callbacks: Result<(), SendError>,
    mails: Result<(), SendError>,
    imports: Result<(), SendError>,
}

impl Sent {
    fn of(&self, kind: Kind) -> &Result<(), SendError> {
        match kind {
            Kind::Callback | Kind::Replay => &self.callbacks,
            Kind::Mail => &self.mails,
            Kind::Import => &self.imports,
        }
    }
}

/// Orders messages round-robin by tenant, so that a small import does not wait for the last chunk of a large one.
fn interleaved(messages: Vec<Delayed>) -> Vec<Delayed> {
    let mut turns: BTreeMap<String, usize> = BTreeMap::new();
    let mut with_turn: Vec<(usize, Delayed)> = Vec::with_capacity(messages.len());
    for message in messages {
        let turn = turns.entry(message.message.tenant.clone()).or_default();
        with_turn.push((*turn, message));
        *turn += 1;
    }
    with_turn.sort_by_key(|(turn, _)| *turn);
    with_turn.into_iter().map(|(_, message)| message).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_of_tenants_are_interleaved() {
        let due = |tenant: &str, number: u32| Due {
            pk: format!("{tenant}#prm"),
            sk: format!("chunk#{number:03}"),
        };
        let rows = [
            due("a", 0),
            due("a", 1),
            due("a", 2),
            due("b", 0),
            due("c", 0),
            due("c", 1),
        ];
        let messages = rows
            .into_iter()
            .map(|row| Delayed {
                message: Message::try_from(row).expect("a chunk"),
                delay: Duration::ZERO,
            })
            .collect();
        let order: String = interleaved(messages)
            .iter()
            .map(|message| message.message.tenant.as_str())
            .collect();
        assert_eq!(order, "abcaca");
    }
}
