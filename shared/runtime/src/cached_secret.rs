//! A secret that operators change while functions run: it is cached and reloaded every minute.

use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::aws;

pub const MAX_AGE: SignedDuration = SignedDuration::from_secs(60);

/// Loads the text of a secret.
pub trait SecretSource: Send + Sync {
    fn load(&self) -> BoxFuture<'_, Result<String>>;
}

/// A secret, cached for [`MAX_AGE`].
pub struct CachedSecret {
    source: Box<dyn SecretSource>,
    cached: Mutex<Option<(SecretString, Timestamp)>>,
}

impl CachedSecret {
    pub fn new(source: impl SecretSource + 'static) -> Self {
        Self {
            source: Box::new(source),
            cached: Mutex::default(),
        }
    }

    /// The secret as it was at most [`MAX_AGE`] before `now`.
    ///
    /// # Errors
    /// The cached secret has expired and cannot be reloaded. It is not used any longer, since it may have been revoked.
    pub async fn at(&self, now: Timestamp) -> Result<SecretString> {
        if let Some((secret, loaded_at)) = self
            .cached
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            && now.duration_since(*loaded_at).abs() < MAX_AGE
        {
            return Ok(secret.clone());
        }
        let secret = SecretString::from(self.source.load().await?);
        *self.cached.lock().unwrap_or_else(PoisonError::into_inner) = Some((secret.clone(), now));
        Ok(secret)
    }
}

/// The secret of Secrets Manager with this ARN.
pub struct SecretsManagerSource {
    pub client: aws_sdk_secretsmanager::Client,
    pub arn: String,
}

impl SecretSource for SecretsManagerSource {
    fn load(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(aws::secret_text(&self.client, &self.arn))
    }
}
