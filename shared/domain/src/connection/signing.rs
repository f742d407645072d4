//! The URL of callbacks, and the secrets that sign them.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

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
}

impl CallbackSettings {
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
