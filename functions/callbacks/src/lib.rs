//! The callback log of a client with replays, and the client's own event endpoint.

mod event_endpoint;
mod replay;
mod replay_jobs;

use std::cmp::Reverse;

use serde_json::Value;
use tandem_api::paging::Paging;
use tandem_api::views::callback as view;
use tandem_api::{Answer, App, ClientCaller, Code, Problem, Request};
use tandem_domain::callback::{Attempt, Callback, CallbackStatus, EventType};
use tandem_domain::ids::{CallbackId, ConnectionId, OrderId, SubscriptionId};
use tandem_domain::input::parsed;
use tandem_runtime::callback_body;
use tandem_store::keys;
use tandem_store::rows::AttemptRow;

/// Attempts shown with a callback: enough for the ten attempts of each of nine replays.
const SHOWN_ATTEMPTS: usize = 100;

pub async fn handle(app: App, request: Request) -> Result<Answer, Problem> {
    let caller = request.caller.client()?;
    match request.route.as_str() {
        "GET /v1/callbacks" => list(&app, &request, caller).await,
        "GET /v1/callbacks/{callbackId}" => read(&app, &request, caller).await,
        "POST /v1/callbacks/{callbackId}/replay" => replay::one(&app, &request, caller).await,
        "POST /v1/callbacks/replay" => replay::many(&app, &request, caller).await,
        "POST /v1/callbacks/replays" => replay_jobs::accept(&app, &request, caller).await,
        "GET /v1/callbacks/replays/{replayId}" => replay_jobs::read(&app, &request, caller).await,
        "GET /v1/event-endpoint" => event_endpoint::read(&app, caller).await,
        "PUT /v1/event-endpoint" => event_endpoint::set(&app, &request, caller).await,
        "DELETE /v1/event-endpoint" => event_endpoint::remove(&app, &request, caller).await,
        "POST /v1/event-endpoint/rotate-secret" => {
            event_endpoint::rotate(&app, &request, caller).await
        }
        _ => Err(Problem::missing(Code::RouteNotFound)),
    }
}

async fn list(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let mut query = request.query();
    let status = query.optional("status", CallbackStatus::parse);
    let event = query.optional("type", EventType::parse);
    let connection = query.optional("connectionId", parsed::<ConnectionId>);
    let order = query.optional("orderId", parsed::<OrderId>);
    let subscription = query.optional("subscriptionId", parsed::<SubscriptionId>);
    let paging = Paging::read(app, request, query)?;
    let keep = |callback: &Callback| {
        status.is_none_or(|status| callback.state.status() == status)
            && event.is_none_or(|event| callback.event == event)
            && connection.is_none_or(|connection| callback.connection_id == Some(connection))
            && order.is_none_or(|order| callback.order_id == Some(order))
            && subscription
                .is_none_or(|subscription| callback.subscription_id == Some(subscription))
    };
    let page = app
        .store
        .page(
            &keys::callbacks_of(caller.id),
            paging.after.as_deref(),
            paging.limit,
            keep,
        )
        .await?;
    Ok(paging.answer(app, page, |callback| view::summary(&callback)))
}

async fn read(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let callback = load(app, request, caller).await?;
    let person = match callback.concerned {
        Some(concerned) => app.load_customer_sealer(concerned).await?,
        None => None,
    };
    let corrupt = || Problem::new(Code::Internal, "the body of the callback is corrupt");
    let body =
        callback_body::body(&app.sealer, &callback, person.as_ref()).map_err(|_| corrupt())?;
    let body: Value = serde_json::from_slice(&body).map_err(|_| corrupt())?;
    let mut attempts = attempts_of(app, &callback).await?;
    for attempt in &mut attempts {
        if let Some(sealed) = attempt.sealed_answer.take() {
            attempt.answer =
                callback_body::open_answer(callback.id, attempt.number, person.as_ref(), &sealed);
        }
    }
    Ok(Answer::ok(view::full(&callback, &body, &attempts)))
}

/// The newest attempts, newest first: those in the callback's own row, and those that have their own rows.
async fn attempts_of(app: &App, callback: &Callback) -> Result<Vec<Attempt>, Problem> {
    // Attempts that were logged after the callback was read belong to a later state.
    let logged = callback.logged_attempts();
    let mut attempts = callback.log.clone();
    if usize::try_from(logged) != Ok(attempts.len()) {
        let log = keys::attempts_of(callback.client_id, callback.id);
        let is_logged = |row: &AttemptRow| row.attempt.number <= logged;
        let page = app
            .store
            .page(&log, None, SHOWN_ATTEMPTS, is_logged)
            .await?;
        attempts.extend(page.items.into_iter().map(|row| row.attempt));
    }
    attempts.sort_by_key(|attempt| Reverse(attempt.number));
    attempts.truncate(SHOWN_ATTEMPTS);
    Ok(attempts)
}

async fn load(app: &App, request: &Request, caller: ClientCaller) -> Result<Callback, Problem> {
    let id: CallbackId = request.id_in_path("callbackId", Code::CallbackNotFound)?;
    app.store
        .get(&keys::callback(caller.id, id))
        .await?
        .ok_or_else(|| Problem::missing(Code::CallbackNotFound))
}
