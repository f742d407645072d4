//! The caller's own account: itself, how it is reached, and its API keys.

mod api_keys;
mod me;

use tandem_api::{Answer, App, Code, Problem, Request};

pub async fn handle(app: App, request: Request) -> Result<Answer, Problem> {
    let caller = request.caller.client()?;
    match request.route.as_str() {
        "GET /v1/me" => me::read(&app, &request, caller).await,
        "PATCH /v1/me" => me::edit(&app, &request, caller).await,
        "POST /v1/api-keys" => api_keys::create(&app, &request, caller).await,
        "GET /v1/api-keys" => api_keys::list(&app, &request, caller).await,
        "DELETE /v1/api-keys/{keyId}" => api_keys::revoke(&app, &request, caller).await,
        _ => Err(Problem::missing(Code::RouteNotFound)),
    }
}
