use tandem_domain::erasure::Erasure;
use tandem_domain::ids::{CompanyId, CustomerId};

use crate::entity::{Entity, Indexes, Key};
use crate::index_values::sortable;
use crate::list::List;

/// The record of an erased customer, in the partition that the customer's row had.
pub fn erasure(company: CompanyId, id: CustomerId) -> Key<Erasure> {
    Key::new(format!("{company}#{id}"), "erasure")
}

/// For the auditors of the contracting company.
pub fn erasures_of(company: CompanyId) -> List<Erasure> {
    List::gsi1(format!("{company}#erasures"))
}

impl Entity for Erasure {
    fn key(&self) -> Key<Self> {
        erasure(self.company_id, self.customer_id)
    }
    fn indexes(&self) -> Indexes {
        let sort = format!("{}#{}", sortable(self.erased_at), self.customer_id);
        Indexes::default().in_list(erasures_of(self.company_id), sort)
    }
}
