//! The mails to a client whose callback or endpoint failed.

use tandem_domain::Timestamp;
use tandem_domain::callback::{Callback, CallbackState};
use tandem_domain::endpoint_health::{Cause, Change, EndpointHealth, HealthState};
use tandem_domain::ids::{ClientId, MailId};
use tandem_domain::mail::{Mail, MailKind};
use tandem_runtime::RandomIds;
use tandem_store::{Store, StoreError, Transaction, keys};

/// Adds the mails to the transaction. Loads the client only if there are mails.
pub(crate) async fn add(
    transaction: &mut Transaction,
    store: &Store,
    client_id: ClientId,
    kinds: Vec<MailKind>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if kinds.is_empty() {
        return Ok(());
    }
    let Some(client) = store.get(&keys::client(client_id)).await? else {
        return Ok(());
    };
    let mut ids = RandomIds::at(now);
    kinds.into_iter().try_for_each(|kind| {
        transaction.create(&Mail::new(MailId::generate(&mut ids), &client, kind, now))
    })
}

/// The mails after an attempt. `before` is the endpoint's health before the `change`.
pub(crate) fn after_attempt(
    callback: &Callback,
    before: Option<&EndpointHealth>,
    change: &Change,
) -> Vec<MailKind> {
    let failing_since = before
        .and_then(EndpointHealth::failing_since)
        .unwrap_or(callback.updated_at);
    let endpoint_mail = endpoint_changed(callback, failing_since, change);
    exhausted(callback)
        .into_iter()
        .chain(endpoint_mail)
        .collect()
}

/// The mail about a callback whose last attempt failed.
pub(crate) fn exhausted(callback: &Callback) -> Option<MailKind> {
    let CallbackState::Exhausted { .. } = callback.state else {
        return None;
    };
    Some(MailKind::CallbackExhausted {
        callback_id: callback.id,
        connection_id: callback.connection_id,
        attempts: callback.attempts,
    })
}

fn endpoint_changed(
    callback: &Callback,
    failing_since: Timestamp,
    change: &Change,
) -> Option<MailKind> {
    let (connection_id, callback_id) = (callback.connection_id, callback.id);
    match change {
        Change::None | Change::Recovered | Change::Updated(_) => None,
        Change::Warned(_) => Some(MailKind::EndpointFailing {
            callback_id,
            connection_id,
            failing_since,
        }),
        Change::Disabled(health) => Some(match health.state {
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
}
