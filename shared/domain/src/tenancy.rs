//! Contracting companies, their modules, their clients, and the keys by which clients call.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{ClientId, CompanyId};
use crate::input::{Object, Parsed, boolean, one_of, parsed};
use crate::text::{EmailAddress, Name};

/// What a contracting company has booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Modules {
    /// Its clients may connect with other clients.
    pub cross_client_connections: bool,
}

impl Modules {
    fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let cross_client_connections = object.required("crossClientConnections", boolean);
        object.finish(|| Some(Self { cross_client_connections: cross_client_connections? }))
    }
}

/// The legal parent of clients; owns the customer base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractingCompany {
    /// Id.
    pub id: CompanyId,
    /// Name.
    pub name: Name,
    /// What is switched on.
    pub modules: Modules,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

/// Input of a new contracting company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyDraft {
    name: Name,
    modules: Modules,
}

impl CompanyDraft {
    /// Reads `{name, modules?}`.
    ///
    /// # Errors
    /// Names each wrong member.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let name = object.required("name", Name::parse);
        let modules = object.optional("modules", Modules::parse).unwrap_or_default();
        object.finish(|| Some(Self { name: name?, modules }))
    }

    /// Makes the company.
    #[must_use]
    pub fn create(self, id: CompanyId, now: Timestamp) -> ContractingCompany {
        ContractingCompany { id, name: self.name, modules: self.modules, created_at: now, version: 1 }
    }
}

/// Input of an edit of a contracting company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyEdit {
    name: Option<Name>,
    modules: Option<Modules>,
}

impl CompanyEdit {
    /// Reads `{name?, modules?}`.
    ///
    /// # Errors
    /// Names each wrong member.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let name = object.optional("name", Name::parse);
        let modules = object.optional("modules", Modules::parse);
        object.finish(|| Some(Self { name, modules }))
    }

    /// The company as it is after the edit.
    #[must_use]
    pub fn apply(self, company: ContractingCompany) -> ContractingCompany {
        ContractingCompany {
            name: self.name.unwrap_or(company.name),
            modules: self.modules.unwrap_or(company.modules),
            ..company
        }
    }
}

/// The language in which a client is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MailLanguage {
    /// German.
    De,
    /// English.
    En,
}

/// A merchant unit of a contracting company: the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// Id.
    pub id: ClientId,
    /// The contracting company, which never changes.
    pub company_id: CompanyId,
    /// Name, shown to its partners.
    pub name: Name,
    /// Where invitations and warnings are sent.
    pub email: EmailAddress,
    /// The language of those mails.
    pub language: MailLanguage,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

/// Input of a new client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientDraft {
    /// The contracting company it is to belong to.
    pub company_id: CompanyId,
    name: Name,
    email: EmailAddress,
    language: MailLanguage,
}

impl ClientDraft {
    /// Reads `{contractingCompanyId, name, email, language}`.
    ///
    /// # Errors
    /// Names each wrong member.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let company_id = object.required("contractingCompanyId", parsed::<CompanyId>);
        let name = object.required("name", Name::parse);
        let email = object.required("email", EmailAddress::parse);
        let language = object.required("language", one_of(&[("de", MailLanguage::De), ("en", MailLanguage::En)]));
        object.finish(|| Some(Self { company_id: company_id?, name: name?, email: email?, language: language? }))
    }

    /// Makes the client.
    #[must_use]
    pub fn create(self, id: ClientId, now: Timestamp) -> Client {
        Client {
            id,
            company_id: self.company_id,
            name: self.name,
            email: self.email,
            language: self.language,
            created_at: now,
            version: 1,
        }
    }
}

/// What is kept of an API key: never the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// The public part, between `tdm_` and the secret.
    pub key_id: String,
    /// The client that the key speaks for.
    pub client_id: ClientId,
    /// The client's contracting company.
    pub company_id: CompanyId,
    /// What the operator calls it.
    pub name: Option<Name>,
    /// SHA-256 of the secret, hex.
    pub secret_hash: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

impl ApiKey {
    /// Whether a call with the right secret is let in.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.revoked_at.is_none()
    }

    /// The key as it is after it was revoked; the first time counts.
    #[must_use]
    pub fn revoke(mut self, now: Timestamp) -> Self {
        self.revoked_at.get_or_insert(now);
        self
    }

    /// Reads the input of a new key: `{name?}`.
    ///
    /// # Errors
    /// Names each wrong member.
    pub fn parse_name(value: &Value) -> Parsed<Option<Name>> {
        let mut object = Object::read(value)?;
        let name = object.optional("name", Name::parse);
        object.finish(|| Some(name))
    }
}
