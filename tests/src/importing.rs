//! A client whose orders come from another system.

use serde_json::{Value, json};

use crate::answer::{Answer, id};
use crate::client::Client;
use crate::setup::{Module, Setup};

/// A client with an externally managed offer and a customer.
#[derive(Debug, Clone)]
pub struct Importing {
    pub client: Client,
    pub offer_id: String,
    pub customer_id: String,
}

impl Importing {
    pub async fn new(setup: &Setup) -> Self {
        let company = setup.company("Alpenverlag", Module::Off).await;
        let client = setup.client(&company, "Bergwelt", "de").await;
        Self {
            offer_id: id(&managed_offer(&client).await).to_owned(),
            customer_id: id(&client.customer().await).to_owned(),
            client,
        }
    }

    /// An item of an import for this client's customer, with some members added or replaced.
    pub fn item(&self, external_system_id: &str, members: Value) -> Value {
        let mut item = json!({
            "externalSystemId": external_system_id,
            "offerId": self.offer_id,
            "invoiceCustomerId": self.customer_id,
            "quantity": 1,
            "startDate": "2026-01-01T00:00:00Z",
            "paymentMethod": "BILLING",
        });
        if let (Some(item), Value::Object(members)) = (item.as_object_mut(), members) {
            item.extend(members);
        }
        item
    }

    pub async fn try_import(&self, items: &[Value]) -> Answer {
        let body = json!({"items": items});
        self.client.api.post("/v1/imports/orders", body).await
    }

    /// Sends an import, and returns the id of its promise.
    pub async fn start(&self, items: &[Value]) -> String {
        let accepted = self.try_import(items).await.accepted();
        accepted["promiseId"].as_str().expect("an id").to_owned()
    }

    /// Sends an import, and waits for its results.
    pub async fn import(&self, items: &[Value]) -> Value {
        let promise = self.start(items).await;
        self.wait_for(&promise, "the import to be finished", |promise| {
            promise["finishedAt"].is_string()
        })
        .await
    }

    /// Waits until a promise satisfies the condition.
    pub async fn wait_for(
        &self,
        promise_id: &str,
        description: &str,
        condition: impl Fn(&Value) -> bool,
    ) -> Value {
        let path = format!("/v1/imports/{promise_id}");
        let found = self.client.api.settle(description, async || {
            let promise = self.client.api.get(&path).await.ok();
            if condition(&promise) {
                Ok(promise)
            } else {
                Err(promise)
            }
        });
        found.await
    }
}

/// Creates an offer that another system sells.
pub async fn managed_offer(client: &Client) -> Value {
    client
        .offer(
            "Bergwelt gedruckt",
            4_900,
            json!({"externallyManaged": true}),
        )
        .await
}
