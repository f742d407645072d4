//! A client's own event endpoint, for events about the client itself such as a finished import. Signed, delivered and logged
//! like a connection's callbacks.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::callback_url::{CallbackUrl, LocalTargets};
use crate::connection::{CallbackSettings, SigningSecret};
use crate::ids::ClientId;
use crate::input::{FieldErrors, Object, Parsed, string};
use crate::sealed::Sealed;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventEndpoint {
    pub client_id: ClientId,
    #[serde(flatten)]
    pub settings: CallbackSettings,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: u64,
}

impl EventEndpoint {
    /// Reads `{url}`.
    pub fn parse(value: &Value, local: &LocalTargets) -> Parsed<CallbackUrl> {
        let mut object = Object::read(value)?;
        let url = object.required("url", |value| {
            CallbackUrl::parse(string(value)?, local)
                .map_err(|error| FieldErrors::one(error.code(), error.to_string()))
        });
        object.finish(|| url)
    }

    pub fn new(
        client_id: ClientId,
        url: CallbackUrl,
        sealed_secret: Sealed,
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

    /// Changes the URL and keeps the secrets.
    pub fn moved_to(mut self, url: CallbackUrl, now: Timestamp) -> Self {
        self.settings.url = url;
        Self {
            updated_at: now,
            ..self
        }
    }

    /// Adds a secret; the previous one stays valid for a day.
    pub fn rotated(mut self, sealed_secret: Sealed, now: Timestamp) -> Self {
        self.settings.rotate(sealed_secret, now);
        Self {
            updated_at: now,
            ..self
        }
    }
}
