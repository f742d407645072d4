//! API keys of clients. The operator creates and revokes them; so does a key with the scope `keys:write`, for its own client.
//!
//! A key never creates one beyond itself: neither in scopes nor in validity. It may revoke each other key of its client, but
//! itself only if another one manages the keys for as long. The store commits a revocation only if the remaining key is unchanged,
//! so that two keys that revoke each other at once do not both succeed.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Client;
use crate::ids::{ClientId, CompanyId};
use crate::input::{FieldErrors, Object, Parsed};
use crate::instant::end;
use crate::scope::{Scope, Scopes};
use crate::text::Name;
use crate::words::words;

words! {
    pub enum KeyStatus {
        /// The key authenticates its client.
        Active = "active",
        Expired = "expired",
        /// The operator or another key of the client revoked the key.
        Revoked = "revoked",
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
    /// Chosen by whoever created the key.
    pub name: Option<Name>,
    // Rows without the member are older than scopes, and than the area of keys.
    #[serde(default = "Scopes::without_keys")]
    pub scopes: Scopes,
    /// SHA-256 of the secret, hex.
    pub secret_hash: String,
    pub created_at: Timestamp,
    /// The id of the client's key that created this one; `None`: the operator.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub created_by: Option<String>,
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
    scopes: Option<Scopes>,
    /// `Some(None)`: no end.
    expires_at: Option<Option<Timestamp>>,
}

/// Why a client's key may not create or revoke a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the calling key was revoked or has expired")]
    CallerInvalid,
    /// The scopes that the calling key lacks.
    #[error("the calling key lacks {}", .0.iter().map(Scope::to_string).collect::<Vec<_>>().join(", "))]
    BeyondScopes(Vec<Scope>),
    #[error("the calling key expires at {0}; the new key must not be valid for longer")]
    BeyondExpiry(Timestamp),
    #[error(
        "no other active key with the scope keys:write is valid for as long; create one first, or ask the operator"
    )]
    LastKey,
}

/// A revocation by a client's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    pub revoked: ApiKey,
    /// The key that manages the client's keys afterwards. It must be unchanged when the revocation is committed.
    pub remaining: ApiKey,
}

impl KeyDraft {
    /// Reads `{name?, scopes?, expiresAt?}`. An expiry in the past is an error.
    pub fn parse(value: &Value, now: Timestamp) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let name = object.optional("name", Name::parse);
        let scopes = object.optional("scopes", Scopes::parse);
        let expires_at = object.optional("expiresAt", end);
        if expires_at.flatten().is_some_and(|end| end <= now) {
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

    /// Creates a key of a client for the operator; only the hash of the secret is stored. Without scopes, the key may do everything
    /// that its client may.
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
            scopes: self.scopes.unwrap_or_default(),
            secret_hash,
            created_at: now,
            created_by: None,
            expires_at: self.expires_at.flatten(),
            revoked_at: None,
            last_used_on: None,
            version: 1,
        }
    }

    /// Creates a key of the same client as the calling key, with the calling key's scopes and expiry if it names none.
    ///
    /// # Errors
    /// The calling key is not active, or the new key would have more scopes or a longer validity.
    pub fn create_by(
        self,
        caller: &ApiKey,
        key_id: String,
        secret_hash: String,
        now: Timestamp,
    ) -> Result<ApiKey, KeyError> {
        caller.may_manage_keys(now)?;
        let scopes = self.scopes.unwrap_or_else(|| caller.scopes.clone());
        let beyond: Vec<Scope> = scopes
            .iter()
            .filter(|scope| !caller.scopes.allow(*scope))
            .collect();
        if !beyond.is_empty() {
            return Err(KeyError::BeyondScopes(beyond));
        }
        let expires_at = self.expires_at.unwrap_or(caller.expires_at);
        match caller.expires_at {
            Some(end) if expires_at.is_none_or(|own| own > end) => Err(KeyError::BeyondExpiry(end)),
            _ => Ok(ApiKey {
                key_id,
                client_id: caller.client_id,
                company_id: caller.company_id,
                name: self.name,
                scopes,
                secret_hash,
                created_at: now,
                created_by: Some(caller.key_id.clone()),
                expires_at,
                revoked_at: None,
                last_used_on: None,
                version: 1,
            }),
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

    /// Whether the key manages the keys of its client now.
    fn manages_keys(&self, now: Timestamp) -> bool {
        self.status(now) == KeyStatus::Active && self.scopes.allow(Scope::KEYS_WRITE)
    }

    /// # Errors
    /// The key is not active, or lacks the scope.
    fn may_manage_keys(&self, now: Timestamp) -> Result<(), KeyError> {
        self.manages_keys(now)
            .then_some(())
            .ok_or(KeyError::CallerInvalid)
    }

    fn lasts_as_long_as(&self, other: &Self) -> bool {
        let end = |key: &Self| key.expires_at.unwrap_or(Timestamp::MAX);
        end(self) >= end(other)
    }

    /// Revokes this key for `caller`, a key of the same client. A key that revokes another one remains itself. A key that revokes
    /// itself leaves another one that manages keys for as long; `others` are the client's other keys.
    ///
    /// # Errors
    /// The calling key is not active, or no such key remains.
    pub fn revoke_by(
        self,
        caller: &Self,
        others: &[Self],
        now: Timestamp,
    ) -> Result<Revocation, KeyError> {
        caller.may_manage_keys(now)?;
        let remaining = if self.key_id == caller.key_id {
            let mut others = others.iter().filter(|other| other.key_id != self.key_id);
            let remaining =
                others.find(|other| other.manages_keys(now) && other.lasts_as_long_as(&self));
            remaining.ok_or(KeyError::LastKey)?
        } else {
            caller
        };
        Ok(Revocation {
            remaining: remaining.clone(),
            revoked: self.revoke(now),
        })
    }
}
