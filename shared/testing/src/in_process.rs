//! The database without a network: an HTTP client that calls the database in this process.
//!
//! A test that makes a hundred thousand calls has no time for a socket, a server and a signature for each. The SDK is the real
//! one; only the checks that the database's server makes before it reads a request are missing.

use std::fmt;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A database with the operations that the store uses.
#[derive(Clone)]
pub(crate) struct InProcess(pub(crate) Database);

impl InProcess {
    pub(crate) fn http_client(&self) -> SharedHttpClient {
        let database = self.clone();
        http_client_fn(move |_, _| SharedHttpConnector::new(database.clone()))
    }

    fn answer(&self, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
        let database = &self.0;
        match operation {
            "GetItem" => Ok(written(&database.get_item(read(body))?)),
            "BatchGetItem" => Ok(written(&database.batch_get_item(read(body))?)),
            "Query" => Ok(written(&database.query(read(body))?)),
            "UpdateItem" => Ok(written(&database.update_item(read(body))?)),
            "PutItem" => Ok(written(&database.put_item(read(body))?)),
            "TransactWriteItems" => Ok(written(&database.transact_write_items(read(body))?)),
            other => panic!("the store does not use {other}"),
        }
    }
}

fn read<R: DeserializeOwned>(body: &[u8]) -> R {
    serde_json::from_slice(body).expect("the SDK writes valid requests")
}

fn written<A: Serialize>(answer: &A) -> String {
    serde_json::to_string(answer).expect("answers are valid JSON")
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let (status, answer) =
            match self.answer(operation, request.body().bytes().expect("a body in memory")) {
                Ok(answer) => (200, answer),
                Err(error) => (error.status_code(), error.to_json()),
            };
        let status = StatusCode::try_from(status).expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(answer))))
    }
}
