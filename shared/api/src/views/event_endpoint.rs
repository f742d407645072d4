//! A client's own event endpoint.

use serde_json::{Value, json};
use tandem_domain::endpoint_health::EndpointHealth;
use tandem_domain::event_endpoint::EventEndpoint;

use crate::views::connection::header_names;
use crate::views::endpoint_health;

/// The endpoint and its health; the secrets are never shown.
pub fn event_endpoint(endpoint: &EventEndpoint, health: Option<&EndpointHealth>) -> Value {
    let mut view = json!({
        "url": endpoint.settings.url,
        "eventTypes": endpoint.event_types,
        "headerNames": header_names(&endpoint.settings),
        "createdAt": endpoint.created_at,
        "updatedAt": endpoint.updated_at,
    });
    endpoint_health::add(&mut view, health);
    view
}
