//! The authorizer of the HTTP API: finds the caller of the key in `Authorization: Bearer`. No other code sees a key. The HTTP API
//! also sends the header to the functions, but `tandem_api::request` drops it first.
//!
//! The HTTP API caches an answer for 60 seconds per key and route, so a revoked or expired key, and each key of a disabled client,
//! is rejected within that time.
//! An authorizer cannot give a reason for a rejection. So it lets a valid key that lacks the route's scope pass, with the name of
//! the missing scope; `tandem_api::caller` then rejects the request and names the scope. In the same way it lets a header without
//! the word `Bearer` pass, without a caller.
//!
//! The operator's key is loaded again after a minute, so a changed key is rejected within two minutes.

mod routes;

use std::collections::HashMap;

use futures::future::try_join;
use lambda_runtime::Error;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};
use tandem_domain::tenancy::{ApiKey, KeyStatus};
use tandem_runtime::{CachedSecret, Clock, aws, metrics};
use tandem_sealing::api_key::PresentedKey;
use tandem_sealing::equal;
use tandem_store::{CommitError, Store, StoreError, Transaction, keys};

use crate::routes::Need;

/// The event of the HTTP API, payload format 2.0.
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

pub struct Authorizer {
    store: Store,
    operator_key: CachedSecret,
    clock: Clock,
}

impl Authorizer {
    pub fn new(store: Store, operator_key: CachedSecret, clock: Clock) -> Self {
        Self {
            store,
            operator_key,
            clock,
        }
    }

    /// Reads the settings from the environment and connects to the services.
    pub async fn start() -> anyhow::Result<Self> {
        let config = aws::config().await?;
        let (store, operator_key) = try_join(
            aws::store(&config),
            aws::cached_secret(&config, "OPERATOR_KEY_SECRET_ARN"),
        )
        .await?;
        Ok(Self::new(store, operator_key, Clock::default()))
    }

    /// Answers with a simple response: whether the call is authorized, and its caller.
    ///
    /// # Errors
    /// DynamoDB or Secrets Manager fails; the HTTP API then answers 500.
    pub async fn authorize(&self, request: Request) -> Result<Value, Error> {
        let header = request.headers.get("authorization");
        let header = header.map(|header| header.trim()).unwrap_or_default();
        let context = match bearer(header) {
            Some(token) => {
                let caller = self.caller(token, &request.route_key).await;
                metrics::throttled(self.store.throttled(), self.clock.now());
                caller?
            }
            None if header.is_empty() => None,
            None => Some(json!({"missingBearer": true})),
        };
        if context.is_none() {
            tracing::info!(route = request.route_key, "no active key");
        }
        Ok(
            json!({"isAuthorized": context.is_some(), "context": context.unwrap_or_else(|| json!({}))}),
        )
    }

    /// The context of the caller with this key; `None` if no active key matches.
    async fn caller(&self, token: &str, route: &str) -> Result<Option<Value>, Error> {
        if let Some(presented) = PresentedKey::parse(token) {
            return Ok(self
                .client(&presented)
                .await?
                .and_then(|key| context_of(&key, route)));
        }
        let operator_key = self.operator_key.at(self.clock.now()).await?;
        Ok(
            equal(token.as_bytes(), operator_key.expose_secret().as_bytes())
                .then(|| json!({"role": "operator"})),
        )
    }

    async fn client(&self, presented: &PresentedKey) -> Result<Option<ApiKey>, StoreError> {
        let now = self.clock.now();
        let key = self.store.get(&keys::api_key(&presented.key_id)).await?;
        let Some(key) = key.filter(|key| {
            presented.matches(&key.secret_hash) && key.status(now) == KeyStatus::Active
        }) else {
            return Ok(None);
        };
        let client = self.store.get(&keys::client(key.client_id)).await?;
        if client.is_none_or(|client| client.disabled_at.is_some()) {
            return Ok(None);
        }
        if let Some(used) = key.used(now) {
            self.record_use(&used).await?;
        }
        Ok(Some(key))
    }

    /// Records the day of a key's last use. A conflict is ignored: another call recorded the day, or the operator revoked the key.
    /// A valid key is authorized even if the write fails.
    async fn record_use(&self, key: &ApiKey) -> Result<(), StoreError> {
        let mut transaction = Transaction::default();
        transaction.replace(key)?;
        if let Err(CommitError::Store(error)) = self.store.commit(transaction).await {
            tracing::warn!(key = key.key_id, %error, "the day of a key's last use was not recorded");
        }
        Ok(())
    }
}

/// The context of a client's key; `None` for a route without a known need. The operator's routes need no scope: their function
/// rejects clients.
fn context_of(key: &ApiKey, route: &str) -> Option<Value> {
    let mut context = json!({"role": "client", "clientId": key.client_id, "companyId": key.company_id, "keyId": key.key_id});
    match routes::need_of(route)? {
        Need::Scope(scope) if !key.scopes.allow(scope) => context["missingScope"] = json!(scope),
        Need::Scope(_) | Need::AnyKey | Need::Operator => {}
    }
    Some(context)
}

/// The token of `Bearer …`; the scheme's case does not matter (RFC 9110).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
