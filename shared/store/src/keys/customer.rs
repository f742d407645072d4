use tandem_domain::customer::Customer;
use tandem_domain::ids::{CompanyId, CustomerId};

use crate::entity::{Entity, Indexes, Key};
use crate::list::List;
use crate::rows::{Guard, Unique};

pub fn customer(company: CompanyId, id: CustomerId) -> Key<Customer> {
    Key::new(format!("{company}#{id}"), "customer")
}

pub fn customers_of(company: CompanyId) -> List<Customer> {
    List::gsi1(format!("{company}#customers"))
}

impl Entity for Customer {
    fn key(&self) -> Key<Self> {
        customer(self.company_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes::default().in_list(customers_of(self.company_id), self.id)
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// The guard of a value; `hash` is the hex SHA-256 of the value's compared form.
pub fn guard(company: CompanyId, unique: Unique, hash: &str) -> Key<Guard> {
    guard_named(company, &unique.guard_name(hash))
}

fn guard_named(company: CompanyId, name: &str) -> Key<Guard> {
    Key::new(format!("{company}#{name}"), "guard")
}

impl Entity for Guard {
    fn key(&self) -> Key<Self> {
        guard_named(self.company_id, &self.unique)
    }
}
