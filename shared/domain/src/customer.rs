//! Customers. They belong to a contracting company; all its clients share them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{CompanyId, CustomerId};
use crate::input::{Object, Parsed};
use crate::text::{EmailAddress, ExternalId, LanguageTag, Name, Text};

/// Where a customer lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// Street and house number.
    pub street: Name,
    /// Second line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub additional: Option<Name>,
    /// Postal code.
    pub postal_code: Text<20>,
    /// City.
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

/// A person who buys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    /// Id.
    pub id: CustomerId,
    /// The contracting company whose clients share this customer.
    pub company_id: CompanyId,
    /// Who it is.
    #[serde(flatten)]
    pub profile: Profile,
    /// The key of this person, sealed: what is kept of the person in other rows can be read by it alone.
    pub sealed_key: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

/// What is known of a customer; also the input of a new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Unique within the contracting company, compared without case.
    pub email: EmailAddress,
    /// The customer's language.
    pub language: LanguageTag,
    /// Unique within the contracting company.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub external_system_id: Option<ExternalId>,
    /// First name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_name: Option<Name>,
    /// Last name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_name: Option<Name>,
    /// Phone number, as given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phone: Option<Text<40>>,
    /// Address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<Address>,
}

impl Profile {
    /// Reads a new customer.
    ///
    /// # Errors
    /// Names each wrong member.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let email = object.required("email", EmailAddress::parse);
        let language = object.required("language", LanguageTag::parse);
        let external_system_id = object.optional("externalSystemId", ExternalId::parse);
        let first_name = object.optional("firstName", Name::parse);
        let last_name = object.optional("lastName", Name::parse);
        let phone = object.optional("phone", Text::parse);
        let address = object.optional("address", Address::parse);
        object.finish(|| {
            Some(Self {
                email: email?,
                language: language?,
                external_system_id,
                first_name,
                last_name,
                phone,
                address,
            })
        })
    }

    /// Makes the customer; `sealed_key` is a fresh key of that person's own.
    pub fn create(
        self,
        id: CustomerId,
        company_id: CompanyId,
        sealed_key: String,
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

/// Input of an edit: absent leaves, `null` clears what is optional.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerEdit {
    email: Option<EmailAddress>,
    language: Option<LanguageTag>,
    external_system_id: Option<Option<ExternalId>>,
    first_name: Option<Option<Name>>,
    last_name: Option<Option<Name>>,
    phone: Option<Option<Text<40>>>,
    address: Option<Option<Address>>,
}

impl CustomerEdit {
    /// Reads an edit.
    ///
    /// # Errors
    /// Names each wrong member.
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
        };
        object.finish(|| Some(edit))
    }

    /// The customer as it is after the edit.
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
        };
        Customer {
            profile,
            updated_at: now,
            ..customer
        }
    }
}
