//! The customer whom a callback concerns.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::customer::Customer;
use crate::ids::{CompanyId, CustomerId, InvalidId};

/// The seller's customer whom a callback concerns; as text `cco_…#cus_…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concerned {
    pub company_id: CompanyId,
    pub customer_id: CustomerId,
}

impl From<&Customer> for Concerned {
    fn from(customer: &Customer) -> Self {
        Self {
            company_id: customer.company_id,
            customer_id: customer.id,
        }
    }
}

impl fmt::Display for Concerned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.company_id, self.customer_id)
    }
}

impl FromStr for Concerned {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (company, customer) = text.split_once('#').unwrap_or((text, ""));
        Ok(Self {
            company_id: company.parse()?,
            customer_id: customer.parse()?,
        })
    }
}

impl Serialize for Concerned {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Concerned {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
