//! Erasing customers.

mod callbacks;
mod data;
mod refusals;

use std::sync::Arc;

use serde_json::Value;
use tandem_tests::{Answer, Client, InProcess, Module, Pair, Receiver, Reply, id};

/// Text that occurs only in the customer.
const EMAIL: &str = "wagtail@example.com";

/// A sale to a customer, whose name is searched for afterwards.
struct Sold {
    stage: Arc<InProcess>,
    receiver: Receiver,
    pair: Pair,
    cart: Value,
    customer: Value,
    order: Value,
}

impl Sold {
    /// The receiver answers with a status, and with the customer's e-mail address.
    async fn new(status: u16) -> Self {
        let stage = InProcess::start().await;
        let setup = stage.setup();
        let receiver = setup.receiver().await;
        receiver.answer_always(reply(status));
        let pair = setup.pair_between_two_companies(&receiver.url()).await;
        let cart = pair.cart_of_both().await;
        let customer = pair.target.customer_with_email(EMAIL).await;
        let order = pair.target.sell(&cart, &customer).await.created();
        Self {
            stage,
            receiver,
            pair,
            cart,
            customer,
            order,
        }
    }

    /// Forgets the callbacks so far, and answers with another status.
    fn answer_from_now_on(&self, status: u16) {
        self.receiver.forget_received();
        self.receiver.answer_always(reply(status));
    }

    fn customer_id(&self) -> &str {
        id(&self.customer)
    }

    async fn refund(&self) {
        let _ = self.pair.target.refund(&self.order).await.ok();
    }

    async fn erase(&self) -> Answer {
        erase(&self.pair.target, &self.customer).await
    }

    /// The callback of the sale, as the source reads it.
    async fn sale_callback(&self) -> Value {
        let path = "/v1/callbacks?type=crossClientOrder.created";
        let listed = self.pair.source.api.all(path).await;
        assert_eq!(listed.len(), 1);
        self.pair.source.callback(id(&listed[0])).await
    }

    /// All rows as text.
    fn stored(&self) -> String {
        Value::from(self.stage.table.dump()).to_string()
    }
}

fn reply(status: u16) -> Reply {
    Reply::status(status).body(&format!("we know {EMAIL}"))
}

async fn client(stage: &Arc<InProcess>) -> Client {
    let setup = stage.setup();
    let company = setup.company("Verlagshaus", Module::Off).await;
    setup.client(&company, "Abo", "de").await
}

async fn erase(client: &Client, customer: &Value) -> Answer {
    client.api.delete(&path(customer)).await
}

fn path(customer: &Value) -> String {
    format!("/v1/customers/{}", id(customer))
}

/// The texts of a member of each value, sorted.
fn texts<'a>(values: impl IntoIterator<Item = &'a Value>, member: &str) -> Vec<String> {
    let values = values.into_iter();
    let mut texts: Vec<String> = values
        .filter_map(|value| value[member].as_str())
        .map(str::to_owned)
        .collect();
    texts.sort();
    texts
}

/// The entries of an array.
fn entries(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
