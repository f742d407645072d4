//! The form of a callback's row: without values that follow from others. Each unit of a write is a kilobyte.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Attempt, Callback, CallbackState, Concerned, EventType, LEASE, is_zero};
use crate::ids::{CallbackId, ClientId, ConnectionId, OrderId, SubscriptionId};
use crate::request_id::RequestId;
use crate::sealed::Sealed;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stored {
    id: CallbackId,
    client_id: ClientId,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    connection_id: Option<ConnectionId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    order_id: Option<OrderId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    subscription_id: Option<SubscriptionId>,
    event: EventType,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    concerned: Option<Concerned>,
    sealed_body: Sealed,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    sealed_person: Option<Sealed>,
    #[serde(flatten)]
    state: CallbackState,
    #[serde(skip_serializing_if = "is_zero", default)]
    attempts: u32,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    log: Vec<Attempt>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    request: Option<RequestId>,
    created_at: Timestamp,
    /// Absent if the state says it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    updated_at: Option<Timestamp>,
    version: u64,
}

/// The time of the last change, as most states say it.
fn usual_update(state: CallbackState, created_at: Timestamp) -> Timestamp {
    match state {
        CallbackState::Waiting { .. } | CallbackState::Postponed { .. } => created_at,
        CallbackState::InFlight { lease_until, .. } => {
            lease_until.checked_sub(LEASE).unwrap_or(lease_until)
        }
        CallbackState::Delivered { delivered_at } => delivered_at,
        CallbackState::Exhausted { exhausted_at } => exhausted_at,
        CallbackState::Held { held_at } => held_at,
    }
}

impl From<Callback> for Stored {
    fn from(callback: Callback) -> Self {
        let usual = usual_update(callback.state, callback.created_at);
        Self {
            id: callback.id,
            client_id: callback.client_id,
            connection_id: callback.connection_id,
            order_id: callback.order_id,
            subscription_id: callback.subscription_id,
            event: callback.event,
            concerned: callback.concerned,
            sealed_body: callback.sealed_body,
            sealed_person: callback.sealed_person,
            state: callback.state,
            attempts: callback.attempts,
            log: callback.log,
            request: callback.request,
            created_at: callback.created_at,
            updated_at: (callback.updated_at != usual).then_some(callback.updated_at),
            version: callback.version,
        }
    }
}

impl From<Stored> for Callback {
    fn from(stored: Stored) -> Self {
        let usual = usual_update(stored.state, stored.created_at);
        Self {
            id: stored.id,
            client_id: stored.client_id,
            connection_id: stored.connection_id,
            order_id: stored.order_id,
            subscription_id: stored.subscription_id,
            event: stored.event,
            concerned: stored.concerned,
            sealed_body: stored.sealed_body,
            sealed_person: stored.sealed_person,
            state: stored.state,
            attempts: stored.attempts,
            log: stored.log,
            request: stored.request,
            created_at: stored.created_at,
            updated_at: stored.updated_at.unwrap_or(usual),
            version: stored.version,
        }
    }
}
