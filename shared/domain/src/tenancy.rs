//! Contracting companies, their modules, their clients, and the clients' API keys.

mod api_key;
mod client;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use api_key::{ApiKey, KeyDraft, KeyError, KeyStatus, Revocation};
pub use client::{Client, ClientDraft, ClientEdit, MailLanguage, OwnEdit};

use crate::ids::{ClientId, CompanyId};
use crate::input::{Object, Parsed, boolean};
use crate::text::Name;
use crate::zone::Zone;

/// The modules that a contracting company has booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Modules {
    /// Allows its clients to connect with other clients.
    pub cross_client_connections: bool,
}

impl Modules {
    fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let cross_client_connections = object.required("crossClientConnections", boolean);
        object.finish(|| {
            Some(Self {
                cross_client_connections: cross_client_connections?,
            })
        })
    }
}

/// The legal parent of clients; owns the customer base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractingCompany {
    pub id: CompanyId,
    pub name: Name,
    pub modules: Modules,
    /// Of the periods that its clients sell, and of the months of their statements.
    #[serde(skip_serializing_if = "Zone::is_utc", default)]
    pub time_zone: Zone,
    // A copy of the clients' own rows: a sale reads this row anyway, and so needs no row of a partner.
    /// The clients that the operator disabled.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub disabled_clients: BTreeSet<ClientId>,
    pub created_at: Timestamp,
    pub version: u64,
}

impl ContractingCompany {
    pub fn has_disabled(&self, client: ClientId) -> bool {
        self.disabled_clients.contains(&client)
    }

    /// The company after one of its clients was changed; `None` if that changes nothing here.
    pub fn with_client(&self, client: &Client) -> Option<Self> {
        let mut company = self.clone();
        let is_changed = match client.disabled_at {
            Some(_) => company.disabled_clients.insert(client.id),
            None => company.disabled_clients.remove(&client.id),
        };
        is_changed.then_some(company)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyDraft {
    name: Name,
    modules: Modules,
    time_zone: Zone,
}

impl CompanyDraft {
    /// Reads `{name, modules?, timeZone?}`.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let name = object.required("name", Name::parse);
        let modules = object
            .optional("modules", Modules::parse)
            .unwrap_or_default();
        let time_zone = object.optional("timeZone", Zone::parse).unwrap_or_default();
        object.finish(|| {
            Some(Self {
                name: name?,
                modules,
                time_zone,
            })
        })
    }

    pub fn create(self, id: CompanyId, now: Timestamp) -> ContractingCompany {
        ContractingCompany {
            id,
            name: self.name,
            modules: self.modules,
            time_zone: self.time_zone,
            disabled_clients: BTreeSet::new(),
            created_at: now,
            version: 1,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyEdit {
    name: Option<Name>,
    modules: Option<Modules>,
    time_zone: Option<Zone>,
}

impl CompanyEdit {
    /// Reads `{name?, modules?, timeZone?}`.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let name = object.optional("name", Name::parse);
        let modules = object.optional("modules", Modules::parse);
        let time_zone = object.optional("timeZone", Zone::parse);
        object.finish(|| {
            Some(Self {
                name,
                modules,
                time_zone,
            })
        })
    }

    /// Another time zone applies to later sales; sold subscriptions keep theirs.
    pub fn apply(self, company: ContractingCompany) -> ContractingCompany {
        ContractingCompany {
            name: self.name.unwrap_or(company.name),
            modules: self.modules.unwrap_or(company.modules),
            time_zone: self.time_zone.unwrap_or(company.time_zone),
            ..company
        }
    }
}
