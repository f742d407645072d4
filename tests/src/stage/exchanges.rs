//! A record of all requests and answers. After a run, `--canaries` searches the functions' logs for their texts.

use std::fs::OpenOptions;
use std::io::Write as _;

use serde_json::json;
use tandem_testing::Openapi;

use super::Stack;
use crate::request::Request;

/// Appends a request and its answer to the file that the stack names. Writes once, so that threads do not mix their lines.
pub(super) fn record(request: &Request, answer: &str) {
    let route = Openapi::get().route_of(request.method.as_str(), request.path());
    let body = request.body.as_deref().map(String::from_utf8_lossy);
    let header = |wanted: &str| {
        let mut headers = request.headers.iter();
        headers.find_map(|(name, value)| (name == wanted).then_some(value))
    };
    let line = json!({
        "route": route,
        "query": request.query(),
        "body": body,
        "authorization": request.key.as_ref().map(|key| format!("Bearer {key}")),
        "idempotencyKey": header("idempotency-key"),
        "answer": answer,
    });
    let file = &Stack::get().exchanges;
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    written.unwrap_or_else(|error| panic!("{file} cannot be written: {error}"));
}
