//! Sends mails to clients. The row is leased, the mail is handed to the mail service, the row is done.
//!
//! Not guaranteed: exactly one mail. A worker that dies after the mail service took the mail leaves a lease that runs out, and
//! the mail is sent again.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::Error;
use tandem_domain::mail::{Mail, MailState};
use tandem_mail::Mailer;
use tandem_queue::{Kind, Message};
use tandem_runtime::{Clock, DeadLetterHandler, aws, batch};
use tandem_store::{CommitError, Store, Transaction, keys};

/// Sends.
pub struct Worker {
    store: Store,
    mailer: Mailer,
    dead_letter_handler: DeadLetterHandler,
    clock: Clock,
}

impl Worker {
    /// With a store, a mailer, what takes the mails that can never be sent, and a clock.
    pub fn new(
        store: Store,
        mailer: Mailer,
        dead_letter_handler: DeadLetterHandler,
        clock: Clock,
    ) -> Self {
        Self {
            store,
            mailer,
            dead_letter_handler,
            clock,
        }
    }

    /// Builds it from the environment and connects.
    ///
    /// # Errors
    /// A setting is absent, or the table does not answer.
    pub async fn start() -> anyhow::Result<Self> {
        let config = aws::config().await;
        let store = aws::store(&config).await?;
        let dead_letter_handler = aws::dead_letter_handler(&config, &store)?;
        Ok(Self::new(
            store,
            aws::mailer(&config)?,
            dead_letter_handler,
            Clock::default(),
        ))
    }

    /// Works through a batch; the answer names the messages that are to come again.
    ///
    /// # Errors
    /// Never; the type is the runtime's.
    pub async fn work(&self, event: SqsEvent) -> Result<SqsBatchResponse, Error> {
        Ok(
            batch::process(event, &[Kind::Mail], &self.dead_letter_handler, |message| {
                self.send(message)
            })
            .await,
        )
    }

    async fn send(&self, message: Message) -> anyhow::Result<()> {
        let (client, id) = message.ids()?;
        let Some(mail) = self.store.get(&keys::mail(client, id)).await? else {
            return Ok(());
        };
        let Some(leased) = mail.begin(self.clock.now()) else {
            return Ok(());
        };
        let Some(leased) = self.write(leased).await? else {
            return Ok(());
        };
        let done = match self.mailer.send(&leased).await {
            Ok(()) => leased.sent(self.clock.now()),
            Err(error) => {
                tracing::warn!(mail = %leased.id, tries = leased.tries, %error, "the mail service did not take a mail");
                leased.failed(self.clock.now())
            }
        };
        if let MailState::Failed { .. } = done.state {
            tracing::error!(mail = %done.id, "a mail is given up");
        }
        self.write(done).await?;
        Ok(())
    }

    /// Writes a mail's row; `None` when another worker was faster, who then does the rest.
    async fn write(&self, mail: Mail) -> Result<Option<Mail>, CommitError> {
        let mut transaction = Transaction::default();
        transaction.replace(&mail)?;
        match self.store.commit(transaction).await {
            Ok(()) => Ok(Some(Mail {
                version: mail.version + 1,
                ..mail
            })),
            Err(CommitError::Conflict(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
