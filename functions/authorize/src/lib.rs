//! The authorizer of the HTTP API: from the key in `Authorization: Bearer` to who calls. No other function sees a key.
//!
//! The HTTP API keeps an answer for 60 seconds, so a revoked key is refused within that time. Whether the caller may use a
//! route at all is its function's to say, so that it can say why.

use std::collections::HashMap;

use lambda_runtime::Error;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tandem_domain::tenancy::ApiKey;
use tandem_runtime::aws;
use tandem_sealing::api_key::PresentedKey;
use tandem_sealing::equal;
use tandem_store::{Store, StoreError, keys};

/// What the HTTP API asks, payload format 2.0.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Headers, with names in lower case.
    #[serde(default)]
    headers: HashMap<String, String>,
}

/// Knows who a key belongs to.
pub struct Authorizer {
    store: Store,
    operator_key: SecretString,
}

impl Authorizer {
    /// With a store and the operator's key.
    #[must_use]
    pub fn new(store: Store, operator_key: SecretString) -> Self {
        Self { store, operator_key }
    }

    /// Builds it from the environment and connects.
    ///
    /// # Errors
    /// A setting is absent, or a service does not answer.
    pub async fn start() -> anyhow::Result<Self> {
        let config = aws::config().await;
        let operator_key = aws::secret(&config, "OPERATOR_KEY_SECRET_ARN").await?;
        Ok(Self::new(aws::store(&config).await?, operator_key.into()))
    }

    /// Answers with a simple response: whether the call goes on, and as whom.
    ///
    /// # Errors
    /// The table does not answer; the HTTP API then answers 500.
    pub async fn authorize(&self, request: Request) -> Result<Value, Error> {
        let token = request.headers.get("authorization").and_then(|header| bearer(header));
        let context = match token {
            Some(token) if equal(token.as_bytes(), self.operator_key.expose_secret().as_bytes()) => {
                Some(json!({"role": "operator"}))
            }
            Some(token) => self.client(token).await?.map(
                |key| json!({"role": "client", "clientId": key.client_id, "companyId": key.company_id, "keyId": key.key_id}),
            ),
            None => None,
        };
        if context.is_none() {
            tracing::info!("no active key");
        }
        Ok(json!({"isAuthorized": context.is_some(), "context": context.unwrap_or_else(|| json!({}))}))
    }

    async fn client(&self, token: &str) -> Result<Option<ApiKey>, StoreError> {
        let Some(presented) = PresentedKey::parse(token) else { return Ok(None) };
        let key = self.store.get(&keys::api_key(&presented.key_id)).await?;
        Ok(key.filter(|key| presented.matches(&key.secret_hash) && key.is_active()))
    }
}

/// The token of `Bearer …`; the scheme's case does not matter (RFC 9110).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
