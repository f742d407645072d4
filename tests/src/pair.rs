//! Two connected clients, and the carts that they sell together.

use serde_json::{Value, json};

use crate::answer::{Answer, id};
use crate::client::{Client, mandatory, purchase_path};

/// A source and a target with an active connection.
#[derive(Debug, Clone)]
pub struct Pair {
    pub source: Client,
    pub target: Client,
    pub connection_id: String,
    /// Signs callbacks; only between two contracting companies.
    pub secret: Option<String>,
}

impl Pair {
    /// Invites and accepts, with access to the source's offers.
    pub async fn connect(source: Client, target: Client, callback_url: Option<&str>) -> Self {
        let connection = source.invite(&target, callback_url).await.created();
        let active = target.act_on_connection("accept", id(&connection)).await;
        assert_eq!(active.ok()["status"], "active");
        let secret = connection["callback"]["secret"].as_str().map(str::to_owned);
        Self {
            connection_id: id(&connection).to_owned(),
            secret,
            source,
            target,
        }
    }

    #[track_caller]
    pub fn secret(&self) -> &str {
        let secret = self.secret.as_deref();
        secret.expect("a connection between two contracting companies")
    }

    /// The settings and state of the callback address, as the source sees them.
    pub async fn endpoint(&self) -> Value {
        let connection = self.source.connection(&self.connection_id).await;
        connection["callback"].clone()
    }

    /// Replaces the callback address.
    pub async fn move_endpoint(&self, url: &str) -> Value {
        let path = format!("/v1/connections/{}", self.connection_id);
        let body = json!({"callback": {"url": url}});
        self.source.api.patch(&path, body).await.ok()
    }

    /// Creates an offer of each client, a cart of the target with both, and a customer of the target.
    pub async fn checkout(&self) -> Checkout {
        let own_offer = self.target.subscription_offer("Morgenblatt digital", 1_990);
        let own_offer = own_offer.await;
        let shared_offer = self
            .source
            .shared_offer("Garden Weekly", 999, &[&self.target])
            .await;
        let positions = [mandatory(&own_offer), mandatory(&shared_offer)];
        Checkout {
            cart: self.target.cart(&positions).await,
            customer: self.target.customer().await,
            seller: self.target.clone(),
            own_offer,
            shared_offer,
        }
    }

    /// Creates the cart of a [`Checkout`].
    pub async fn cart_of_both(&self) -> Value {
        self.checkout().await.cart
    }

    /// Sells the cart of a new [`Checkout`].
    pub async fn sell(&self) -> Sale {
        let checkout = self.checkout().await;
        let order = self.target.sell(&checkout.cart, &checkout.customer).await;
        Sale {
            order: order.created(),
            cart: checkout.cart,
            customer: checkout.customer,
        }
    }

    /// Asserts that neither client has a row of any sale.
    pub async fn assert_nothing_sold(&self) {
        for client in [&self.source, &self.target] {
            for list in [
                "/v1/orders",
                "/v1/subscriptions",
                "/v1/payouts",
                "/v1/callbacks",
            ] {
                let rows = client.api.all(list).await;
                assert_eq!(rows, Vec::<Value>::new(), "{list} of {}", client.name);
            }
        }
    }
}

/// A cart of a target and a customer who may buy it: the target's own offer is position 1, the source's position 2.
#[derive(Debug, Clone)]
pub struct Checkout {
    pub seller: Client,
    pub own_offer: Value,
    pub shared_offer: Value,
    pub cart: Value,
    pub customer: Value,
}

impl Checkout {
    /// Buys one of each position.
    pub async fn purchase(&self, idempotency_key: &str) -> Answer {
        let (path, body) = (self.purchase_path(), self.purchase_body());
        self.seller
            .api
            .post_with_key(&path, idempotency_key, body)
            .await
    }

    pub fn purchase_path(&self) -> String {
        purchase_path(&self.cart)
    }

    pub fn purchase_body(&self) -> Value {
        json!({"customerId": id(&self.customer), "paymentMethod": "PAYPAL"})
    }
}

/// The sale of a [`Checkout`].
#[derive(Debug, Clone)]
pub struct Sale {
    pub cart: Value,
    pub customer: Value,
    pub order: Value,
}

impl Sale {
    pub fn order_id(&self) -> &str {
        id(&self.order)
    }

    /// The id of the cross-client subscription, which both clients see.
    #[track_caller]
    pub fn shared_subscription_id(&self) -> &str {
        self.subscription_id(1)
    }

    /// The id of the target's own subscription.
    #[track_caller]
    pub fn own_subscription_id(&self) -> &str {
        self.subscription_id(0)
    }

    #[track_caller]
    fn subscription_id(&self, index: usize) -> &str {
        let subscription = self.order["positions"][index]["subscriptionId"].as_str();
        subscription
            .unwrap_or_else(|| panic!("no subscription in position {}: {}", index + 1, self.order))
    }
}
