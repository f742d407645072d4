//! Where callbacks go, and the secrets that they are signed with.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::callback_url::CallbackUrl;

/// How long an old signing secret is still used beside the new one.
pub const SECRET_OVERLAP: SignedDuration = SignedDuration::from_hours(24);
/// Secrets that are used side by side. Each is a signature in the header of every callback.
pub const MOST_SECRETS: usize = 5;

/// A signing secret, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SigningSecret {
    /// The sealed secret, base64.
    pub sealed: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is no longer used; set by a rotation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<Timestamp>,
}

/// How the source is told of sales between two contracting companies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallbackSettings {
    /// Where to.
    pub url: CallbackUrl,
    /// The newest secret first.
    pub secrets: Vec<SigningSecret>,
}

impl CallbackSettings {
    /// Puts a new secret in front; the one before is used beside it for [`SECRET_OVERLAP`]. Of more than [`MOST_SECRETS`] the
    /// oldest ones end at once.
    pub fn rotate(&mut self, sealed: String, now: Timestamp) {
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
        self.secrets.truncate(MOST_SECRETS);
    }

    /// The secrets to sign with now, the newest first.
    pub fn secrets_at(&self, now: Timestamp) -> impl Iterator<Item = &SigningSecret> {
        self.secrets
            .iter()
            .filter(move |secret| secret.expires_at.is_none_or(|end| end > now))
    }
}
