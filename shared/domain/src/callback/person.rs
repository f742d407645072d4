//! A callback's data about a customer, stored apart from the rest: the customer can be erased, the sale is still announced.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Announcement;
use crate::customer::Customer;
use crate::ids::{CompanyId, CustomerId};

/// The seller's customer whom a callback concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Concerned {
    pub company_id: CompanyId,
    pub customer_id: CustomerId,
}

impl From<&Customer> for Concerned {
    fn from(customer: &Customer) -> Self {
        Self {
            company_id: customer.company_id,
            customer_id: customer.id,
        }
    }
}

/// The stored body differs from what [`Announcement::body`] produces.
#[derive(Debug, thiserror::Error)]
#[error("the stored body is corrupt: {0}")]
pub struct BrokenBody(#[from] serde_json::Error);

/// Assembles the body to send from the stored one and the customer's data. Without data, because the customer was erased, the
/// body has the customer's id only, marked `erased`.
pub fn whole_body(kept: &[u8], person: Option<&[u8]>) -> Result<Vec<u8>, BrokenBody> {
    let mut body: Value = serde_json::from_slice(kept)?;
    let person: Value = match person {
        Some(person) => serde_json::from_slice(person)?,
        None => {
            json!({"email": null, "language": null, "firstName": null, "lastName": null, "erased": true})
        }
    };
    if let (Some(customer), Value::Object(person)) =
        (body["data"]["customer"].as_object_mut(), person)
    {
        customer.extend(person);
    }
    Ok(body.to_string().into_bytes())
}

impl Announcement {
    /// Removes the customer's data, except the id; `None` if there is none. [`whole_body`] adds it again.
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
