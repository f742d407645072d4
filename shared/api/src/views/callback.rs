//! A callback in the log.

use serde_json::{Value, json};
use tandem_domain::callback::{Attempt, Callback, CallbackState};

/// A callback as a list shows it.
pub fn summary(callback: &Callback) -> Value {
    let delivered_at = match callback.state {
        CallbackState::Delivered { delivered_at } => Some(delivered_at),
        _ => None,
    };
    json!({
        "id": callback.id,
        "type": callback.event.as_str(),
        "status": callback.state.as_str(),
        "connectionId": callback.connection_id,
        "orderId": callback.order_id,
        "subscriptionId": callback.subscription_id,
        "attempts": callback.attempts,
        "nextAttemptAt": callback.next_attempt_at(),
        "deliveredAt": delivered_at,
        "createdAt": callback.created_at,
        "updatedAt": callback.updated_at,
    })
}

/// A callback with the body as sent, and all attempts, newest first.
pub fn full(callback: &Callback, body: &Value, attempts: &[Attempt]) -> Value {
    let mut view = summary(callback);
    view["body"] = body.clone();
    view["attemptLog"] = attempts.iter().map(|attempt| json!(attempt)).collect();
    view
}
