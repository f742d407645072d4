//! Notes what became of invitations' mails: SES publishes it, a rule of EventBridge hands it over.
//!
//! An event names its connection by a tag that the mail was sent with. Events come late, in any order, twice or never (SES
//! publishes them on best effort), so a note only ever says more than the one before. What is no event of an invitation of this
//! deployment is left alone. Only tags, the kind and the time are read: the rest names people.

mod event;

use lambda_runtime::Error;
use serde_json::Value;
use tandem_domain::invitation_mail::InvitationMail;
use tandem_runtime::aws;
use tandem_store::{Store, Transaction, keys};

use event::News;

const CONFLICT_ATTEMPTS: usize = 6;

/// Notes.
pub struct Notes {
    store: Store,
}

impl Notes {
    /// With a store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Builds it from the environment and connects.
    ///
    /// # Errors
    /// A setting is absent, or the table does not answer.
    pub async fn start() -> Result<Self, Error> {
        Ok(Self::new(aws::store(&aws::config().await).await?))
    }

    /// Notes one event.
    ///
    /// # Errors
    /// The table is not available; Lambda then hands the event over again.
    pub async fn note(&self, event: Value) -> Result<(), Error> {
        let Some(news) = News::read(event) else {
            tracing::warn!("an event is none of an invitation's mail");
            return Ok(());
        };
        let is_noted = self
            .store
            .until_committed(CONFLICT_ATTEMPTS, async |_| {
                let transaction = self.decide(&news).await?;
                let is_noted = transaction.is_some();
                Ok::<_, Error>((transaction.unwrap_or_default(), is_noted))
            })
            .await?;
        if is_noted {
            tracing::info!(connection = %news.connection_id, status = ?news.status, "noted");
        }
        Ok(())
    }

    /// What is to be written, if it is news of a connection that there is.
    async fn decide(&self, news: &News) -> Result<Option<Transaction>, Error> {
        let keys = (
            keys::connection(news.connection_id),
            keys::invitation_mail(news.connection_id),
        );
        let (connection, known) = self.store.load(keys).await?;
        if connection.is_none() {
            tracing::warn!(connection = %news.connection_id, "the event names a connection of another deployment");
            return Ok(None);
        }
        let is_first = known.is_none();
        let Some(note) = InvitationMail::after(known, news.connection_id, news.status, news.at)
        else {
            return Ok(None);
        };
        let mut transaction = Transaction::default();
        if is_first {
            transaction.create(&note)?
        } else {
            transaction.replace(&note)?
        }
        Ok(Some(transaction))
    }
}
