//! Runs a function behind the HTTP API.

use std::future::Future;
use std::time::{Duration, SystemTime};

use lambda_http::request::RequestContext;
use lambda_http::{Body, Error, RequestExt as _, Response, service_fn};
use tandem_runtime::{Clock, logs};
use tokio::time::timeout;

use crate::answer::Answer;
use crate::app::App;
use crate::problem::{Code, Problem};
use crate::request::{DEFAULT_ROUTE, Request};

/// Part of a function's time that is reserved for the answer.
const ANSWER_RESERVE: Duration = Duration::from_millis(500);

/// Starts the function, then answers requests until the sandbox ends.
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

/// Answers one request.
pub async fn respond<F>(
    app: App,
    event: lambda_http::Request,
    handle: fn(App, Request) -> F,
) -> Response<Body>
where
    F: Future<Output = Result<Answer, Problem>> + Send + 'static,
{
    // One time for the whole request: the ids of its rows and their times agree.
    let app = App {
        clock: Clock::fixed_at(app.now()),
        ..app
    };
    // Without this limit Lambda would end the function, and the caller would get a bare 503 without advice. A committed effect is
    // not lost: repeating the request with its `Idempotency-Key` gives the stored answer.
    let limit = time_left(&event);
    if let Some(id) = default_route(&event) {
        tracing::info!(request = id, route = DEFAULT_ROUTE, "rejected");
        return no_route(event.uri().path()).into_response(&id);
    }
    let request = match Request::read(event) {
        Ok(request) => request,
        Err(problem) => return problem.into_response(""),
    };
    let (id, route, caller) = (
        request.id.clone(),
        request.route.clone(),
        request.caller.name(),
    );
    let handled = match request.check_parameters() {
        Ok(()) => timeout(limit.unwrap_or(Duration::MAX), handle(app, request)).await,
        Err(problem) => Ok(Err(problem)),
    };
    match handled.unwrap_or_else(|_| Err(too_long())) {
        Ok(answer) => {
            let (status, repeated) = (answer.status, answer.repeated);
            tracing::info!(request = id, route, caller, status, repeated, "answered");
            answer.into_response()
        }
        Err(problem) => {
            let (status, code) = (problem.code.status(), problem.code.as_str());
            tracing::info!(request = id, route, caller, status, code, "rejected");
            problem.into_response(&id)
        }
    }
}

/// The id of a request for which the API has no route.
fn default_route(event: &lambda_http::Request) -> Option<String> {
    match event.request_context_ref()? {
        RequestContext::ApiGatewayV2(context) => (context.route_key.as_deref()
            == Some(DEFAULT_ROUTE))
        .then(|| context.request_id.clone().unwrap_or_default()),
        _ => None,
    }
}

fn no_route(path: &str) -> Problem {
    let remedy = if path.len() > 1 && path.ends_with('/') {
        "; leave out the slash at the end of the path"
    } else {
        ""
    };
    Problem::new(
        Code::RouteNotFound,
        format!("no route has this method and path{remedy}"),
    )
}

fn too_long() -> Problem {
    Problem::new(
        Code::Unavailable,
        "the request took too long; repeat it with the same Idempotency-Key",
    )
}

/// Time that the request may take; `None` outside of Lambda.
fn time_left(event: &lambda_http::Request) -> Option<Duration> {
    let left = event
        .lambda_context_ref()?
        .deadline()
        .duration_since(SystemTime::now())
        .ok()?;
    Some(left.saturating_sub(ANSWER_RESERVE))
}
