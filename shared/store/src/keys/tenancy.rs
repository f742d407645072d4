use tandem_domain::ids::{ClientId, CompanyId};
use tandem_domain::tenancy::{ApiKey, Client, ContractingCompany};

use crate::entity::{Entity, Indexes, Key};
use crate::index_values::sortable;
use crate::list::List;

pub fn company(id: CompanyId) -> Key<ContractingCompany> {
    Key::new(id.to_string(), "company")
}

pub fn companies() -> List<ContractingCompany> {
    List::gsi1("companies")
}

impl Entity for ContractingCompany {
    fn key(&self) -> Key<Self> {
        company(self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes::default().in_list(companies(), self.id)
    }
    fn version(&self) -> u64 {
        self.version
    }
}

pub fn client(id: ClientId) -> Key<Client> {
    Key::new(id.to_string(), "client")
}

/// The clients of all contracting companies.
pub fn clients() -> List<Client> {
    List::gsi2("clients")
}

pub fn clients_of(company: CompanyId) -> List<Client> {
    List::gsi1(format!("{company}#clients"))
}

impl Entity for Client {
    fn key(&self) -> Key<Self> {
        client(self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes::default()
            .in_list(clients_of(self.company_id), self.id)
            .in_list(clients(), self.id)
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// `key_id` is the public part of the API key.
pub fn api_key(key_id: &str) -> Key<ApiKey> {
    Key::new(format!("key#{key_id}"), "key")
}

pub fn api_keys_of(client: ClientId) -> List<ApiKey> {
    List::gsi1(format!("{client}#keys"))
}

impl Entity for ApiKey {
    fn key(&self) -> Key<Self> {
        api_key(&self.key_id)
    }
    fn indexes(&self) -> Indexes {
        // The id of an API key is random, so the time of creation goes first.
        let sort = format!("{}#{}", sortable(self.created_at), self.key_id);
        Indexes::default().in_list(api_keys_of(self.client_id), sort)
    }
    fn version(&self) -> u64 {
        self.version
    }
}
