//! What a callback tells of a person, kept apart from the rest of it: a person can be erased, a sale is still to be told.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Announcement;
use crate::customer::Customer;
use crate::ids::{CompanyId, CustomerId};

/// The seller's customer whom a callback concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Concerned {
    /// The contracting company whose customer it is.
    pub company_id: CompanyId,
    /// The customer.
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

/// A kept body is not what [`Announcement::body`] made.
#[derive(Debug, thiserror::Error)]
#[error("the body cannot be put together: {0}")]
pub struct BrokenBody(#[from] serde_json::Error);

/// The body as it is sent, from what is kept of it: `kept` without the customer's data, and those data, or `None` once the
/// customer was erased. A receiver is then told the sale with the customer's id only, marked `erased`.
///
/// # Errors
/// One of the two is no JSON.
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
    /// Takes out what is told of the customer, but for the id; `None` if nothing is. [`whole_body`] puts it back.
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
