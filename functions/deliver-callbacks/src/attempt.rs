//! One attempt of a callback: what is sent, what came back, and the one transaction that follows of it.

use std::pin::pin;

use secrecy::SecretString;
use tandem_domain::Timestamp;
use tandem_domain::callback::{Attempt, Callback, CallbackState, Endpoint};
use tandem_domain::connection::CallbackSettings;
use tandem_domain::endpoint_health::{Attempted, Cause, Change, EndpointHealth, HealthState};
use tandem_domain::ids::MailId;
use tandem_domain::mail::{Mail, MailKind};
use tandem_domain::tenancy::Client;
use tandem_runtime::{RandomIds, callback_body};
use tandem_sealing::{Purpose, Sealer};
use tandem_store::rows::AttemptRow;
use tandem_store::{CommitError, StoreError, Transaction, keys};
use tandem_webhooks::{Delivery, Reply, signature_header};
use tokio::join;
use tokio::time::timeout;

use crate::known::Known;
use crate::lease::Leased;
use crate::{MOST_TRIES, Worker, chance};

/// An attempt that is over.
struct Over {
    /// As it was while in flight.
    leased: Callback,
    reply: Reply,
    attempt: Attempt,
    /// By how much the next wait is lengthened.
    jitter: u16,
    now: Timestamp,
}

impl Worker {
    /// Sends the callback that is leased, and records how it went.
    pub(crate) async fn attempt(&self, leased: Leased) -> anyhow::Result<Callback> {
        let began = self.clock.now();
        let (reply, known) = self.exchange(&leased).await;
        let Leased {
            callback, person, ..
        } = leased;
        let (answer, sealed_answer) = callback_body::seal_answer(
            &callback,
            callback.attempts,
            person.as_ref(),
            reply.answer.clone(),
        );
        let attempt = Attempt {
            number: callback.attempts,
            at: began,
            duration_ms: u64::try_from(reply.duration.as_millis()).unwrap_or(u64::MAX),
            status_code: reply.status_code,
            error: reply.error.clone(),
            answer,
            sealed_answer,
        };
        let over = Over {
            leased: callback,
            reply,
            attempt,
            jitter: chance(),
            now: self.clock.now(),
        };
        self.record(over, known).await
    }

    /// Writes what follows of an attempt. The endpoint's state may have changed since the lease: it is then decided anew. If it
    /// has another address by now, the attempt says nothing of it.
    async fn record(&self, over: Over, mut known: Known) -> anyhow::Result<Callback> {
        let leased = &over.leased;
        let attempted = Attempted {
            callback_id: leased.id,
            outcome: over.reply.outcome,
            status_code: over.reply.status_code,
        };
        for tries in 0..=MOST_TRIES {
            let change = match tries {
                // Others are always faster at the endpoint's row, so they tell what is to be known of it.
                MOST_TRIES => Change::None,
                _ if known.has_moved() => Change::None,
                _ => EndpointHealth::after(
                    known.health.as_ref(),
                    leased.endpoint(),
                    attempted,
                    over.now,
                ),
            };
            let done = self.ended(&over, &change);
            match self.write(&over, &done, &known, &change).await {
                Ok(()) => {
                    tell(&over, &done, &change);
                    return Ok(Callback {
                        version: done.version + 1,
                        ..done
                    });
                }
                Err(error @ CommitError::Conflict(_))
                    if !error.concerns(&keys::callback(leased.client_id, leased.id)) =>
                {
                    known = self.look_again(known).await?;
                }
                // The lease ran out and another worker began. Its record counts.
                Err(CommitError::Conflict(_)) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(over.leased)
    }

    /// The callback after the attempt. One that is the last before its endpoint is disabled is held like those to come; one
    /// that waits less than its endpoint's pause comes as the probe.
    fn ended(&self, over: &Over, change: &Change) -> Callback {
        let ended = || {
            over.leased
                .clone()
                .end(over.reply.outcome, &self.schedule, over.jitter, over.now)
        };
        match change {
            Change::None | Change::Recovered => ended(),
            Change::Disabled(_) => over.leased.clone().hold(over.now),
            Change::Now(health) | Change::Warned(health) => match health.paused_until() {
                Some(until) => ended().postpone(until, over.now),
                None => ended(),
            },
        }
    }

    async fn write(
        &self,
        over: &Over,
        done: &Callback,
        known: &Known,
        change: &Change,
    ) -> Result<(), CommitError> {
        let mut transaction = Transaction::default();
        transaction.replace(done)?;
        let (client_id, callback_id) = (done.client_id, done.id);
        transaction.create(&AttemptRow {
            client_id,
            callback_id,
            attempt: over.attempt.clone(),
        })?;
        match change {
            Change::None => {}
            Change::Recovered => known.write_healthy(&mut transaction),
            Change::Now(after) | Change::Warned(after) | Change::Disabled(after) => {
                known.write(after, &mut transaction)?
            }
        }
        let mails = mails(done, known.health.as_ref(), change);
        if !mails.is_empty()
            && let Some(source) = self.store.get(&keys::client(client_id)).await?
        {
            write_mails(&mut transaction, &source, mails, over.now)?;
        }
        self.store.commit(transaction).await
    }

    /// The exchange with the receiver, and the endpoint as it was seen last. If the answer takes long, the endpoint's row says so
    /// meanwhile.
    async fn exchange(&self, leased: &Leased) -> (Reply, Known) {
        let Leased {
            callback,
            person,
            known,
        } = leased;
        let mut call = pin!(self.call(callback, &known.settings, person.as_ref()));
        match timeout(self.patience, &mut call).await {
            Ok(reply) => (reply, known.clone()),
            Err(_) => join!(call, self.waited(callback.endpoint(), known.clone())),
        }
    }

    async fn call(
        &self,
        callback: &Callback,
        settings: &CallbackSettings,
        person: Option<&Sealer>,
    ) -> Reply {
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
        let body = callback_body::body(&self.sealer, callback, person)?;
        let secrets = self.secrets(callback.endpoint(), settings)?;
        let signature = signature_header(&secrets, &id, timestamp, &body)?;
        Ok(Delivery {
            id,
            url: &settings.url,
            timestamp,
            signature,
            body,
        })
    }

    fn secrets(
        &self,
        endpoint: Endpoint,
        settings: &CallbackSettings,
    ) -> anyhow::Result<Vec<SecretString>> {
        let open = |sealed: &str| -> anyhow::Result<SecretString> {
            let secret = self
                .sealer
                .open(Purpose::SigningSecret, &endpoint.to_string(), sealed)?;
            Ok(String::from_utf8(secret)?.into())
        };
        settings
            .secrets_at(self.clock.now())
            .map(|secret| open(&secret.sealed))
            .collect()
    }
}

/// What the client is told.
fn mails(done: &Callback, before: Option<&EndpointHealth>, change: &Change) -> Vec<MailKind> {
    let (connection_id, callback_id) = (done.connection_id, done.id);
    let failing_since = before
        .and_then(EndpointHealth::failing_since)
        .unwrap_or(done.updated_at);
    let mut mails = Vec::new();
    if let CallbackState::Exhausted { .. } = done.state {
        mails.push(MailKind::CallbackExhausted {
            callback_id,
            connection_id,
            attempts: done.attempts,
        });
    }
    match change {
        Change::None | Change::Recovered | Change::Now(_) => {}
        Change::Warned(_) => mails.push(MailKind::EndpointFailing {
            callback_id,
            connection_id,
            failing_since,
        }),
        Change::Disabled(after) => mails.push(match after.state {
            HealthState::Disabled {
                cause: Cause::Failing,
                ..
            } => MailKind::EndpointGivenUp {
                callback_id,
                connection_id,
                failing_since,
            },
            _ => MailKind::EndpointDisabled {
                callback_id,
                connection_id,
            },
        }),
    }
    mails
}

pub(crate) fn write_mails(
    transaction: &mut Transaction,
    to: &Client,
    kinds: Vec<MailKind>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut ids = RandomIds::at(now);
    kinds.into_iter().try_for_each(|kind| {
        transaction.create(&Mail::new(MailId::generate(&mut ids), to, kind, now))
    })
}

fn tell(over: &Over, done: &Callback, change: &Change) {
    tracing::info!(
        callback = %done.id,
        attempt = over.attempt.number,
        status_code = over.attempt.status_code,
        error = over.attempt.error,
        duration_ms = over.attempt.duration_ms,
        state = done.state.as_str(),
        "attempted"
    );
    let endpoint = done.endpoint();
    match change {
        Change::None | Change::Now(_) => {}
        Change::Recovered => tracing::info!(%endpoint, "an endpoint takes callbacks again"),
        Change::Warned(_) => tracing::warn!(%endpoint, "an endpoint has failed for days"),
        Change::Disabled(_) => tracing::warn!(%endpoint, "an endpoint is disabled"),
    }
}
