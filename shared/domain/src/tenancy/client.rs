//! Clients, and the edits of the operator and of the clients themselves.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{ClientId, CompanyId};
use crate::input::{Object, Parsed, boolean, parsed};
use crate::text::{EmailAddress, Name};
use crate::words::words;

words! {
    /// The language of the mails to a client.
    pub enum MailLanguage {
        De = "de",
        En = "en",
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
    /// Since when the operator has disabled the client: its keys are rejected, and its partners cannot sell its offers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub disabled_at: Option<Timestamp>,
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
            disabled_at: None,
            created_at: now,
            version: 1,
        }
    }
}

/// An edit by the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientEdit {
    name: Option<Name>,
    contact: OwnEdit,
    disabled: Option<bool>,
}

impl ClientEdit {
    /// Reads `{name?, email?, language?, disabled?}`.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let name = object.optional("name", Name::parse);
        let contact = OwnEdit::read(&mut object);
        let disabled = object.optional("disabled", boolean);
        object.finish(|| {
            Some(Self {
                name,
                contact,
                disabled,
            })
        })
    }

    /// A client that is disabled again keeps the first time.
    pub fn apply(self, client: Client, now: Timestamp) -> Client {
        let client = self.contact.apply(client);
        Client {
            name: self.name.unwrap_or(client.name),
            disabled_at: match self.disabled {
                None => client.disabled_at,
                Some(true) => client.disabled_at.or(Some(now)),
                Some(false) => None,
            },
            ..client
        }
    }
}

/// An edit by the client itself: how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEdit {
    email: Option<EmailAddress>,
    language: Option<MailLanguage>,
}

impl OwnEdit {
    /// Reads `{email?, language?}`.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let edit = Self::read(&mut object);
        object.finish(|| Some(edit))
    }

    fn read(object: &mut Object<'_>) -> Self {
        Self {
            email: object.optional("email", EmailAddress::parse_deliverable),
            language: object.optional("language", MailLanguage::parse),
        }
    }

    pub fn apply(self, client: Client) -> Client {
        Client {
            email: self.email.unwrap_or(client.email),
            language: self.language.unwrap_or(client.language),
            ..client
        }
    }
}
