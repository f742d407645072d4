//! All queues together.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_store::outbox::Due;

use crate::message::{Kind, Message};
use crate::queue::{Queue, SendError};

/// The queue of each kind of work. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Queues {
    callbacks: Queue,
    mails: Queue,
    imports: Queue,
}

impl Queues {
    /// With the queue of each kind.
    pub fn new(callbacks: Queue, mails: Queue, imports: Queue) -> Self {
        Self {
            callbacks,
            mails,
            imports,
        }
    }

    /// Hands due rows to the queues of their kinds, at once. A queue that fails does not hinder the others. Rows that no
    /// queue takes are logged and left: they stay due and are seen by every sweep.
    ///
    /// # Errors
    /// Of the first queue that did not take all of its messages.
    pub async fn send(&self, due: Vec<Due>) -> Result<(), SendError> {
        let messages = due.into_iter().filter_map(|due| {
            Message::try_from(due)
                .inspect_err(|error| tracing::error!(%error, "a due row has no worker"))
                .ok()
        });
        let (mut callbacks, mut mails, mut imports) = (Vec::new(), Vec::new(), Vec::new());
        for message in messages {
            match message.kind {
                Kind::Callback | Kind::Replay => callbacks.push(message),
                Kind::Mail => mails.push(message),
                Kind::Import => imports.push(message),
            }
        }
        let imports = interleaved(imports);
        let callbacks = self.callbacks.send(&callbacks, Duration::ZERO);
        let mails = self.mails.send(&mails, Duration::ZERO);
        let imports = self.imports.send(&imports, Duration::ZERO);
        let (callbacks, mails, imports) = futures::future::join3(callbacks, mails, imports).await;
        callbacks.and(mails).and(imports)
    }
}

/// The tenants in turn, so that a small import stands beside the first chunks of a large one and not behind its last.
fn interleaved(messages: Vec<Message>) -> Vec<Message> {
    let mut turns: BTreeMap<String, usize> = BTreeMap::new();
    let mut with_turn: Vec<(usize, Message)> = Vec::with_capacity(messages.len());
    for message in messages {
        let turn = turns.entry(message.tenant.clone()).or_default();
        with_turn.push((*turn, message));
        *turn += 1;
    }
    with_turn.sort_by_key(|(turn, _)| *turn);
    with_turn.into_iter().map(|(_, message)| message).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(kind: &str) -> Due {
        Due {
            pk: format!("cli_1#{kind}"),
            sk: kind.to_owned(),
        }
    }

    #[tokio::test]
    async fn each_row_goes_to_the_queue_of_its_kind() {
        let ((callbacks, sent_callbacks), (mails, sent_mails)) =
            (Queue::recording(), Queue::recording());
        let (imports, sent_imports) = Queue::recording();
        let queues = Queues::new(callbacks, mails, imports);
        let rows = vec![
            due("callback"),
            due("mail"),
            due("parcel"),
            due("mail"),
            due("chunk#007"),
            due("replay"),
        ];
        queues.send(rows).await.expect("sent");
        let sent = sent_imports.take();
        assert_eq!(
            (sent[0].message.kind, sent[0].message.number()),
            (Kind::Import, Ok(7))
        );
        let kinds = |sent: Vec<crate::Sent>| {
            sent.into_iter()
                .map(|sent| sent.message.kind)
                .collect::<Vec<_>>()
        };
        assert_eq!(kinds(sent_callbacks.take()), [Kind::Callback, Kind::Replay]);
        assert_eq!(kinds(sent_mails.take()), [Kind::Mail, Kind::Mail]);
    }

    #[test]
    fn the_chunks_of_tenants_take_turns() {
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
            .map(|row| Message::try_from(row).expect("a chunk"))
            .collect();
        let order: String = interleaved(messages)
            .iter()
            .map(|message| message.tenant.as_str())
            .collect();
        assert_eq!(order, "abcaca");
    }

    #[tokio::test]
    async fn a_broken_queue_does_not_hinder_the_others() {
        let ((callbacks, sent_callbacks), (mails, sent_mails)) =
            (Queue::recording(), Queue::recording());
        sent_callbacks.set_broken(true);
        let (imports, _) = Queue::recording();
        let result = Queues::new(callbacks, mails, imports)
            .send(vec![due("callback"), due("mail")])
            .await;
        assert_eq!(result.map_err(|error| error.failed), Err(1));
        assert_eq!(sent_mails.take().len(), 1);
    }
}
