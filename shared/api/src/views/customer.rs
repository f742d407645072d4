//! A customer.

use serde_json::{Value, json};
use tandem_domain::customer::Customer;

pub fn customer(customer: &Customer) -> Value {
    let profile = &customer.profile;
    json!({
        "id": customer.id,
        "email": profile.email,
        "language": profile.language,
        "externalSystemId": profile.external_system_id,
        "firstName": profile.first_name,
        "lastName": profile.last_name,
        "phone": profile.phone,
        "address": profile.address,
        "metadata": profile.metadata,
        "createdAt": customer.created_at,
        "updatedAt": customer.updated_at,
    })
}
