//! The HTTP API: finds the route in the template, asks the real authorizer, and calls the handler of the route's function.

use std::sync::LazyLock;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use lambda_http::{Body, Response};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tandem_api::serve::respond;
use tandem_api::{App, Event};
use tandem_testing::{HttpCall, template};
use url::form_urlencoded;

use super::InProcess;
use crate::answer::Answer;
use crate::request::Request;

type Handler = fn(App, Event) -> BoxFuture<'static, Response<Body>>;

/// The handler of each function with routes, by the name of its binary in the template.
const HANDLERS: &[(&str, Handler)] = &[
    ("account", |app, event| {
        respond(app, event, account::handle).boxed()
    }),
    ("callbacks", |app, event| {
        respond(app, event, callbacks::handle).boxed()
    }),
    ("carts", |app, event| {
        respond(app, event, carts::handle).boxed()
    }),
    ("connections", |app, event| {
        respond(app, event, connections::handle).boxed()
    }),
    ("customers", |app, event| {
        respond(app, event, customers::handle).boxed()
    }),
    ("import-orders", |app, event| {
        respond(app, event, import_orders::handle).boxed()
    }),
    ("offers", |app, event| {
        respond(app, event, offers::handle).boxed()
    }),
    ("orders", |app, event| {
        respond(app, event, orders::handle).boxed()
    }),
    ("payouts", |app, event| {
        respond(app, event, payouts::handle).boxed()
    }),
    ("purchase-cart", |app, event| {
        respond(app, event, purchase_cart::handle).boxed()
    }),
    ("redeem-voucher", |app, event| {
        respond(app, event, redeem_voucher::handle).boxed()
    }),
    ("subscriptions", |app, event| {
        respond(app, event, subscriptions::handle).boxed()
    }),
    ("tenants", |app, event| {
        respond(app, event, tenants::handle).boxed()
    }),
];

struct Route {
    method: String,
    path: String,
    handler: Handler,
}

impl Route {
    /// The path's parameters, if it matches.
    fn parameters(&self, method: &str, path: &str) -> Option<Vec<(&str, String)>> {
        let (pattern, path) = (self.path.split('/'), path.split('/'));
        if self.method != method || pattern.clone().count() != path.clone().count() {
            return None;
        }
        let mut parameters = Vec::new();
        for (pattern, segment) in pattern.zip(path) {
            let name = pattern
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            match name {
                // A parameter takes at least one character.
                Some(_) if segment.is_empty() => return None,
                Some(name) => parameters.push((name, percent_decoded(segment))),
                None if pattern == segment => {}
                None => return None,
            }
        }
        Some(parameters)
    }
}

static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let template = template();
    let resources = template["Resources"].as_object().expect("resources");
    let functions = resources
        .values()
        .filter(|resource| resource["Type"] == "AWS::Serverless::Function");
    let mut routes = Vec::new();
    for function in functions {
        let events = function["Properties"]["Events"].as_object();
        let events = events.into_iter().flat_map(|events| events.values());
        for event in events.filter(|event| event["Type"] == "HttpApi") {
            if is_default(event) {
                continue;
            }
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            routes.push(Route {
                method: text(&event["Properties"]["Method"]),
                path: text(&event["Properties"]["Path"]),
                handler: handler(&tandem_testing::binary(function)),
            });
        }
    }
    routes
});

/// The handler of the function with the default route.
static DEFAULT: LazyLock<Handler> = LazyLock::new(|| {
    let template = template();
    let resources = template["Resources"].as_object().expect("resources");
    let answers = |resource: &&Value| {
        let events = resource["Properties"]["Events"].as_object();
        events.is_some_and(|events| events.values().any(is_default))
    };
    let function = resources.values().find(answers).expect("a default route");
    handler(&tandem_testing::binary(function))
});

/// An event of the API without method and path is its default route.
fn is_default(event: &Value) -> bool {
    event["Type"] == "HttpApi" && event["Properties"].get("Path").is_none()
}

fn handler(function: &str) -> Handler {
    let mut handlers = HANDLERS.iter();
    let found = handlers.find(|(name, _)| *name == function);
    found
        .unwrap_or_else(|| panic!("add the handler of the function {function} to HANDLERS"))
        .1
}

/// The route of a call and the path's parameters; the more literal route if two match.
fn route_of(method: &str, path: &str) -> Option<(&'static Route, Vec<(&'static str, String)>)> {
    let routes = ROUTES.iter();
    routes
        .filter_map(|route| Some((route, route.parameters(method, path)?)))
        .min_by_key(|(_, parameters)| parameters.len())
}

impl InProcess {
    pub(super) async fn answer(&self, request: &Request) -> Answer {
        let Some((route, parameters)) = route_of(request.method.as_str(), request.path()) else {
            let call = HttpCall::without_route(&request.method, request.path());
            return self.invoke(request, *DEFAULT, &call).await;
        };
        let Some(key) = &request.key else {
            return gateway_answer(request, 401, "Unauthorized");
        };
        let route_key = format!("{} {}", route.method, route.path);
        let authorization = format!("Bearer {key}");
        let event = json!({"headers": {"authorization": authorization}, "routeKey": route_key});
        let event = serde_json::from_value(event).expect("an authorizer's event");
        let Ok(authorized) = self.authorizer.authorize(event).await else {
            return gateway_answer(request, 500, "Internal Server Error");
        };
        if authorized["isAuthorized"] != true {
            return gateway_answer(request, 403, "Forbidden");
        }
        let call = http_call(request, &route_key, &parameters)
            .header("authorization", authorization)
            .authorizer(authorized["context"].clone());
        self.invoke(request, route.handler, &call).await
    }

    async fn invoke(&self, request: &Request, handler: Handler, call: &HttpCall) -> Answer {
        let response = handler(self.app.clone(), call.request()).await;
        let text = String::from_utf8(response.body().to_vec()).expect("UTF-8");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer::new(request, status, headers, text)
    }
}

fn http_call(request: &Request, route_key: &str, parameters: &[(&str, String)]) -> HttpCall {
    let mut call = HttpCall::new(route_key);
    for (name, value) in parameters {
        call = call.path(name, value);
    }
    let query = request.query().unwrap_or_default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        call = call.query(&name, value);
    }
    for (name, value) in &request.headers {
        call = call.header(name, value);
    }
    match &request.body {
        Some(body) => call.bytes(body.clone()),
        None => call,
    }
}

fn gateway_answer(request: &Request, status: u16, message: &str) -> Answer {
    let headers =
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let body = json!({"message": message});
    Answer::new(request, status, headers, body.to_string())
}

fn percent_decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| str::from_utf8(hex).ok());
        let octet = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match octet.filter(|_| *first == b'%') {
            Some(octet) => {
                bytes.push(octet);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
