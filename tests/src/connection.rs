//! Two connected clients, and what they sell together.

use serde_json::Value;

use crate::answer::id;
use crate::client::{Client, mandatory};

/// A source and a target with an active connection.
#[derive(Debug, Clone)]
pub struct Pair {
    /// Shares offers.
    pub source: Client,
    /// Sells them.
    pub target: Client,
    /// The connection's id.
    pub connection_id: String,
    /// The secret that callbacks are signed with; only between two contracting companies.
    pub secret: Option<String>,
}

impl Pair {
    /// Invites and accepts, with access to the source's offers.
    pub async fn connect(source: Client, target: Client, callback: Option<&str>) -> Self {
        let connection = source.invite(&target, callback).await.created();
        let active = target.make("accept", id(&connection)).await.ok();
        assert_eq!(active["status"], "active");
        let secret = connection["callback"]["secret"].as_str().map(str::to_owned);
        Self {
            connection_id: id(&connection).to_owned(),
            secret,
            source,
            target,
        }
    }

    /// The signing secret.
    ///
    /// # Panics
    /// Both clients are of one contracting company.
    #[track_caller]
    pub fn secret(&self) -> &str {
        self.secret
            .as_deref()
            .expect("only a connection between two contracting companies has a secret")
    }

    /// Makes an offer of each side and a cart of the target with both: its own in position 1, the source's in position 2.
    pub async fn cart_of_both(&self) -> Value {
        let own = self
            .target
            .subscription_offer("Morgenblatt digital", 1_990)
            .await;
        let shared = self
            .source
            .shared_offer("Garden Weekly", 999, &[&self.target])
            .await;
        self.target
            .cart(&[mandatory(&own), mandatory(&shared)])
            .await
    }

    /// Goes on if neither side has anything of a sale.
    ///
    /// # Panics
    /// One has.
    pub async fn nothing_was_sold(&self) {
        for client in [&self.source, &self.target] {
            for list in [
                "/v1/orders",
                "/v1/subscriptions",
                "/v1/payouts",
                "/v1/callbacks",
            ] {
                assert_eq!(
                    client.api.all(list).await,
                    Vec::<Value>::new(),
                    "{list} of {}",
                    client.name
                );
            }
        }
    }

    /// Sells such a cart to a new customer of the target.
    pub async fn sell(&self) -> Sale {
        let cart = self.cart_of_both().await;
        let customer = self.target.customer().await;
        let order = self.target.sell(&cart, &customer).await.created();
        Sale {
            cart,
            customer,
            order,
        }
    }
}

/// What a target sold: its own offer in position 1, the source's in position 2.
#[derive(Debug, Clone)]
pub struct Sale {
    /// The cart.
    pub cart: Value,
    /// Who bought.
    pub customer: Value,
    /// The order.
    pub order: Value,
}

impl Sale {
    /// The order's id.
    pub fn order_id(&self) -> &str {
        id(&self.order)
    }

    /// The id of the cross-client subscription, the same for both sides.
    ///
    /// # Panics
    /// The order has none.
    #[track_caller]
    pub fn shared_subscription_id(&self) -> &str {
        self.subscription_id(1)
    }

    /// The id of the target's own subscription.
    ///
    /// # Panics
    /// The order has none.
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
