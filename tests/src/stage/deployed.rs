//! The deployed template, called over HTTP.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{Row, Stack, Stage, exchanges, table};
use crate::answer::Answer;
use crate::mail::Mail;
use crate::request::Request;

/// Longer than the HTTP API waits for a function.
const CALL_TIMEOUT: Duration = Duration::from_secs(40);
/// A caller repeats a 5xx so often, where the stack injects faults; elsewhere never.
const MAX_REPEATS: usize = 5;
const REPEAT_PAUSE: Duration = Duration::from_millis(500);
/// Two sweeps: the next minute's sweep finds a row that the stream has lost.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(150);
const SETTLE_PAUSE: Duration = Duration::from_millis(100);

/// The stack that `TANDEM_STACK` names. Each story has its own, since connections belong to the runtime of one test.
pub struct Deployed {
    http: reqwest::Client,
}

impl Deployed {
    pub fn new() -> Self {
        Self {
            http: http_client(),
        }
    }

    async fn send_once(&self, request: &Request) -> Answer {
        let fresh;
        let http = if request.new_connection {
            fresh = http_client();
            &fresh
        } else {
            &self.http
        };
        let url = format!("{}{}", Stack::get().api_url, request.target);
        let mut call = http.request(request.method.clone(), url);
        if let Some(key) = &request.key {
            call = call.bearer_auth(key);
        }
        for (name, value) in &request.headers {
            call = call.header(name, value);
        }
        if let Some(body) = &request.body {
            call = call.body(body.clone());
        }
        let response = call.send().await;
        let response = response.unwrap_or_else(|error| panic!("{request}: no answer: {error:?}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await;
        let text =
            text.unwrap_or_else(|error| panic!("{request}: the answer broke off: {error:?}"));
        exchanges::record(request, &text);
        Answer::new(request, status, headers, text)
    }
}

impl Default for Deployed {
    fn default() -> Self {
        Self::new()
    }
}

impl Stage for Deployed {
    fn send(&self, request: Request) -> BoxFuture<'_, Answer> {
        async move {
            let mut repeats = if Stack::get().faults { MAX_REPEATS } else { 0 };
            loop {
                let answer = self.send_once(&request).await;
                if answer.status < 500 || repeats == 0 {
                    answer.assert_described(&request);
                    return answer;
                }
                repeats -= 1;
                sleep(REPEAT_PAUSE).await;
            }
        }
        .boxed()
    }

    fn mails_to<'a>(&'a self, email: &'a str) -> BoxFuture<'a, Vec<Mail>> {
        mails_to(email).boxed()
    }

    fn rows_about<'a>(&'a self, texts: &'a [&'a str]) -> BoxFuture<'a, Vec<Row>> {
        table::rows_about(texts).boxed()
    }

    // The functions' clock counts milliseconds.
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(Timestamp::now().as_millisecond()).expect("a time")
    }

    fn operator_key(&self) -> &str {
        &Stack::get().operator_key
    }

    fn proceed(&self, began: Instant) -> BoxFuture<'_, Result<(), String>> {
        async move {
            if began.elapsed() > SETTLE_TIMEOUT {
                return Err(format!("not within {} s", SETTLE_TIMEOUT.as_secs()));
            }
            sleep(SETTLE_PAUSE).await;
            Ok(())
        }
        .boxed()
    }
}

fn http_client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().timeout(CALL_TIMEOUT);
    client.build().expect("an HTTP client")
}

async fn mails_to(email: &str) -> Vec<Mail> {
    let url = &Stack::get().sent_mails_url;
    let answer = http_client().get(url).send().await;
    let answer = answer.unwrap_or_else(|error| panic!("{url}: no answer: {error:?}"));
    let sent: Value = answer
        .json()
        .await
        .unwrap_or_else(|error| panic!("{url}: not JSON: {error:?}"));
    let accounts = sent["messages"].as_object();
    let accounts = accounts.unwrap_or_else(|| panic!("{url}: no messages: {sent}"));
    let messages = accounts.values().filter_map(Value::as_array).flatten();
    let to_it = |message: &&Value| {
        let to = message["To"].as_array();
        to.is_some_and(|to| to.iter().any(|address| address == email))
    };
    messages.filter(to_it).map(mail).collect()
}

fn mail(message: &Value) -> Mail {
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(text("Source"), Stack::get().mail_sender);
    assert_eq!(message["To"].as_array().map(Vec::len), Some(1), "{message}");
    Mail {
        subject: text("Subject"),
        text: text("BodyText"),
        html: text("BodyHtml"),
    }
}
