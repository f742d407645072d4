//! Signs a leased callback, sends it and reads the reply.

use std::collections::BTreeMap;

use secrecy::SecretString;
use tandem_domain::Timestamp;
use tandem_domain::callback::Endpoint;
use tandem_domain::callback_headers::StaticHeaders;
use tandem_domain::connection::CallbackSettings;
use tandem_domain::request_id::RequestId;
use tandem_runtime::callback_body;
use tandem_sealing::{Purpose, Sealer};
use tandem_webhooks::{Connections, Delivery, Reply, signature_header};

use crate::lease::Leased;

/// Sends the callback. Every failure is a [`Reply`], so that the attempt is always recorded.
pub(crate) async fn send(
    connections: &Connections,
    sealer: &Sealer,
    leased: &Leased,
    now: Timestamp,
) -> Reply {
    match prepare(sealer, leased, now) {
        Ok(delivery) => {
            connections
                .send(leased.callback.endpoint(), &delivery)
                .await
        }
        Err(error) => {
            tracing::error!(
                callback = %leased.callback.id,
                request = leased.callback.request.as_ref().map(RequestId::as_str),
                error = format!("{error:#}"),
                "a callback cannot be prepared"
            );
            Reply::not_sent("the callback could not be prepared; the failure was logged")
        }
    }
}

/// Opens the body and signs it. If the customer was erased, the body names only the customer's id.
fn prepare<'a>(
    sealer: &Sealer,
    leased: &'a Leased,
    now: Timestamp,
) -> anyhow::Result<Delivery<'a>> {
    let Leased {
        callback,
        personal_sealer,
        endpoint,
    } = leased;
    let settings = &endpoint.settings;
    let (id, timestamp) = (callback.id.to_string(), now.as_second());
    let body = callback_body::body(sealer, callback, personal_sealer.as_ref())?;
    let secrets = signing_secrets(sealer, callback.endpoint(), settings, now)?;
    let signature = signature_header(&secrets, &id, timestamp, &body)?;
    let headers = static_headers(sealer, callback.endpoint(), settings)?;
    Ok(Delivery {
        id,
        url: &settings.url,
        timestamp,
        signature,
        headers,
        body,
    })
}

fn static_headers(
    sealer: &Sealer,
    endpoint: Endpoint,
    settings: &CallbackSettings,
) -> anyhow::Result<BTreeMap<String, String>> {
    let Some(headers) = &settings.headers else {
        return Ok(BTreeMap::new());
    };
    let purpose = Purpose::CallbackHeaders;
    let text = sealer.open(purpose, &endpoint.to_string(), &headers.sealed)?;
    Ok(StaticHeaders::open(&text)?)
}

/// All secrets in force: two during a rotation.
fn signing_secrets(
    sealer: &Sealer,
    endpoint: Endpoint,
    settings: &CallbackSettings,
    now: Timestamp,
) -> anyhow::Result<Vec<SecretString>> {
    let open = |sealed: &[u8]| -> anyhow::Result<SecretString> {
        let secret = sealer.open(Purpose::SigningSecret, &endpoint.to_string(), sealed)?;
        Ok(String::from_utf8(secret)?.into())
    };
    settings
        .secrets_at(now)
        .map(|secret| open(&secret.sealed))
        .collect()
}
