//! Records the delivery status of invitation mails from the events that SES publishes to EventBridge.
//!
//! A tag of the mail, which the event repeats, holds the connection's id. SES publishes on best effort: events arrive late,
//! in any order, twice or never, so the stored status only ever advances. Events of other mails and other deployments are
//! ignored. Only the tags, the event type and the time are read, since the rest of an event is personal data.

mod event;

use lambda_runtime::Error;
use serde_json::Value;
use tandem_domain::Timestamp;
use tandem_domain::invitation_mail::InvitationMail;
use tandem_runtime::{aws, metrics};
use tandem_store::{Store, Transaction, keys};

use event::InvitationEvent;

const CONFLICT_ATTEMPTS: usize = 6;

pub struct Notes {
    store: Store,
}

impl Notes {
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Builds it from the environment and connects to the table.
    ///
    /// # Errors
    /// A setting is missing, or the table does not respond.
    pub async fn start() -> Result<Self, Error> {
        Ok(Self::new(aws::store(&aws::config().await?).await?))
    }

    /// Records one event.
    ///
    /// # Errors
    /// The table is not available; Lambda then retries the event.
    pub async fn note(&self, event: Value) -> Result<(), Error> {
        let Some(event) = InvitationEvent::parse(event) else {
            tracing::warn!("ignored an event that is not about an invitation mail");
            return Ok(());
        };
        let is_new = self
            .store
            .until_committed(CONFLICT_ATTEMPTS, async |_| {
                let transaction = self.decide(&event).await?;
                let is_new = transaction.is_some();
                Ok::<_, Error>((transaction.unwrap_or_default(), is_new))
            })
            .await;
        metrics::throttled(self.store.throttled(), Timestamp::now());
        let is_new = is_new?;
        if is_new {
            tracing::info!(connection = %event.connection_id, status = ?event.status, "recorded a mail status");
        }
        Ok(())
    }

    /// `None` if the connection does not exist, or if the stored status is as advanced.
    async fn decide(&self, event: &InvitationEvent) -> Result<Option<Transaction>, Error> {
        let keys = (
            keys::connection(event.connection_id),
            keys::invitation_mail(event.connection_id),
        );
        let (connection, stored) = self.store.load(keys).await?;
        if connection.is_none() {
            tracing::warn!(connection = %event.connection_id, "the event names a connection of another deployment");
            return Ok(None);
        }
        let is_first = stored.is_none();
        let Some(updated) =
            InvitationMail::after(stored, event.connection_id, event.status, event.at)
        else {
            return Ok(None);
        };
        let mut transaction = Transaction::default();
        if is_first {
            transaction.create(&updated)?
        } else {
            transaction.replace(&updated)?
        }
        Ok(Some(transaction))
    }
}
