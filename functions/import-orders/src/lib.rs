//! Accepts imports of orders from a leading system, and serves their progress and log. `process-imports` processes them.

mod accept;
mod dry_run;
mod entries;
mod log;
mod read;

use tandem_api::{Answer, App, Code, Problem, Request};

pub async fn handle(app: App, request: Request) -> Result<Answer, Problem> {
    let caller = request.caller.client()?;
    match request.route.as_str() {
        "POST /v1/imports/orders" => accept::accept(&app, &request, caller).await,
        "GET /v1/imports" => read::list(&app, &request, caller).await,
        "GET /v1/imports/{promiseId}" => read::one(&app, &request, caller).await,
        "POST /v1/imports/{promiseId}/retry" => accept::retry(&app, &request, caller).await,
        "GET /v1/imports/orders/logs" => log::list(&app, &request, caller).await,
        _ => Err(Problem::missing(Code::RouteNotFound)),
    }
}
