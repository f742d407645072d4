//! Connections between clients: invitations, answers, blocks, edits, and the callbacks' signing secrets.

mod callback;
mod change;
mod invite;
mod read;
mod resend;

use tandem_api::{Answer, App, Code, Problem, Request};
use tandem_domain::connection::Transition;

pub async fn handle(app: App, request: Request) -> Result<Answer, Problem> {
    let caller = request.caller.client()?;
    match request.route.as_str() {
        "POST /v1/connections" => invite::invite(&app, &request, caller).await,
        "GET /v1/connections" => read::list(&app, &request, caller).await,
        "GET /v1/connections/{connectionId}" => read::read(&app, &request, caller).await,
        "PATCH /v1/connections/{connectionId}" => change::edit(&app, &request, caller).await,
        "POST /v1/connections/{connectionId}/accept" => {
            change::apply(&app, &request, caller, Transition::Accept).await
        }
        "POST /v1/connections/{connectionId}/decline" => {
            change::apply(&app, &request, caller, Transition::Decline).await
        }
        "POST /v1/connections/{connectionId}/withdraw" => {
            change::apply(&app, &request, caller, Transition::Withdraw).await
        }
        "POST /v1/connections/{connectionId}/resend-invitation" => {
            resend::resend(&app, &request, caller).await
        }
        "POST /v1/connections/{connectionId}/block" => {
            change::apply(&app, &request, caller, Transition::Block).await
        }
        "POST /v1/connections/{connectionId}/unblock" => {
            change::apply(&app, &request, caller, Transition::Unblock).await
        }
        "POST /v1/connections/{connectionId}/callback/rotate-secret" => {
            callback::rotate(&app, &request, caller).await
        }
        "POST /v1/connections/{connectionId}/callback/test" => {
            callback::test(&app, &request, caller).await
        }
        _ => Err(Problem::missing(Code::RouteNotFound)),
    }
}
