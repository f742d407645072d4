//! The record of an erasure.

use serde_json::{Value, json};
use tandem_domain::erasure::Erasure;

/// The record that remains of a customer.
pub fn erasure(erasure: &Erasure) -> Value {
    json!({"customerId": erasure.customer_id, "erasedAt": erasure.erased_at})
}
