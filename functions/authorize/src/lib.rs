//! The authorizer of the HTTP API: from the key in `Authorization: Bearer` to who calls. No other function sees a key.
//!
//! The HTTP API keeps an answer for 60 seconds for each key and route, so a revoked or expired key is refused within that
//! time. An authorizer can only say no without a reason. So a good key without the scope of a route is let through with the
//! scope that it lacks; the code that reads a request, the same in all functions, then refuses and names it.

mod routes;

use std::collections::HashMap;

use lambda_runtime::Error;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tandem_domain::tenancy::{ApiKey, KeyStatus};
use tandem_runtime::{Clock, aws};
use tandem_sealing::api_key::PresentedKey;
use tandem_sealing::equal;
use tandem_store::{CommitError, Store, StoreError, Transaction, keys};

/// What the HTTP API asks, payload format 2.0.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Headers, with names in lower case.
    #[serde(default)]
    headers: HashMap<String, String>,
    /// Method and path pattern, e.g. `GET /v1/offers`.
    #[serde(default)]
    route_key: String,
}

/// Knows who a key belongs to.
pub struct Authorizer {
    store: Store,
    operator_key: SecretString,
    clock: Clock,
}

impl Authorizer {
    /// With a store, the operator's key and a clock.
    #[must_use]
    pub fn new(store: Store, operator_key: SecretString, clock: Clock) -> Self {
        Self { store, operator_key, clock }
    }

    /// Builds it from the environment and connects.
    ///
    /// # Errors
    /// A setting is absent, or a service does not answer.
    pub async fn start() -> anyhow::Result<Self> {
        let config = aws::config().await;
        let operator_key = aws::secret(&config, "OPERATOR_KEY_SECRET_ARN").await?;
        Ok(Self::new(aws::store(&config).await?, operator_key.into(), Clock::default()))
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
            Some(token) => self.client(token).await?.map(|key| context_of(&key, &request.route_key)),
            None => None,
        };
        if context.is_none() {
            tracing::info!(route = request.route_key, "no active key");
        }
        Ok(json!({"isAuthorized": context.is_some(), "context": context.unwrap_or_else(|| json!({}))}))
    }

    async fn client(&self, token: &str) -> Result<Option<ApiKey>, StoreError> {
        let Some(presented) = PresentedKey::parse(token) else { return Ok(None) };
        let now = self.clock.now();
        let key = self.store.get(&keys::api_key(&presented.key_id)).await?;
        let Some(key) = key.filter(|key| presented.matches(&key.secret_hash) && key.status(now) == KeyStatus::Active) else {
            return Ok(None);
        };
        if let Some(used) = key.used(now) {
            self.note_use(&used).await?;
        }
        Ok(Some(key))
    }

    /// Notes the day of a key's last use. Another call that noted it first, or the operator who revoked the key, counts; and
    /// a good key is let in even if the day cannot be noted.
    async fn note_use(&self, key: &ApiKey) -> Result<(), StoreError> {
        let mut transaction = Transaction::default();
        transaction.replace(key)?;
        if let Err(CommitError::Store(error)) = self.store.commit(transaction).await {
            tracing::warn!(key = key.key_id, %error, "the day of a key's last use was not noted");
        }
        Ok(())
    }
}

/// What functions are told of a key.
fn context_of(key: &ApiKey, route: &str) -> Value {
    let missing = routes::scope_of(route).filter(|scope| !key.scopes.allow(*scope));
    let mut context = json!({"role": "client", "clientId": key.client_id, "companyId": key.company_id, "keyId": key.key_id});
    if let Some(scope) = missing {
        context["missingScope"] = json!(scope);
    }
    context
}

/// The token of `Bearer …`; the scheme's case does not matter (RFC 9110).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
