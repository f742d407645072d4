//! A client that imports, on a stage in this process.

use std::sync::Arc;

use serde_json::Value;
use tandem_tests::{Answer, Client, Importing, InProcess};

pub(crate) struct ImportScene {
    pub(crate) stage: Arc<InProcess>,
    pub(crate) importing: Importing,
}

impl ImportScene {
    pub(crate) async fn new() -> Self {
        let stage = InProcess::start().await;
        let importing = Importing::new(&stage.setup()).await;
        Self { stage, importing }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.importing.client
    }

    /// See [`Importing::item`]; `null` as a member is sent as `null`.
    pub(crate) fn item(&self, id: &str, members: Value) -> Value {
        self.importing.item(id, members)
    }

    pub(crate) async fn send(&self, items: &[Value]) -> Answer {
        self.importing.try_import(items).await
    }

    /// Accepts an import later than the previous one; returns the promise's id.
    pub(crate) async fn accept(&self, items: &[Value]) -> String {
        // Imports accepted in the same millisecond are unordered.
        self.stage.advance(1);
        let accepted = self.send(items).await.accepted();
        assert_eq!(accepted["state"], "accepted");
        accepted["promiseId"].as_str().expect("an id").to_owned()
    }

    /// Accepts an import and runs it.
    pub(crate) async fn import(&self, items: &[Value]) -> Value {
        let promise = self.accept(items).await;
        self.stage.work().await;
        self.promise(&promise).await
    }

    pub(crate) async fn promise(&self, id: &str) -> Value {
        self.get(&format!("/v1/imports/{id}?limit=100")).await
    }

    /// Retries the failed items of an import.
    pub(crate) async fn retry(&self, promise_id: &str) -> Answer {
        let path = format!("/v1/imports/{promise_id}/retry");
        self.client().api.act(&path).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.client().api.get(path).await.ok()
    }

    /// The one subscription of the customer.
    pub(crate) async fn subscription(&self) -> Value {
        let listed = self.get("/v1/subscriptions").await;
        assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
        listed["items"][0].clone()
    }

    /// The rows of imported orders.
    pub(crate) fn orders(&self) -> Vec<Value> {
        let mut rows = self.rows("imported#");
        rows.retain(|row| row.get("sale").is_some());
        rows
    }

    /// See [`InProcess::rows_of`].
    pub(crate) fn rows(&self, sk: &str) -> Vec<Value> {
        self.stage.rows_of(sk)
    }
}

pub(crate) fn results(promise: &Value) -> Vec<&str> {
    let items = promise["items"].as_array().expect("items");
    items
        .iter()
        .map(|item| item["result"].as_str().expect("a result"))
        .collect()
}
