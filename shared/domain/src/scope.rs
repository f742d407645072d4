//! The permissions of an API key: areas of the API, each to read or to write.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::input::{Parsed, list, parsed};
use crate::words::words;

words! {
    /// A part of the API.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum Area {
        /// Connections and their callback settings.
        Connections = "connections",
        /// Offers and carts.
        Catalog = "catalog",
        Customers = "customers",
        /// Purchases, orders, subscriptions, vouchers.
        Purchases = "purchases",
        Imports = "imports",
        /// The callback log and replays.
        Callbacks = "callbacks",
        /// The payout list.
        Payouts = "payouts",
        /// The client's own API keys.
        Keys = "keys",
    }

    /// Writing includes reading.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum Access {
        Read = "read",
        Write = "write",
    }
}

/// For example `catalog:read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    pub area: Area,
    pub access: Access,
}

impl Scope {
    pub const KEYS_WRITE: Self = Self {
        area: Area::Keys,
        access: Access::Write,
    };
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.area, self.access)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected <area>:read or <area>:write with an area of connections, catalog, customers, purchases, imports, callbacks, payouts, keys"
)]
pub struct InvalidScope;

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let (area, access) = text.split_once(':').ok_or(InvalidScope)?;
        let area = Area::from_word(area).ok_or(InvalidScope)?;
        let access = Access::from_word(access).ok_or(InvalidScope)?;
        Ok(Self { area, access })
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(BTreeSet<Scope>);

impl Default for Scopes {
    /// A key without scopes may do everything.
    fn default() -> Self {
        let mut scopes = Self::without_keys();
        scopes.0.insert(Scope::KEYS_WRITE);
        scopes
    }
}

impl Scopes {
    /// Everything but the keys: the scopes of a key that was created without scopes before there was the area `keys`.
    pub fn without_keys() -> Self {
        let areas = Area::ALL.into_iter().filter(|area| *area != Area::Keys);
        let access = Access::Write;
        Self(areas.map(|area| Scope { area, access }).collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }

    pub fn parse(value: &Value) -> Parsed<Self> {
        let scopes: Vec<Scope> = list(1..=16, parsed)(value)?;
        Ok(Self(scopes.into_iter().collect()))
    }

    pub fn allow(&self, wanted: Scope) -> bool {
        self.0
            .iter()
            .any(|scope| scope.area == wanted.area && scope.access >= wanted.access)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn writing_includes_reading_and_no_area_includes_another() {
        let scopes = Scopes::parse(&json!(["catalog:write", "payouts:read"])).expect("valid");
        let allowed: Vec<String> = Area::ALL
            .into_iter()
            .flat_map(|area| [Access::Read, Access::Write].map(|access| Scope { area, access }))
            .filter(|scope| scopes.allow(*scope))
            .map(|scope| scope.to_string())
            .collect();
        assert_eq!(allowed, ["catalog:read", "catalog:write", "payouts:read"]);
    }

    #[test]
    fn a_key_without_scopes_may_do_everything() {
        for area in Area::ALL {
            assert!(Scopes::default().allow(Scope {
                area,
                access: Access::Write
            }));
        }
    }

    #[test]
    fn each_invalid_scope_is_reported() {
        let errors = Scopes::parse(&json!([
            "catalog",
            "catalog:read",
            "catalog:delete",
            "x:read"
        ]))
        .expect_err("wrong");
        let fields: Vec<_> = errors.0.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["[0]", "[2]", "[3]"]);
        assert!(Scopes::parse(&json!([])).is_err());
    }
}
