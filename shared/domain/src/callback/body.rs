//! The stored parts of a body, and the body that is sent.
//!
//! A customer can be erased while the sale is still announced, so the customer's data is a part of its own. The other part leaves
//! out the values that the callback's row says: each unit of a write is a kilobyte. A value that is left out is `null` there; ids
//! and times of a body are never `null`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Announcement, Callback, Concerned, EventType};
use crate::ids::{ConnectionId, OrderId, SubscriptionId};

/// The stored body differs from the one that [`Announcement::kept`] produces.
#[derive(Debug, thiserror::Error)]
#[error("the stored body is corrupt: {0}")]
pub struct BrokenBody(#[from] serde_json::Error);

impl Announcement {
    /// The body of Standard Webhooks: exactly these bytes are signed and sent.
    pub fn body(&self, now: Timestamp) -> Vec<u8> {
        whole(self.event, now, &self.data)
    }

    /// The body's data, to be stored, without the values that the row of the callback says.
    pub fn kept(&self, concerned: Option<Concerned>, now: Timestamp) -> Vec<u8> {
        let said = Said {
            connection_id: self.connection_id,
            order_id: self.order_id,
            subscription_id: self.subscription_id,
            concerned,
            created_at: now,
        };
        let mut data = self.data.clone();
        for (place, value) in said.values() {
            if let Some(member) = data.pointer_mut(place).filter(|member| **member == value) {
                *member = Value::Null;
            }
        }
        data.to_string().into_bytes()
    }

    /// Removes the customer's data, except the id; `None` if there is none. [`Callback::body`] adds it again.
    pub fn take_person(&mut self) -> Option<Vec<u8>> {
        let customer = self.data.get_mut("customer")?.as_object_mut()?;
        let id = customer.remove("id")?;
        let person = std::mem::replace(
            customer,
            serde_json::Map::from_iter([("id".to_owned(), id)]),
        );
        Some(Value::Object(person).to_string().into_bytes())
    }
}

impl Callback {
    /// Assembles the body to send from the stored parts. Without the customer's data, because the customer was erased, the body
    /// has the customer's id only, marked `erased`.
    ///
    /// # Errors
    /// A part is not what was stored.
    pub fn body(&self, kept: &[u8], person: Option<&[u8]>) -> Result<Vec<u8>, BrokenBody> {
        let mut data: Value = serde_json::from_slice(kept)?;
        for (place, value) in self.said().values() {
            if let Some(member) = data.pointer_mut(place).filter(|member| member.is_null()) {
                *member = value;
            }
        }
        if self.sealed_person.is_some()
            && let Some(customer) = data["customer"].as_object_mut()
            && let Value::Object(person) = person_or_erased(person)?
        {
            customer.extend(person);
        }
        Ok(whole(self.event, self.created_at, &data))
    }

    fn said(&self) -> Said {
        Said {
            connection_id: self.connection_id,
            order_id: self.order_id,
            subscription_id: self.subscription_id,
            concerned: self.concerned,
            created_at: self.created_at,
        }
    }
}

fn whole(event: EventType, now: Timestamp, data: &Value) -> Vec<u8> {
    json!({"type": event.as_str(), "timestamp": now, "data": data})
        .to_string()
        .into_bytes()
}

fn person_or_erased(person: Option<&[u8]>) -> Result<Value, serde_json::Error> {
    match person {
        Some(person) => serde_json::from_slice(person),
        None => Ok(
            json!({"email": null, "language": null, "firstName": null, "lastName": null, "erased": true}),
        ),
    }
}

/// The values of a row that the data of its body may repeat.
struct Said {
    connection_id: Option<ConnectionId>,
    order_id: Option<OrderId>,
    subscription_id: Option<SubscriptionId>,
    concerned: Option<Concerned>,
    created_at: Timestamp,
}

impl Said {
    fn values(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let customer = self.concerned.map(|concerned| concerned.customer_id);
        [
            ("/connectionId", self.connection_id.map(|id| json!(id))),
            ("/order/id", self.order_id.map(|id| json!(id))),
            ("/order/createdAt", Some(json!(self.created_at))),
            ("/subscription/id", self.subscription_id.map(|id| json!(id))),
            ("/subscription/startedAt", Some(json!(self.created_at))),
            ("/customer/id", customer.map(|id| json!(id))),
        ]
        .into_iter()
        .filter_map(|(place, value)| Some((place, value?)))
    }
}
