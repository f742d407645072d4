//! Contracting companies, their modules, their clients, and the clients' API keys.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{ClientId, CompanyId};
use crate::input::{FieldErrors, Object, Parsed, boolean, parsed};
use crate::instant::end;
use crate::scope::Scopes;
use crate::text::{EmailAddress, Name};
use crate::words::words;
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
    pub created_at: Timestamp,
    pub version: u64,
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

words! {
    /// The language of the mails to a client.
    pub enum MailLanguage {
        De = "de",
        En = "en",
    }

    pub enum KeyStatus {
        /// The key authenticates its client.
        Active = "active",
        Expired = "expired",
        /// The operator revoked the key.
        Revoked = "revoked",
    }
}

/// A merchant unit of a contracting company: the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    pub id: ClientId,
    /// Never changes.
    pub company_id: CompanyId,
    /// Shown to its partners.
    pub name: Name,
    /// Receives invitations and warnings.
    pub email: EmailAddress,
    pub language: MailLanguage,
    pub created_at: Timestamp,
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientDraft {
    pub company_id: CompanyId,
    name: Name,
    email: EmailAddress,
    language: MailLanguage,
}

impl ClientDraft {
    /// Reads `{contractingCompanyId, name, email, language}`.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let company_id = object.required("contractingCompanyId", parsed::<CompanyId>);
        let name = object.required("name", Name::parse);
        let email = object.required("email", EmailAddress::parse_deliverable);
        let language = object.required("language", MailLanguage::parse);
        object.finish(|| {
            Some(Self {
                company_id: company_id?,
                name: name?,
                email: email?,
                language: language?,
            })
        })
    }

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

/// A stored API key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// The public part, between `tdm_` and the secret.
    pub key_id: String,
    /// The client that the key authenticates.
    pub client_id: ClientId,
    pub company_id: CompanyId,
    /// Chosen by the operator.
    pub name: Option<Name>,
    #[serde(default)]
    pub scopes: Scopes,
    /// SHA-256 of the secret, hex.
    pub secret_hash: String,
    pub created_at: Timestamp,
    /// The key is invalid from this time on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// The UTC day of the last use. Not finer, so that a busy key is written once a day.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_used_on: Option<Date>,
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDraft {
    name: Option<Name>,
    scopes: Scopes,
    expires_at: Option<Timestamp>,
}

impl KeyDraft {
    /// Reads `{name?, scopes?, expiresAt?}`. Without scopes, a key may do everything that its client may. An expiry in the past
    /// is an error.
    pub fn parse(value: &Value, now: Timestamp) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let name = object.optional("name", Name::parse);
        let scopes = object.optional("scopes", Scopes::parse).unwrap_or_default();
        let expires_at = object.optional("expiresAt", end).flatten();
        if expires_at.is_some_and(|end| end <= now) {
            object.note(FieldErrors::at(
                "expiresAt",
                "in_the_past",
                "must be in the future",
            ));
        }
        object.finish(|| {
            Some(Self {
                name,
                scopes,
                expires_at,
            })
        })
    }

    /// Creates the key of a client; only the hash of the secret is stored.
    pub fn create(
        self,
        client: &Client,
        key_id: String,
        secret_hash: String,
        now: Timestamp,
    ) -> ApiKey {
        ApiKey {
            key_id,
            client_id: client.id,
            company_id: client.company_id,
            name: self.name,
            scopes: self.scopes,
            secret_hash,
            created_at: now,
            expires_at: self.expires_at,
            revoked_at: None,
            last_used_on: None,
            version: 1,
        }
    }
}

impl ApiKey {
    pub fn status(&self, now: Timestamp) -> KeyStatus {
        if self.revoked_at.is_some() {
            KeyStatus::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            KeyStatus::Expired
        } else {
            KeyStatus::Active
        }
    }

    /// A repeated revocation keeps the first time.
    pub fn revoke(mut self, now: Timestamp) -> Self {
        self.revoked_at.get_or_insert(now);
        self
    }

    /// Records the use; `None` if the day is already recorded.
    pub fn used(&self, now: Timestamp) -> Option<Self> {
        let today = now.to_zoned(TimeZone::UTC).date();
        (self.last_used_on != Some(today)).then(|| Self {
            last_used_on: Some(today),
            ..self.clone()
        })
    }
}
