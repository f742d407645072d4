//! A leading system keeps selling, and Tandem mirrors its orders: one item is good, one changes what came before, one fails,
//! and the client is told when the import is done.

use serde_json::{Value, json};
use tandem_tests::{Client, Module, Receiver, World, eventually, id, verified};

mod put_aside;

struct Importing {
    client: Client,
    offer: String,
    customer: String,
}

impl Importing {
    async fn prepared() -> Self {
        let world = World::new();
        let company = world.company("Alpenverlag", Module::Off).await;
        let client = world.client(&company, "Bergwelt", "de").await;
        let offer = offer_of(&client).await;
        let customer = client.customer().await;
        Self {
            offer,
            customer: id(&customer).to_owned(),
            client,
        }
    }

    fn item(&self, external: &str, customer: &str, payment_method: &str) -> Value {
        json!({
            "externalSystemId": external,
            "offerId": self.offer,
            "invoiceCustomerId": customer,
            "quantity": 1,
            "startDate": "2026-01-01T00:00:00Z",
            "paymentMethod": payment_method,
        })
    }

    /// Sends an import, and waits until it is done.
    async fn import(&self, items: &[Value]) -> Value {
        let accepted = self.send(items).await;
        self.eventually(&accepted, "the import to be done", |promise| {
            promise["finishedAt"].is_string()
        })
        .await
    }

    /// Sends an import; gives its id.
    async fn send(&self, items: &[Value]) -> String {
        let accepted = self
            .client
            .api
            .post("/v1/imports/orders", json!({"items": items}))
            .await
            .accepted();
        accepted["promiseId"].as_str().expect("an id").to_owned()
    }

    /// Waits until an import is as it should be.
    async fn eventually(&self, promise: &str, what: &str, good: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/v1/imports/{promise}");
        eventually(what, async || {
            let promise = self.client.api.get(&path).await.ok();
            if good(&promise) {
                Ok(promise)
            } else {
                Err(promise)
            }
        })
        .await
    }
}

/// Makes an offer that another system sells.
async fn offer_of(client: &Client) -> String {
    let offer = json!({
        "name": "Bergwelt gedruckt",
        "type": "subscription",
        "price": {"amount": 4_900, "currency": "EUR"},
        "period": {"unit": "month", "count": 1},
        "renews": true,
        "externallyManaged": true,
    });
    id(&client.api.post("/v1/offers", offer).await.created()).to_owned()
}

#[tokio::test]
async fn orders_are_mirrored_changed_and_refused_item_by_item_and_the_client_is_told() {
    let importing = Importing::prepared().await;
    let (api, customer) = (&importing.client.api, importing.customer.as_str());
    let receiver = Receiver::start().await;
    let endpoint = api
        .call(reqwest::Method::PUT, "/v1/event-endpoint")
        .json(&json!({"url": receiver.url()}));
    let endpoint = endpoint.send().await.created();
    let first = importing
        .import(&[importing.item("print-1", customer, "BILLING")])
        .await;
    assert_eq!(first["state"], "completed");

    let nobody = "cus_0190b8f5c6f77c3ab0a1c2d3e4f50617";
    let items = [
        importing.item("print-1", customer, "TWINT"),
        importing.item("print-2", customer, "BILLING"),
        importing.item("print-3", nobody, "BILLING"),
    ];
    let second = importing.import(&items).await;
    assert_eq!(second["state"], "completedWithErrors");
    let results: Vec<_> = second["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| &item["result"])
        .collect();
    assert_eq!(results, ["updated", "created", "failed"]);
    assert_eq!(second["items"][2]["error"]["code"], "customer_not_found");

    let changed = second["items"][0]["subscriptionId"]
        .as_str()
        .expect("an id");
    let changed = api.get(&format!("/v1/subscriptions/{changed}")).await.ok();
    assert_eq!(
        (&changed["managedBy"], &changed["paymentMethod"]),
        (&json!("external"), &json!("TWINT"))
    );
    let _ = api
        .act(&format!("/v1/subscriptions/{}/cancel", id(&changed)))
        .await
        .problem(409, "externally_managed");

    let log = api
        .all("/v1/imports/orders/logs?externalSystemId=print-1")
        .await;
    let log: Vec<_> = log.iter().map(|line| &line["result"]).collect();
    assert_eq!(log, ["updated", "created"]);

    let secret = endpoint["secret"].as_str().expect("a secret");
    let told: Vec<Value> = receiver
        .wait_for(2)
        .await
        .iter()
        .map(|received| verified(received, secret))
        .collect();
    let about = told
        .iter()
        .find(|event| event["data"]["promiseId"] == second["promiseId"])
        .expect("it is told");
    assert_eq!(
        (&about["type"], &about["data"]["counts"]["failed"]),
        (&json!("import.completed"), &json!(1))
    );
}
