//! A client's own event endpoint: where it is told what happens to itself, such as the end of an import. Signed, delivered and
//! logged as the callbacks of a connection are.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::callback_url::{CallbackUrl, LocalTargets};
use crate::connection::{CallbackSettings, SigningSecret};
use crate::ids::ClientId;
use crate::input::{FieldErrors, Object, Parsed, string};

/// Where a client is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventEndpoint {
    /// Who.
    pub client_id: ClientId,
    /// Where to, and how it is signed.
    #[serde(flatten)]
    pub settings: CallbackSettings,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

impl EventEndpoint {
    /// Reads `{url}`.
    ///
    /// # Errors
    /// Names each wrong member.
    pub fn parse(value: &Value, local: &LocalTargets) -> Parsed<CallbackUrl> {
        let mut object = Object::read(value)?;
        let url = object.required("url", |value| {
            CallbackUrl::parse(string(value)?, local)
                .map_err(|error| FieldErrors::one(error.code(), error.to_string()))
        });
        object.finish(|| url)
    }

    /// A new endpoint with its first secret.
    pub fn new(
        client_id: ClientId,
        url: CallbackUrl,
        sealed_secret: String,
        now: Timestamp,
    ) -> Self {
        let secret = SigningSecret {
            sealed: sealed_secret,
            created_at: now,
            expires_at: None,
        };
        let settings = CallbackSettings {
            url,
            secrets: vec![secret],
        };
        Self {
            client_id,
            settings,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// The endpoint at another address, with the same secrets.
    pub fn moved_to(mut self, url: CallbackUrl, now: Timestamp) -> Self {
        self.settings.url = url;
        Self {
            updated_at: now,
            ..self
        }
    }

    /// The endpoint with a new secret; the one before signs beside it for a day.
    pub fn rotated(mut self, sealed_secret: String, now: Timestamp) -> Self {
        self.settings.rotate(sealed_secret, now);
        Self {
            updated_at: now,
            ..self
        }
    }
}
