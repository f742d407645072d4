use http::HeaderMap;
use serde_json::Value;
use standardwebhooks::Webhook;

/// The event of a callback; an error if it is not from Tandem, too old, or not signed by this secret.
pub(crate) fn event_of(secret: &str, headers: &HeaderMap, body: &[u8]) -> anyhow::Result<Value> {
    Webhook::new(secret)?.verify(body, headers)?;
    Ok(serde_json::from_slice(body)?)
}
