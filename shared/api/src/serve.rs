//! Running a function behind the HTTP API.

use std::future::Future;
use std::time::{Duration, SystemTime};

use lambda_http::{Body, Error, RequestExt as _, Response, service_fn};
use tandem_runtime::{Clock, logs};
use tokio::time::timeout;

use crate::answer::Answer;
use crate::app::App;
use crate::problem::{Code, Problem};
use crate::request::Request;

/// What an answer takes of a function's time.
const ANSWERING: Duration = Duration::from_millis(500);

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
/// in the time that it names. A request that would outlast its function is given up a little before, so that its caller hears
/// from us what to do: what it has written is found by its `Idempotency-Key`.
pub async fn respond<F>(
    app: App,
    event: lambda_http::Request,
    handle: fn(App, Request) -> F,
) -> Response<Body>
where
    F: Future<Output = Result<Answer, Problem>> + Send + 'static,
{
    let app = App {
        clock: Clock::standing_at(app.now()),
        ..app
    };
    let limit = time_left(&event);
    let request = match Request::read(event) {
        Ok(request) => request,
        Err(problem) => return problem.into_response(""),
    };
    let (id, route, caller) = (
        request.id.clone(),
        request.route.clone(),
        request.caller.name(),
    );
    let handled = timeout(limit.unwrap_or(Duration::MAX), handle(app, request)).await;
    match handled.unwrap_or_else(|_| {
        Err(Problem::new(
            Code::Unavailable,
            "it took too long; the request may be repeated",
        ))
    }) {
        Ok(answer) => {
            tracing::info!(
                request = id,
                route,
                caller,
                status = answer.status,
                replayed = answer.replayed,
                "answered"
            );
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

/// How long the request may take; `None` if Lambda has not said.
fn time_left(event: &lambda_http::Request) -> Option<Duration> {
    let left = event
        .lambda_context_ref()?
        .deadline()
        .duration_since(SystemTime::now())
        .ok()?;
    Some(left.saturating_sub(ANSWERING))
}
