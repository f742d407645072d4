//! Runs a function behind the HTTP API.

use std::future::Future;
use std::time::{Duration, SystemTime};

use lambda_http::request::RequestContext;
use lambda_http::{Body, Error, RequestExt as _, Response, service_fn};
use tandem_domain::ids::is_id;
use tandem_runtime::{Clock, logs, metrics, spans};
use tokio::time::timeout;
use tracing::Instrument as _;

use crate::answer::Answer;
use crate::app::App;
use crate::problem::{Code, Problem};
use crate::request::{DEFAULT_ROUTE, Request};

/// Part of a function's time that is reserved for the answer.
const ANSWER_RESERVE: Duration = Duration::from_millis(500);
/// Ids in the log line of a request.
const MAX_IDS: usize = 20;

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
        async move { Ok::<_, Error>(spans::exported(respond(app, event, handle)).await) }
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
    let call = Call::of(&request);
    let (store, now) = (app.store.clone(), app.now());
    let handled = match request.check_parameters() {
        Ok(()) => {
            let span = spans::of_request(&call.request, &call.route);
            let handled = handle(app, request).instrument(span);
            timeout(limit.unwrap_or(Duration::MAX), handled).await
        }
        Err(problem) => Ok(Err(problem)),
    };
    metrics::throttled(store.throttled(), now);
    call.respond(handled.unwrap_or_else(|_| Err(too_long())))
}

/// The parts of a request that its line in the log has. The ids are those of its path and of the rows that it wrote: bodies are not
/// logged.
struct Call {
    request: String,
    route: String,
    caller: String,
    ids: Vec<String>,
}

impl Call {
    fn of(request: &Request) -> Self {
        Self {
            request: request.id.clone(),
            route: request.route.clone(),
            caller: request.caller.name(),
            ids: request
                .ids_in_path()
                .into_iter()
                .map(str::to_owned)
                .collect(),
        }
    }

    /// Logs the end of the request, and returns its response.
    fn respond(mut self, handled: Result<Answer, Problem>) -> Response<Body> {
        match handled {
            Ok(answer) => {
                self.add_ids_of(&answer);
                let (
                    ids,
                    Self {
                        request,
                        route,
                        caller,
                        ..
                    },
                ) = (self.logged_ids(), &self);
                let (status, repeated) = (answer.status, answer.repeated);
                tracing::info!(request, route, caller, ids, status, repeated, "answered");
                answer.into_response()
            }
            Err(problem) => {
                let (
                    ids,
                    Self {
                        request,
                        route,
                        caller,
                        ..
                    },
                ) = (self.logged_ids(), &self);
                let (status, code) = (problem.code.status(), problem.code.as_str());
                tracing::info!(request, route, caller, ids, status, code, "rejected");
                problem.into_response(request)
            }
        }
    }

    /// Of a stored answer, the location names the row.
    fn add_ids_of(&mut self, answer: &Answer) {
        let location = answer.location.iter().flat_map(|path| path.split('/'));
        let named = location.filter(|part| is_id(part));
        for id in named.chain(answer.written.iter().map(String::as_str)) {
            if id != self.caller && !self.ids.iter().any(|known| known == id) {
                self.ids.push(id.to_owned());
            }
        }
    }

    /// The first ids. The largest purchase writes 59; its order leads to the others.
    fn logged_ids(&self) -> Option<String> {
        let shown = &self.ids[..self.ids.len().min(MAX_IDS)];
        (!shown.is_empty()).then(|| shown.join(" "))
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
