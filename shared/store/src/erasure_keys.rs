//! The keys of what remains of erased customers: one row beside where the customer's was, and a list of each contracting company's
//! for who has to account for them.

use tandem_domain::erasure::Erasure;
use tandem_domain::ids::{CompanyId, CustomerId};

use crate::entity::{Entity, Indexes, Key};
use crate::outbox::sortable;

/// The record that a customer of a contracting company was erased.
pub fn erasure(company: CompanyId, id: CustomerId) -> Key<Erasure> {
    Key::new(format!("{company}#{id}"), "erasure")
}

impl Entity for Erasure {
    fn key(&self) -> Key<Self> {
        erasure(self.company_id, self.customer_id)
    }
    fn indexes(&self) -> Indexes {
        let sort = format!("{}#{}", sortable(self.erased_at), self.customer_id);
        Indexes {
            gsi1: Some((format!("{}#erasures", self.company_id), sort)),
            ..Indexes::default()
        }
    }
}
