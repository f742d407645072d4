//! Replays: a callback is sent again from the start of its schedule, with the same `webhook-id`.
//!
//! A client that requests a replay says that its endpoint works again. So the same transaction enables a disabled endpoint and
//! lets a probe through to a paused one. The relay reads the change from the table's stream and enqueues the callback.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tandem_api::idempotency::idempotent;
use tandem_api::requested_callbacks;
use tandem_api::views::callback as view;
use tandem_api::{Answer, App, ClientCaller, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::callback::{Callback, CallbackState, Endpoint};
use tandem_domain::ids::CallbackId;
use tandem_domain::input::{FieldErrors, Object, Parsed, list, parsed};
use tandem_domain::requested_callbacks::CallbackRequest;
use tandem_store::{Transaction, keys};

use crate::load;

/// Most callbacks of one request; with their endpoints, the stored answer and the count they fit into one transaction.
const MAX_CALLBACKS: usize = 49;

pub(crate) async fn one(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.empty_body()?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let callback = load(app, request, caller).await?.replay(app.now());
        let transaction = rows_of(app, caller, std::slice::from_ref(&callback)).await?;
        Ok(Decision::Commit(
            transaction,
            Answer::json(202, view::summary(&callback)),
        ))
    })
    .await
}

pub(crate) async fn many(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.json()?;
    let ids = parse(&body)?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let callbacks = find(app, caller, &ids).await?;
        let callbacks: Vec<_> = callbacks
            .into_iter()
            .map(|callback| callback.replay(app.now()))
            .collect();
        let transaction = rows_of(app, caller, &callbacks).await?;
        let items: Vec<Value> = callbacks.iter().map(view::summary).collect();
        Ok(Decision::Commit(
            transaction,
            Answer::json(202, json!({"items": items})),
        ))
    })
    .await
}

fn parse(body: &Value) -> Parsed<Vec<CallbackId>> {
    let mut object = Object::read(body)?;
    let ids = object.required("callbackIds", list(1..=MAX_CALLBACKS, parsed::<CallbackId>));
    object.finish(|| {
        let mut ids = ids?;
        ids.sort_unstable();
        ids.dedup();
        Some(ids)
    })
}

async fn find(
    app: &App,
    caller: ClientCaller,
    ids: &[CallbackId],
) -> Result<Vec<Callback>, Problem> {
    let key_of = |id: &CallbackId| keys::callback(caller.id, *id);
    let mut callbacks = app.store.load_all(ids.iter().map(key_of)).await?;
    let (mut found, mut errors) = (Vec::new(), FieldErrors::default());
    for id in ids {
        match callbacks.remove(&key_of(id)) {
            Some(callback) => found.push(callback),
            None => errors.0.extend(
                FieldErrors::at(
                    "callbackIds",
                    "not_found",
                    format!("there is no callback {id}"),
                )
                .0,
            ),
        }
    }
    if errors.0.is_empty() {
        Ok(found)
    } else {
        Err(errors.into())
    }
}

async fn rows_of(
    app: &App,
    caller: ClientCaller,
    callbacks: &[Callback],
) -> Result<Transaction, Problem> {
    let mut transaction = Transaction::default();
    let count = u32::try_from(callbacks.len()).unwrap_or(u32::MAX);
    let request = CallbackRequest::Replays(count);
    requested_callbacks::count(app, caller, request, &mut transaction).await?;
    // A callback in flight is not written: a new version of its row would make the running attempt's record fail.
    for callback in callbacks
        .iter()
        .filter(|callback| !matches!(callback.state, CallbackState::InFlight { .. }))
    {
        transaction.replace(callback)?;
    }
    let endpoints: BTreeSet<Endpoint> = callbacks.iter().map(Callback::endpoint).collect();
    let endpoints: Vec<_> = endpoints.into_iter().map(keys::endpoint_health).collect();
    let mut healths = app.store.load_all(endpoints.clone()).await?;
    for key in &endpoints {
        let Some(health) = healths.remove(key) else {
            continue;
        };
        match health.clone().after_replay_request(app.now()) {
            None => transaction.remove(&health),
            Some(requested) if requested != health => transaction.replace(&requested)?,
            Some(_) => {}
        }
    }
    Ok(transaction)
}
