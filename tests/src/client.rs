//! A merchant, and what merchants do in most stories.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::{Answer, id};
use crate::api::Api;
use crate::world::Company;

/// A client with its key.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its contracting company.
    pub company: Company,
    /// Its e-mail address.
    pub email: String,
    /// The id of the key by which it calls.
    pub key_id: String,
    /// By which it calls.
    pub api: Api,
}

impl Client {
    /// Invites another client; `callback` is the address that is needed between two contracting companies.
    pub async fn invite(&self, target: &Self, callback: Option<&str>) -> Answer {
        let mut body = json!({"targetClientId": target.id, "offersAccess": true});
        if let Some(url) = callback {
            body["callback"] = json!({"url": url});
        }
        self.api.post("/v1/connections", body).await
    }

    /// Makes a move of a connection: `accept`, `decline`, `withdraw`, `block` or `unblock`.
    pub async fn make(&self, asked: &str, connection_id: &str) -> Answer {
        self.api
            .act(&format!("/v1/connections/{connection_id}/{asked}"))
            .await
    }

    /// A connection as this client sees it.
    pub async fn connection(&self, connection_id: &str) -> Value {
        self.api
            .get(&format!("/v1/connections/{connection_id}"))
            .await
            .ok()
    }

    /// Makes a monthly, renewing subscription offer of its own; the price is in euro cents.
    pub async fn subscription_offer(&self, name: &str, price: i64) -> Value {
        self.api
            .post("/v1/offers", monthly(name, price))
            .await
            .created()
    }

    /// Makes a monthly, renewing subscription offer that others sell and keep a fifth of; the price is in euro cents.
    pub async fn shared_offer(&self, name: &str, price: i64, targets: &[&Self]) -> Value {
        let targets: Vec<&str> = targets.iter().map(|target| target.id.as_str()).collect();
        let mut body = monthly(name, price);
        body["crossClient"] = json!({"targetClientIds": targets, "sellerShareBasisPoints": 2_000});
        self.api.post("/v1/offers", body).await.created()
    }

    /// Makes a cart; see [`mandatory`], [`optional`] and [`preselected`]. The positions are numbered in their order.
    pub async fn cart(&self, positions: &[Value]) -> Value {
        self.try_cart(positions).await.created()
    }

    /// Asks for a cart that may be refused.
    pub async fn try_cart(&self, positions: &[Value]) -> Answer {
        self.api.post("/v1/carts", cart_of(positions)).await
    }

    /// Makes a customer that nobody has seen before.
    pub async fn customer(&self) -> Value {
        let email = format!("customer-{}@example.com", Uuid::now_v7());
        let body =
            json!({"email": email, "language": "de", "firstName": "Anna", "lastName": "Müller"});
        self.api.post("/v1/customers", body).await.created()
    }

    /// Sells a cart's mandatory positions to a customer, one of each.
    pub async fn sell(&self, cart: &Value, customer: &Value) -> Answer {
        self.purchase(
            cart,
            json!({"customerId": id(customer), "paymentMethod": "CREDIT_CARD"}),
        )
        .await
    }

    /// Sells a cart with a body of the story's own.
    pub async fn purchase(&self, cart: &Value, body: Value) -> Answer {
        self.api
            .post(&format!("/v1/carts/{}/purchase", id(cart)), body)
            .await
    }

    /// Redeems a voucher for one of its customers.
    pub async fn redeem(&self, code: &str, customer: &Value) -> Answer {
        let body = json!({"customerId": id(customer), "voucherCode": code});
        self.api
            .post("/v1/subscriptions/useCrossClientVoucher", body)
            .await
    }

    /// The offers that others share with it.
    pub async fn offers_shared_with_it(&self) -> Vec<Value> {
        self.api.all("/v1/offers/shared").await
    }
}

fn monthly(name: &str, price: i64) -> Value {
    json!({
        "name": name,
        "type": "subscription",
        "period": {"unit": "month", "count": 1},
        "renews": true,
        "price": {"amount": price, "currency": "EUR"},
    })
}

fn cart_of(positions: &[Value]) -> Value {
    let numbered = positions
        .iter()
        .zip(1..)
        .map(|(position, number): (&Value, u8)| {
            let mut position = position.clone();
            position["position"] = json!(number);
            position
        });
    json!({"name": "Zusammen lesen", "positions": numbered.collect::<Vec<_>>()})
}

/// A position that is always bought.
pub fn mandatory(offer: &Value) -> Value {
    json!({"offerId": id(offer), "mandatory": true})
}

/// A position that is bought if it is chosen.
pub fn optional(offer: &Value) -> Value {
    json!({"offerId": id(offer), "mandatory": false})
}

/// A position that is bought if it is chosen, and that the checkout should show as chosen.
pub fn preselected(offer: &Value) -> Value {
    json!({"offerId": id(offer), "mandatory": false, "preselected": true})
}
