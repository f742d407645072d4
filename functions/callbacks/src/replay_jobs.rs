//! Replays of many callbacks, as jobs. This function accepts them; the worker of the callback queue runs them in batches.

use tandem_api::idempotency::idempotent;
use tandem_api::views::replay as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::ids::ReplayId;
use tandem_domain::replay::{KEPT, ReplayJob, Selection};
use tandem_store::{Transaction, keys};

pub(crate) async fn accept(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.json()?;
    let selection = Selection::parse(&body)?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let job = ReplayJob::accept(
            ReplayId::generate(&mut app.ids()),
            caller.id,
            selection,
            app.now(),
        );
        let mut transaction = Transaction::default();
        transaction.create(&job)?;
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
