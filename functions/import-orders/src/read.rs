//! Serves promises.

use tandem_api::answer::Content;
use tandem_api::paging::Paging;
use tandem_api::views::import as view;
use tandem_api::{Answer, App, ClientCaller, Code, Problem, Request};
use tandem_domain::ids::PromiseId;
use tandem_domain::import::decide::{ItemResult, LogEntry};
use tandem_domain::import::promise::Promise;
use tandem_store::keys;

use crate::entries;

pub(crate) async fn list(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let paging = Paging::read(app, request, request.query())?;
    let keep = |promise: &Promise| promise.is_kept(app.now());
    let page = app
        .store
        .page(
            &keys::promises_of(caller.id),
            paging.after.as_deref(),
            paging.limit,
            keep,
        )
        .await?;
    Ok(paging.answer(app, page, |promise| view::promise(&promise)))
}

/// A promise with a page of its items' results, in the order of the items.
pub(crate) async fn one(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let mut query = request.query();
    let result = query.optional("result", ItemResult::parse);
    let paging = Paging::read(app, request, query)?;
    let promise = load(app, request, caller).await?;
    let keep = |entry: &LogEntry| result.is_none_or(|result| entry.outcome.result == result);
    let (after, limit) = (paging.after.as_deref(), paging.limit);
    let page = entries::of_promise(app, &promise, after, limit, keep).await?;
    let items = paging.answer(app, page, |entry| view::log_entry(&entry));
    let mut shown = view::promise(&promise);
    if let (Some(shown), Content::Json(serde_json::Value::Object(items))) =
        (shown.as_object_mut(), items.body)
    {
        shown.extend(items);
    }
    Ok(Answer::ok(shown))
}

/// Loads the promise that the path names.
pub(crate) async fn load(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Promise, Problem> {
    let id: PromiseId = request.id_in_path("promiseId", Code::PromiseNotFound)?;
    let promise = app.store.get(&keys::promise(caller.id, id)).await?;
    promise
        .filter(|promise| promise.is_kept(app.now()))
        .ok_or_else(|| Problem::missing(Code::PromiseNotFound))
}
