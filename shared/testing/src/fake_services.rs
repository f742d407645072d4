//! SQS and SES behind the real SDK: HTTP clients that answer like the services and record the requests.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// A service that accepts and records all requests. Clones share the record.
#[derive(Clone)]
pub struct FakeService {
    answer: fn(&Value) -> Value,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl FakeService {
    /// Amazon SQS; accepts every `SendMessage` and every entry of each `SendMessageBatch`.
    pub fn sqs() -> Self {
        Self::answering(|request| {
            let entries = request["Entries"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            let accepted = |entry: &Value| json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "d"});
            let mut answer = json!({"Successful": entries.iter().map(accepted).collect::<Vec<_>>(), "Failed": []});
            answer["MessageId"] = json!("m");
            answer
        })
    }

    /// Amazon SES v2; accepts every mail.
    pub fn ses() -> Self {
        Self::answering(|_| json!({"MessageId": "m"}))
    }

    fn answering(answer: fn(&Value) -> Value) -> Self {
        Self {
            answer,
            requests: Arc::default(),
        }
    }

    /// An HTTP client that sends every request to this service.
    pub fn http_client(&self) -> SharedHttpClient {
        let service = self.clone();
        http_client_fn(move |_, _| SharedHttpConnector::new(service.clone()))
    }

    /// The bodies of the requests since the last call.
    pub fn take(&self) -> Vec<Value> {
        std::mem::take(&mut *self.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for FakeService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeService")
    }
}

impl HttpConnector for FakeService {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body: Value = serde_json::from_slice(request.body().bytes().expect("a body in memory"))
            .expect("a JSON body");
        let answer = (self.answer)(&body).to_string();
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(body);
        let ok = StatusCode::try_from(200).expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(ok, SdkBody::from(answer))))
    }
}
