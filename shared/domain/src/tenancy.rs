//! Contracting companies, their modules, their clients, and the keys by which clients call.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{ClientId, CompanyId};
use crate::input::{FieldErrors, Object, Parsed, boolean, parsed};
use crate::scope::Scopes;
use crate::text::{EmailAddress, Name};
use crate::words::words;

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
        let modules = object
            .optional("modules", Modules::parse)
            .unwrap_or_default();
        object.finish(|| {
            Some(Self {
                name: name?,
                modules,
            })
        })
    }

    /// Makes the company.
    pub fn create(self, id: CompanyId, now: Timestamp) -> ContractingCompany {
        ContractingCompany {
            id,
            name: self.name,
            modules: self.modules,
            created_at: now,
            version: 1,
        }
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
    pub fn apply(self, company: ContractingCompany) -> ContractingCompany {
        ContractingCompany {
            name: self.name.unwrap_or(company.name),
            modules: self.modules.unwrap_or(company.modules),
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

    /// Makes the client.
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
    /// What it may be used for.
    #[serde(default)]
    pub scopes: Scopes,
    /// SHA-256 of the secret, hex.
    pub secret_hash: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// The UTC day on which it was last used. No finer, so that a key that is used all the time is written once a day.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_used_on: Option<Date>,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

/// Input of a new API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDraft {
    name: Option<Name>,
    scopes: Scopes,
    expires_at: Option<Timestamp>,
}

impl KeyDraft {
    /// Reads `{name?, scopes?, expiresAt?}`. Without scopes a key may do everything that its client may.
    ///
    /// # Errors
    /// Names each wrong member; a key that has expired already is wrong too.
    pub fn parse(value: &Value, now: Timestamp) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let name = object.optional("name", Name::parse);
        let scopes = object.optional("scopes", Scopes::parse).unwrap_or_default();
        let expires_at = object.optional("expiresAt", parsed::<Timestamp>);
        if expires_at.is_some_and(|end| end <= now) {
            object.note(FieldErrors::at(
                "expiresAt",
                "in_the_past",
                "must lie in the future",
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

    /// Makes the key of a client; the secret stays with the caller, its hash is kept.
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
    /// Whether a call with the right secret is let in.
    pub fn status(&self, now: Timestamp) -> KeyStatus {
        if self.revoked_at.is_some() {
            KeyStatus::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            KeyStatus::Expired
        } else {
            KeyStatus::Active
        }
    }

    /// The key as it is after it was revoked; the first time counts.
    pub fn revoke(mut self, now: Timestamp) -> Self {
        self.revoked_at.get_or_insert(now);
        self
    }

    /// The key as it is after a use; `None` if the day is noted already.
    pub fn used(&self, now: Timestamp) -> Option<Self> {
        let today = now.to_zoned(TimeZone::UTC).date();
        (self.last_used_on != Some(today)).then(|| Self {
            last_used_on: Some(today),
            ..self.clone()
        })
    }
}
