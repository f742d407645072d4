//! The callback log of a source client.

use serde_json::Value;

use crate::answer::id;
use crate::client::Client;
use crate::wait::eventually;

/// The whole callback log of a client, newest first.
pub async fn callbacks_of(client: &Client) -> Vec<Value> {
    client.api.all("/v1/callbacks").await
}

/// The one callback of a type about a subscription, read with its attempts, once it has a status; waits for it.
///
/// # Panics
/// It does not come that far, or there are several of them.
pub async fn callback_about(
    client: &Client,
    subscription_id: &str,
    event: &str,
    status: &str,
) -> Value {
    let path = format!("/v1/callbacks?subscriptionId={subscription_id}&type={event}");
    eventually(
        &format!("the callback {event} to be {status}"),
        async || {
            let callbacks = client.api.all(&path).await;
            assert!(
                callbacks.len() < 2,
                "several callbacks about one event: {callbacks:?}"
            );
            let Some(callback) = callbacks.first() else {
                return Err("there is none".to_owned());
            };
            let full = client
                .api
                .get(&format!("/v1/callbacks/{}", id(callback)))
                .await
                .ok();
            if full["status"] == status {
                Ok(full)
            } else {
                Err(full.to_string())
            }
        },
    )
    .await
}
