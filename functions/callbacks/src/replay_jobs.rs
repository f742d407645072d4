//! Replays of many callbacks, as jobs. This function accepts them; the worker of the callback queue runs them in batches.

use tandem_api::idempotency::idempotent;
use tandem_api::requested_callbacks;
use tandem_api::views::replay as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::connection::Side;
use tandem_domain::ids::{ConnectionId, ReplayId};
use tandem_domain::input::FieldErrors;
use tandem_domain::replay::{KEPT, ReplayJob, Selection};
use tandem_domain::requested_callbacks::CallbackRequest;
use tandem_store::{Transaction, keys};

pub(crate) async fn accept(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.json()?;
    let selection = Selection::parse(&body)?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        if let Some(id) = selection.connection_id {
            check_source(app, caller, id).await?;
        }
        let job = ReplayJob::accept(
            ReplayId::generate(&mut app.ids()),
            caller.id,
            selection,
            app.now(),
        );
        let mut transaction = Transaction::default();
        transaction.create(&job)?;
        requested_callbacks::count(app, caller, CallbackRequest::Job, &mut transaction).await?;
        let location = Some(format!("/v1/callbacks/replays/{}", job.id));
        Ok(Decision::Commit(
            transaction,
            Answer {
                location,
                ..Answer::json(202, view::job(&job))
            },
        ))
    })
    .await
}

/// Only the source of a connection has callbacks.
async fn check_source(app: &App, caller: ClientCaller, id: ConnectionId) -> Result<(), Problem> {
    match app.store.connection_of(caller.id, id).await? {
        Some((_, Side::Source)) => Ok(()),
        Some((_, Side::Target)) => {
            let detail = format!(
                "{id} sends its callbacks to the other client; name a connection of which you are the source"
            );
            Err(FieldErrors::at("connectionId", "not_the_source", detail).into())
        }
        None => {
            let detail = format!("there is no connection {id}");
            Err(FieldErrors::at("connectionId", "not_found", detail).into())
        }
    }
}

pub(crate) async fn read(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let id: ReplayId = request.id_in_path("replayId", Code::ReplayNotFound)?;
    let job = app.store.get(&keys::replay(caller.id, id)).await?;
    let kept = job.filter(|job| app.now().duration_since(job.accepted_at) < KEPT);
    Ok(Answer::ok(view::job(
        &kept.ok_or_else(|| Problem::missing(Code::ReplayNotFound))?,
    )))
}
