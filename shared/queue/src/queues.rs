//! All queues together.

use std::time::Duration;

use tandem_store::outbox::Due;

use crate::message::{Kind, Message};
use crate::queue::{Queue, SendError};

/// The queue of each kind of work. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Queues {
    callbacks: Queue,
    mails: Queue,
}

impl Queues {
    /// With the queue of each kind.
    #[must_use]
    pub fn new(callbacks: Queue, mails: Queue) -> Self {
        Self { callbacks, mails }
    }

    /// Hands due rows to the queues of their kinds, at once. A queue that fails does not hinder the other. Rows that no
    /// queue takes are logged and left: they stay due and are seen by every sweep.
    ///
    /// # Errors
    /// Of the first queue that did not take all of its messages.
    pub async fn send(&self, due: Vec<Due>) -> Result<(), SendError> {
        let messages = due.into_iter().filter_map(|due| {
            Message::try_from(due).inspect_err(|error| tracing::error!(%error, "a due row has no worker")).ok()
        });
        let (callbacks, mails): (Vec<_>, Vec<_>) = messages.partition(|message| message.kind == Kind::Callback);
        let callbacks = self.callbacks.send(&callbacks, Duration::ZERO);
        let mails = self.mails.send(&mails, Duration::ZERO);
        let (callbacks, mails) = futures::future::join(callbacks, mails).await;
        callbacks.and(mails)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(kind: &str) -> Due {
        Due { pk: format!("cli_1#{kind}"), sk: kind.to_owned() }
    }

    #[tokio::test]
    async fn each_row_goes_to_the_queue_of_its_kind() {
        let ((callbacks, sent_callbacks), (mails, sent_mails)) = (Queue::recording(), Queue::recording());
        let queues = Queues::new(callbacks, mails);
        queues.send(vec![due("callback"), due("mail"), due("parcel"), due("mail")]).await.expect("sent");
        let kinds = |sent: Vec<crate::Sent>| sent.into_iter().map(|sent| sent.message.kind).collect::<Vec<_>>();
        assert_eq!(kinds(sent_callbacks.take()), [Kind::Callback]);
        assert_eq!(kinds(sent_mails.take()), [Kind::Mail, Kind::Mail]);
    }

    #[tokio::test]
    async fn a_broken_queue_does_not_hinder_the_other() {
        let ((callbacks, sent_callbacks), (mails, sent_mails)) = (Queue::recording(), Queue::recording());
        sent_callbacks.set_broken(true);
        let result = Queues::new(callbacks, mails).send(vec![due("callback"), due("mail")]).await;
        assert_eq!(result.map_err(|error| error.failed), Err(1));
        assert_eq!(sent_mails.take().len(), 1);
    }
}
