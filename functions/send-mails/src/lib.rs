//! Sends mails to clients: lease the row, send the mail, record the result. A mail about a shared offer names the carts that its
//! reader has now. A warning is sent only if it still holds.
//!
//! Not guaranteed: exactly one mail. If a worker dies after the mail service accepted the mail, the lease expires and
//! another worker sends the mail again.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::Error;
use tandem_domain::mail::{AboutCarts, Mail, MailState, NAMED_CARTS};
use tandem_domain::request_id::RequestId;
use tandem_mail::Mailer;
use tandem_queue::{Kind, Message};
use tandem_runtime::{Clock, DeadLetterHandler, aws, batch, spans};
use tandem_store::{CommitError, Store, StoreError, Transaction, keys};
use tracing::Instrument as _;

pub struct Worker {
    store: Store,
    mailer: Mailer,
    dead_letter_handler: DeadLetterHandler,
    clock: Clock,
}

impl Worker {
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

    /// Builds it from the environment and connects to the table.
    ///
    /// # Errors
    /// A setting is missing, or the table does not respond.
    pub async fn start() -> anyhow::Result<Self> {
        let config = aws::config().await?;
        let store = aws::store(&config).await?;
        let dead_letter_handler = aws::dead_letter_handler(&config, &store)?;
        Ok(Self::new(
            store,
            aws::mailer(&config)?,
            dead_letter_handler,
            Clock::default(),
        ))
    }

    /// Processes a batch and returns the messages that SQS must deliver again. Never fails; the `Result` is the runtime's.
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
        let span = spans::of_work("send a mail", mail.id, mail.request.as_ref());
        self.send_if_due(mail).instrument(span).await
    }

    async fn send_if_due(&self, mail: Mail) -> anyhow::Result<()> {
        let Some(leased) = mail.begin(self.clock.now()) else {
            // Sent already, not due yet, or leased by another worker.
            return Ok(());
        };
        let Some(leased) = self.replace(leased).await? else {
            return Ok(());
        };
        let finished = if self.still_holds(&leased).await? {
            self.attempt(self.with_carts(leased).await?).await
        } else {
            leased.cancelled(self.clock.now())
        };
        self.replace(finished).await?;
        Ok(())
    }

    /// The mail after an attempt to send it.
    async fn attempt(&self, leased: Mail) -> Mail {
        let (sent, now) = (self.mailer.send(&leased).await, self.clock.now());
        let (id, tries) = (leased.id, leased.tries);
        let request = leased.request.clone();
        let request = request.as_ref().map(RequestId::as_str);
        match sent {
            Ok(()) => {
                tracing::info!(mail = %id, request, tries, "sent");
                leased.sent(now)
            }
            Err(error) => {
                tracing::warn!(mail = %id, request, tries, %error, "a mail could not be sent");
                let failed = leased.failed(now);
                if let MailState::Failed { .. } = failed.state {
                    tracing::error!(mail = %id, request, "a mail failed after its last attempt");
                }
                failed
            }
        }
    }

    /// Whether a warning is still true; other mails are sent in any case.
    async fn still_holds(&self, mail: &Mail) -> Result<bool, StoreError> {
        let Some((owner, offer)) = mail.warns_about() else {
            return Ok(true);
        };
        let offer = self.store.get(&keys::offer(owner, offer)).await?;
        Ok(mail.still_warns(offer.as_ref(), self.clock.now()))
    }

    /// Finds the reader's carts that the mail names.
    async fn with_carts(&self, mail: Mail) -> Result<Mail, StoreError> {
        let Some(concerns) = mail.concerns() else {
            return Ok(mail);
        };
        let carts = keys::carts_of(mail.client_id);
        let page = self.store.page(&carts, None, NAMED_CARTS + 1, concerns);
        Ok(mail.naming(AboutCarts::of(&page.await?.items)))
    }

    /// Replaces the mail's row. `None` after a conflict: another worker has leased the mail and finishes it.
    async fn replace(&self, mail: Mail) -> Result<Option<Mail>, CommitError> {
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
