//! A client's own event endpoint: set, move, remove, rotate the signing secret.

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tandem_api::idempotency::idempotent;
use tandem_api::views::event_endpoint as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::callback::Endpoint;
use tandem_domain::connection::SECRET_OVERLAP;
use tandem_domain::endpoint_health::EndpointHealth;
use tandem_domain::event_endpoint::{EventEndpoint, EventEndpointDraft};
use tandem_domain::sealed::Sealed;
use tandem_sealing::{Purpose, new_webhook_secret};
use tandem_store::{Transaction, keys};

pub(crate) async fn read(app: &App, caller: ClientCaller) -> Result<Answer, Problem> {
    let endpoint = app.store.get(&keys::event_endpoint(caller.id)).await?;
    let health = keys::endpoint_health(Endpoint::Client(caller.id));
    let read = || app.store.get(&health);
    let endpoint = endpoint.ok_or_else(missing)?;
    let found = app.store.as_of_one_moment(endpoint, read).await?;
    let (endpoint, health) = found.ok_or_else(missing)?;
    Ok(Answer::ok(view::event_endpoint(&endpoint, health.as_ref())))
}

/// Sets the address, the types and the headers; absent headers stay. The first call generates a secret, shown once; later calls
/// keep it and clear the endpoint's failures.
pub(crate) async fn set(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.json()?;
    let draft = EventEndpointDraft::parse(&body, &app.local_targets)?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let (before, health) = load(app, caller).await?;
        let mut transaction = Transaction::default();
        if let Some(health) = &health {
            transaction.remove(health);
        }
        let seal = |text: &[u8]| seal_headers(app, caller, text);
        let answer = match before {
            Some(before) => {
                let endpoint = before.set(draft.clone(), seal, app.now());
                transaction.replace(&endpoint)?;
                Answer::ok(view::event_endpoint(&endpoint, None))
            }
            None => {
                let secret = new_webhook_secret();
                let sealed = seal_secret(app, caller, &secret);
                let endpoint = draft.clone().create(caller.id, sealed, seal, app.now());
                transaction.create(&endpoint)?;
                let mut shown = view::event_endpoint(&endpoint, None);
                shown["secret"] = json!(secret.expose_secret());
                Answer::created("/v1/event-endpoint".to_owned(), shown).showing(&secret)
            }
        };
        Ok(Decision::Commit(transaction, answer))
    })
    .await
}

/// Removes the endpoint. Undelivered callbacks wait; they can be replayed after a new endpoint is set.
pub(crate) async fn remove(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    idempotent(app, &IdempotencyKey::of(request, &json!({}))?, || async {
        let (endpoint, health) = load(app, caller).await?;
        let endpoint = endpoint.ok_or_else(missing)?;
        let mut transaction = Transaction::default();
        transaction.delete(&keys::event_endpoint(caller.id));
        if let Some(health) = &health {
            transaction.remove(health);
        }
        Ok(Decision::Commit(
            transaction,
            Answer::ok(view::event_endpoint(&endpoint, None)),
        ))
    })
    .await
}

/// Generates a new secret, shown once. The previous one keeps signing for a day.
pub(crate) async fn rotate(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.empty_body()?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let (endpoint, _) = load(app, caller).await?;
        let secret = new_webhook_secret();
        let endpoint = endpoint.ok_or_else(missing)?.rotated(seal_secret(app, caller, &secret), app.now());
        let mut transaction = Transaction::default();
        transaction.replace(&endpoint)?;
        let answer = json!({
            "secret": secret.expose_secret(),
            "previousValidUntil": app.now().saturating_add(SECRET_OVERLAP).unwrap_or(tandem_domain::Timestamp::MAX),
        });
        let answer = Answer::ok(answer).showing(&secret);
        Ok(Decision::Commit(transaction, answer))
    })
    .await
}

async fn load(
    app: &App,
    caller: ClientCaller,
) -> Result<(Option<EventEndpoint>, Option<EndpointHealth>), Problem> {
    let endpoint = keys::event_endpoint(caller.id);
    let health = keys::endpoint_health(Endpoint::Client(caller.id));
    Ok(app.store.load((endpoint, health)).await?)
}

fn missing() -> Problem {
    Problem::new(
        Code::EventEndpointNotFound,
        "set an endpoint by PUT /v1/event-endpoint",
    )
}

fn seal_headers(app: &App, caller: ClientCaller, text: &[u8]) -> Sealed {
    let endpoint = Endpoint::Client(caller.id).to_string();
    let sealed = app.sealer.seal(Purpose::CallbackHeaders, &endpoint, text);
    sealed.into()
}

fn seal_secret(app: &App, caller: ClientCaller, secret: &SecretString) -> Sealed {
    let sealed = app.sealer.seal(
        Purpose::SigningSecret,
        &Endpoint::Client(caller.id).to_string(),
        secret.expose_secret().as_bytes(),
    );
    sealed.into()
}
