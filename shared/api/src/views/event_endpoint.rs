//! A client's own event endpoint.

use serde_json::{Value, json};
use tandem_domain::event_endpoint::EventEndpoint;
use tandem_store::rows::DisabledEndpoint;

/// The endpoint of the caller; nobody sees the secrets.
#[must_use]
pub fn event_endpoint(endpoint: &EventEndpoint, disabled: Option<&DisabledEndpoint>) -> Value {
    json!({
        "url": endpoint.settings.url,
        "disabledAt": disabled.map(|disabled| disabled.disabled_at),
        "disabledReason": disabled.map(|disabled| &disabled.reason),
        "createdAt": endpoint.created_at,
        "updatedAt": endpoint.updated_at,
    })
}
