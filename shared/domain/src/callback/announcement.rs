//! An event on its way to a callback.

use jiff::Timestamp;
use serde_json::Value;

use super::{Callback, CallbackState, EventType};
use crate::ids::{CallbackId, ClientId, ConnectionId, OrderId, SubscriptionId};
use crate::sealed::Sealed;

/// The member of the body with the voucher code.
pub(crate) const VOUCHER_CODE: &str = "voucherCode";

/// An event to announce, before it has an id and is sealed.
#[derive(Debug, Clone, PartialEq)]
pub struct Announcement {
    /// The recipient.
    pub client_id: ClientId,
    /// `None` for the client's own event endpoint.
    pub connection_id: Option<ConnectionId>,
    pub order_id: Option<OrderId>,
    pub subscription_id: Option<SubscriptionId>,
    pub event: EventType,
    pub data: Value,
}

impl Announcement {
    /// An event of the client itself, for its event endpoint.
    pub fn of_client(client_id: ClientId, event: EventType, data: Value) -> Self {
        Self {
            client_id,
            connection_id: None,
            order_id: None,
            subscription_id: None,
            event,
            data,
        }
    }

    /// The voucher code in the body, if any.
    pub fn secret(&self) -> Option<&str> {
        self.data.get(VOUCHER_CODE)?.as_str()
    }

    /// The callback, due at once.
    pub fn into_callback(self, id: CallbackId, sealed_body: Sealed, now: Timestamp) -> Callback {
        Callback {
            id,
            client_id: self.client_id,
            connection_id: self.connection_id,
            order_id: self.order_id,
            subscription_id: self.subscription_id,
            event: self.event,
            concerned: None,
            sealed_body,
            sealed_person: None,
            state: CallbackState::Waiting {
                step: 0,
                due_at: now,
            },
            attempts: 0,
            log: Vec::new(),
            request: None,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }
}
