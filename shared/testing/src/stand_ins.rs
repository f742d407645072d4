//! SQS and SES beneath the real SDK: HTTP clients that answer as the services do and keep what was sent.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// A service that takes requests and keeps them. Clones share what they keep.
#[derive(Clone)]
pub struct StandIn {
    answer: fn(&Value) -> Value,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl StandIn {
    /// Amazon SQS, which takes every `SendMessage` and every entry of each `SendMessageBatch`.
    pub fn sqs() -> Self {
        Self::answering(|request| {
            let entries = request["Entries"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            let taken = |entry: &Value| json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "d"});
            let mut answer =
                json!({"Successful": entries.iter().map(taken).collect::<Vec<_>>(), "Failed": []});
            answer["MessageId"] = json!("m");
            answer
        })
    }

    /// Amazon SES v2, which takes every mail.
    pub fn ses() -> Self {
        Self::answering(|_| json!({"MessageId": "m"}))
    }

    fn answering(answer: fn(&Value) -> Value) -> Self {
        Self {
            answer,
            taken: Arc::default(),
        }
    }

    /// The HTTP client that reaches it, whatever the address.
    pub fn http_client(&self) -> SharedHttpClient {
        let service = self.clone();
        http_client_fn(move |_, _| SharedHttpConnector::new(service.clone()))
    }

    /// The bodies of the requests since the last call.
    pub fn take(&self) -> Vec<Value> {
        std::mem::take(&mut *self.taken.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StandIn")
    }
}

impl HttpConnector for StandIn {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body: Value = serde_json::from_slice(request.body().bytes().expect("a body in memory"))
            .expect("a JSON body");
        let answer = (self.answer)(&body).to_string();
        self.taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(body);
        let ok = StatusCode::try_from(200).expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(ok, SdkBody::from(answer))))
    }
}
