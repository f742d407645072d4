//! Customers. They belong to a contracting company and are shared by all its clients.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{CompanyId, CustomerId};
use crate::input::{Object, Parsed};
use crate::metadata::{Metadata, edited};
use crate::sealed::Sealed;
use crate::text::{EmailAddress, ExternalId, LanguageTag, Name, Text};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// With the house number.
    pub street: Name,
    /// The second line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub additional: Option<Name>,
    pub postal_code: Text<20>,
    pub city: Name,
    /// ISO 3166-1 alpha-2 code.
    pub country: Text<2>,
}

impl Address {
    fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let street = object.required("street", Name::parse);
        let additional = object.optional("additional", Name::parse);
        let postal_code = object.required("postalCode", Text::parse);
        let city = object.required("city", Name::parse);
        let country = object.required("country", parse_country);
        object.finish(|| {
            Some(Self {
                street: street?,
                additional,
                postal_code: postal_code?,
                city: city?,
                country: country?,
            })
        })
    }
}

fn parse_country(value: &Value) -> Parsed<Text<2>> {
    let country = Text::<2>::parse(value)?;
    if country.as_str().len() == 2 && country.as_str().bytes().all(|b| b.is_ascii_uppercase()) {
        Ok(country)
    } else {
        Err(crate::input::FieldErrors::one(
            "invalid_country",
            "expected an ISO 3166-1 alpha-2 code such as DE",
        ))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    pub id: CustomerId,
    pub company_id: CompanyId,
    #[serde(flatten)]
    pub profile: Profile,
    /// The customer's own key, sealed: all personal data in other rows is encrypted with it.
    pub sealed_key: Sealed,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: u64,
}

/// The data of a customer; also the input of a new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Unique within the contracting company, ignoring case.
    pub email: EmailAddress,
    pub language: LanguageTag,
    /// Unique within the contracting company.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub external_system_id: Option<ExternalId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_name: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_name: Option<Name>,
    /// As given, not normalised.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phone: Option<Text<40>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<Address>,
    /// Of the contracting company's own programs.
    #[serde(skip_serializing_if = "Metadata::is_empty", default)]
    pub metadata: Metadata,
}

impl Profile {
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let email = object.required("email", EmailAddress::parse);
        let language = object.required("language", LanguageTag::parse);
        let external_system_id = object.optional("externalSystemId", ExternalId::parse);
        let first_name = object.optional("firstName", Name::parse);
        let last_name = object.optional("lastName", Name::parse);
        let phone = object.optional("phone", Text::parse);
        let address = object.optional("address", Address::parse);
        let metadata = object
            .optional("metadata", Metadata::parse)
            .unwrap_or_default();
        object.finish(|| {
            Some(Self {
                email: email?,
                language: language?,
                external_system_id,
                first_name,
                last_name,
                phone,
                address,
                metadata,
            })
        })
    }

    /// `sealed_key` is a new key for this customer alone.
    pub fn create(
        self,
        id: CustomerId,
        company_id: CompanyId,
        sealed_key: Sealed,
        now: Timestamp,
    ) -> Customer {
        Customer {
            id,
            company_id,
            profile: self,
            sealed_key,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }
}

/// An absent field does not change; `null` clears an optional one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerEdit {
    email: Option<EmailAddress>,
    language: Option<LanguageTag>,
    external_system_id: Option<Option<ExternalId>>,
    first_name: Option<Option<Name>>,
    last_name: Option<Option<Name>>,
    phone: Option<Option<Text<40>>>,
    address: Option<Option<Address>>,
    metadata: Option<Option<Metadata>>,
}

impl CustomerEdit {
    /// The members that `null` clears.
    pub const CLEARABLE: &[&str] = &[
        "externalSystemId",
        "firstName",
        "lastName",
        "phone",
        "address",
        "metadata",
    ];

    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let edit = Self {
            email: object.optional("email", EmailAddress::parse),
            language: object.optional("language", LanguageTag::parse),
            external_system_id: object.clearable("externalSystemId", ExternalId::parse),
            first_name: object.clearable("firstName", Name::parse),
            last_name: object.clearable("lastName", Name::parse),
            phone: object.clearable("phone", Text::parse),
            address: object.clearable("address", Address::parse),
            metadata: object.clearable("metadata", Metadata::parse),
        };
        object.finish(|| Some(edit))
    }

    pub fn apply(self, customer: Customer, now: Timestamp) -> Customer {
        let before = customer.profile;
        let profile = Profile {
            email: self.email.unwrap_or(before.email),
            language: self.language.unwrap_or(before.language),
            external_system_id: self.external_system_id.unwrap_or(before.external_system_id),
            first_name: self.first_name.unwrap_or(before.first_name),
            last_name: self.last_name.unwrap_or(before.last_name),
            phone: self.phone.unwrap_or(before.phone),
            address: self.address.unwrap_or(before.address),
            metadata: edited(self.metadata, before.metadata),
        };
        Customer {
            profile,
            updated_at: now,
            ..customer
        }
    }
}
