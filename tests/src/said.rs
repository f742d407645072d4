//! What callers said and were told, written down for the search through the functions' logs that follows a run.

use std::fs::OpenOptions;
use std::io::Write as _;

use reqwest::Request;
use serde_json::json;
use tandem_testing::Openapi;

use crate::stack::Stack;

/// Adds a call and its answer to the file that the stack names. One write, so that the lines of threads do not mix.
pub(crate) fn note(request: &Request, answer: &str) {
    let path = request.url().path();
    let route = path
        .find("/v1/")
        .and_then(|at| Openapi::get().route_of(request.method().as_str(), &path[at..]));
    let body = request
        .body()
        .and_then(|body| body.as_bytes())
        .map(String::from_utf8_lossy);
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let line = json!({
        "route": route, "query": request.url().query(), "body": body, "authorization": header("authorization"),
        "idempotencyKey": header("idempotency-key"), "answer": answer,
    });
    let file = &Stack::get().said;
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    written.unwrap_or_else(|error| panic!("{file} cannot be written: {error}"));
}
