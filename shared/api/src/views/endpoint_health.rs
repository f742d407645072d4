//! The health of an endpoint, as members of the endpoint's view.

use serde_json::{Value, json};
use tandem_domain::endpoint_health::{EndpointHealth, HealthState};

/// Adds the members to `view`, which must be an object.
pub(crate) fn add(view: &mut Value, health: Option<&EndpointHealth>) {
    let (disabled_at, cause, reason) = match health.map(|health| &health.state) {
        Some(HealthState::Disabled {
            disabled_at,
            cause,
            reason,
        }) => (Some(disabled_at), Some(cause.as_str()), Some(reason)),
        _ => (None, None, None),
    };
    view["status"] = json!(EndpointHealth::status(health));
    view["failingSince"] = json!(health.and_then(EndpointHealth::failing_since));
    view["pausedUntil"] = json!(health.and_then(EndpointHealth::paused_until));
    view["disabledAt"] = json!(disabled_at);
    view["disabledCause"] = json!(cause);
    view["disabledReason"] = json!(reason);
}
