//! Running a function behind the HTTP API.

use std::future::Future;

use lambda_http::{Body, Error, Response, service_fn};
use tandem_runtime::{Clock, logs};

use crate::answer::Answer;
use crate::app::App;
use crate::problem::Problem;
use crate::request::Request;

/// Starts, then answers requests until the sandbox ends.
///
/// # Errors
/// A setting is absent, or a service does not answer while the function initialises.
pub async fn serve<F>(handle: fn(App, Request) -> F) -> Result<(), Error>
where
    F: Future<Output = Result<Answer, Problem>> + Send + 'static,
{
    logs::start();
    let app = App::start().await.map_err(|error| {
        tracing::error!(error = format!("{error:#}"), "the function cannot start");
        error
    })?;
    lambda_http::run(service_fn(|event| {
        let app = app.clone();
        async move { Ok::<_, Error>(respond(app, event, handle).await) }
    }))
    .await
}

/// Answers one request; a refusal is an answer too. All that the request does happens at one time: a row is found by its id
/// in the time that it names.
pub async fn respond<F>(app: App, event: lambda_http::Request, handle: fn(App, Request) -> F) -> Response<Body>
where
    F: Future<Output = Result<Answer, Problem>> + Send + 'static,
{
    let app = App { clock: Clock::standing_at(app.now()), ..app };
    let request = match Request::read(event) {
        Ok(request) => request,
        Err(problem) => return problem.into_response(""),
    };
    let (id, route, caller) = (request.id.clone(), request.route.clone(), request.caller.name());
    match handle(app, request).await {
        Ok(answer) => {
            tracing::info!(request = id, route, caller, status = answer.status, replayed = answer.replayed, "answered");
            answer.into_response()
        }
        Err(problem) => {
            tracing::info!(
                request = id,
                route,
                caller,
                status = problem.code.status(),
                code = problem.code.as_str(),
                "refused"
            );
            problem.into_response(&id)
        }
    }
}
