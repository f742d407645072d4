//! The URL of callbacks, their static headers, and the secrets that sign them.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::callback_headers::StaticHeaders;
use crate::callback_url::CallbackUrl;
use crate::sealed::Sealed;

/// How long a replaced signing secret remains valid beside the new one.
pub const SECRET_OVERLAP: SignedDuration = SignedDuration::from_hours(24);
/// The most secrets in use at a time. Each adds a signature to the header of every callback.
pub const MAX_SECRETS: usize = 5;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SigningSecret {
    pub sealed: Sealed,
    pub created_at: Timestamp,
    /// The secret is not used from this time on; set by a rotation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<Timestamp>,
}

/// How the source of another contracting company receives callbacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallbackSettings {
    pub url: CallbackUrl,
    /// The newest first.
    pub secrets: Vec<SigningSecret>,
    /// For a receiver that needs authentication.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub headers: Option<StaticHeaders>,
}

impl CallbackSettings {
    pub fn new(
        url: CallbackUrl,
        headers: Option<StaticHeaders>,
        sealed_secret: Sealed,
        now: Timestamp,
    ) -> Self {
        let secret = SigningSecret {
            sealed: sealed_secret,
            created_at: now,
            expires_at: None,
        };
        Self {
            url,
            secrets: vec![secret],
            headers,
        }
    }

    /// Whether an attempt with these settings is an attempt at the same endpoint.
    pub fn is_same_endpoint(&self, other: &Self) -> bool {
        self.url == other.url && self.headers == other.headers
    }

    /// Adds a secret; the previous one remains valid for [`SECRET_OVERLAP`]. The oldest ones beyond [`MAX_SECRETS`] expire at once.
    pub fn rotate(&mut self, sealed: Sealed, now: Timestamp) {
        self.secrets
            .retain(|secret| secret.expires_at.is_none_or(|end| end > now));
        for secret in &mut self.secrets {
            let end = now.saturating_add(SECRET_OVERLAP).unwrap_or(Timestamp::MAX);
            secret.expires_at = Some(secret.expires_at.map_or(end, |earlier| earlier.min(end)));
        }
        self.secrets.insert(
            0,
            SigningSecret {
                sealed,
                created_at: now,
                expires_at: None,
            },
        );
        self.secrets.truncate(MAX_SECRETS);
    }

    /// The secrets to sign with now, the newest first.
    pub fn secrets_at(&self, now: Timestamp) -> impl Iterator<Item = &SigningSecret> {
        self.secrets
            .iter()
            .filter(move |secret| secret.expires_at.is_none_or(|end| end > now))
    }
}
