//! A secret that people change while functions run: it is read again when it is old.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::aws;

/// For how long a secret is used before it is read again.
pub const HELD_FOR: SignedDuration = SignedDuration::from_secs(60);

/// A secret of Secrets Manager, held for [`HELD_FOR`].
pub struct HeldSecret {
    source: Source,
    held: Mutex<Option<(SecretString, Timestamp)>>,
}

enum Source {
    SecretsManager {
        client: aws_sdk_secretsmanager::Client,
        id: String,
    },
    StandIn(Arc<Mutex<String>>),
}

/// Changes the secret of a test, as Secrets Manager would.
#[derive(Debug, Clone)]
pub struct StandInSecret(Arc<Mutex<String>>);

impl StandInSecret {
    /// From now on it is another one.
    pub fn set(&self, text: &str) {
        text.clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl HeldSecret {
    /// The secret with this ARN.
    pub fn of(client: aws_sdk_secretsmanager::Client, id: String) -> Self {
        Self {
            source: Source::SecretsManager { client, id },
            held: Mutex::default(),
        }
    }

    /// A stand-in for tests, and what changes it.
    pub fn stand_in(text: &str) -> (Self, StandInSecret) {
        let text = Arc::new(Mutex::new(text.to_owned()));
        (
            Self {
                source: Source::StandIn(Arc::clone(&text)),
                held: Mutex::default(),
            },
            StandInSecret(text),
        )
    }

    /// The secret, as it was at most [`HELD_FOR`] ago.
    ///
    /// # Errors
    /// It has to be read and cannot be: what may have been withdrawn is not used any longer.
    pub async fn at(&self, now: Timestamp) -> Result<SecretString> {
        if let Some((secret, read_at)) = self
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            && now.duration_since(*read_at).abs() < HELD_FOR
        {
            return Ok(secret.clone());
        }
        let secret = SecretString::from(self.read().await?);
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some((secret.clone(), now));
        Ok(secret)
    }

    async fn read(&self) -> Result<String> {
        match &self.source {
            Source::SecretsManager { client, id } => aws::secret_text(client, id).await,
            Source::StandIn(text) => {
                Ok(text.lock().unwrap_or_else(PoisonError::into_inner).clone())
            }
        }
    }
}
