//! One attempt of a callback: what is sent, what came back, and the one transaction that follows of it.

use secrecy::SecretString;
use tandem_domain::Timestamp;
use tandem_domain::callback::{Attempt, Callback, CallbackState, Endpoint, Outcome};
use tandem_domain::connection::CallbackSettings;
use tandem_domain::ids::MailId;
use tandem_domain::mail::{Mail, MailKind};
use tandem_domain::tenancy::Client;
use tandem_runtime::{Entropy, announce};
use tandem_sealing::{Purpose, Sealer, random};
use tandem_store::rows::{AttemptRow, DisabledEndpoint};
use tandem_store::{StoreError, Transaction, keys};
use tandem_webhooks::{Delivery, Reply, signature_header};

use crate::Worker;

impl Worker {
    /// Sends the callback that is leased, and records how it went.
    pub(crate) async fn attempt(
        &self,
        leased: Callback,
        settings: &CallbackSettings,
        person: Option<&Sealer>,
    ) -> anyhow::Result<Callback> {
        let began = self.clock.now();
        let reply = self.call(&leased, settings, person).await;
        let now = self.clock.now();
        let (answer, sealed_answer) = announce::kept_answer(&leased, leased.attempts, person, reply.answer.clone());
        let attempt = Attempt {
            number: leased.attempts,
            at: began,
            duration_ms: u64::try_from(reply.duration.as_millis()).unwrap_or(u64::MAX),
            status_code: reply.status_code,
            error: reply.error.clone(),
            answer,
            sealed_answer,
        };
        let done = leased.clone().end(reply.outcome, &self.schedule, jitter(), now);
        tracing::info!(
            callback = %done.id,
            attempt = attempt.number,
            status_code = attempt.status_code,
            error = attempt.error,
            duration_ms = attempt.duration_ms,
            state = done.state.as_str(),
            "attempted"
        );
        let source = match done.state {
            CallbackState::Exhausted { .. } | CallbackState::Held { .. } => {
                self.store.get(&keys::client(done.client_id)).await?
            }
            _ => None,
        };
        let newly_disabled =
            reply.outcome == Outcome::Gone && self.store.get(&DisabledEndpoint::key_of(done.endpoint())).await?.is_none();
        let record = |disables| self.write(done.clone(), follow(&done, &attempt, disables, source.as_ref()));
        let mut written = record(newly_disabled).await?;
        if written.is_none() && newly_disabled {
            // Another callback's 410 may have disabled the endpoint meanwhile; this attempt is recorded all the same.
            written = record(false).await?;
        }
        // Not written: the lease ran out and another worker began. Its record counts.
        Ok(written.unwrap_or(leased))
    }

    async fn call(&self, callback: &Callback, settings: &CallbackSettings, person: Option<&Sealer>) -> Reply {
        let now = self.clock.now();
        match self.prepare(callback, settings, person, now) {
            Ok(delivery) => self.sender.send(&delivery).await,
            Err(error) => {
                tracing::error!(callback = %callback.id, error = format!("{error:#}"), "a callback cannot be prepared");
                Reply::not_sent("the callback could not be prepared; the failure was logged")
            }
        }
    }

    /// Where the callback goes, its body, and the signature over it.
    fn prepare<'a>(
        &self,
        callback: &Callback,
        settings: &'a CallbackSettings,
        person: Option<&Sealer>,
        now: Timestamp,
    ) -> anyhow::Result<Delivery<'a>> {
        let (id, timestamp) = (callback.id.to_string(), now.as_second());
        let body = announce::body(&self.sealer, callback, person)?;
        let secrets = self.secrets(callback.endpoint(), settings)?;
        let signature = signature_header(&secrets, &id, timestamp, &body)?;
        Ok(Delivery { id, url: &settings.url, timestamp, signature, body })
    }

    fn secrets(&self, endpoint: Endpoint, settings: &CallbackSettings) -> anyhow::Result<Vec<SecretString>> {
        let open = |sealed: &str| -> anyhow::Result<SecretString> {
            let secret = self.sealer.open(Purpose::SigningSecret, &endpoint.to_string(), sealed)?;
            Ok(String::from_utf8(secret)?.into())
        };
        settings.secrets_at(self.clock.now()).map(|secret| open(&secret.sealed)).collect()
    }
}

/// What an attempt leaves beside the callback's own row.
fn follow(
    done: &Callback,
    attempt: &Attempt,
    disables: bool,
    source: Option<&Client>,
) -> impl FnOnce(&mut Transaction) -> Result<(), StoreError> {
    let (connection_id, callback_id, endpoint) = (done.connection_id, done.id, done.endpoint());
    let kind = match done.state {
        CallbackState::Exhausted { .. } => {
            Some(MailKind::CallbackExhausted { callback_id, connection_id, attempts: done.attempts })
        }
        CallbackState::Held { .. } if disables => Some(MailKind::EndpointDisabled { callback_id, connection_id }),
        _ => None,
    };
    move |transaction| {
        transaction.create(&AttemptRow { client_id: done.client_id, callback_id, attempt: attempt.clone() })?;
        if disables {
            let reason = format!("the receiver answered 410 to {callback_id}");
            transaction.create(&DisabledEndpoint::new(endpoint, attempt.at, reason))?;
        }
        if let (Some(kind), Some(source)) = (kind, source) {
            let id = MailId::mint(&mut Entropy::at(attempt.at));
            transaction.create(&Mail::new(id, source, kind, done.updated_at))?;
        }
        Ok(())
    }
}

/// Thousandths by which a wait is lengthened, up to a tenth of it.
fn jitter() -> u16 {
    u16::from_le_bytes(random::bytes::<2>()) % 1_001
}
