//! A merchant, and the calls that merchants make in most stories.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::{Answer, id};
use crate::api::Api;
use crate::mail::Mail;
use crate::setup::Company;

/// A client with an API key.
#[derive(Debug, Clone)]
pub struct Client {
    pub id: String,
    pub name: String,
    pub company: Company,
    pub email: String,
    /// The id of the API key that `api` uses.
    pub key_id: String,
    pub api: Api,
}

impl Client {
    /// Invites another client; between two contracting companies this takes a callback address.
    pub async fn invite(&self, target: &Self, callback_url: Option<&str>) -> Answer {
        let mut body = json!({"targetClientId": target.id, "offersAccess": true});
        if let Some(url) = callback_url {
            body["callback"] = json!({"url": url});
        }
        self.api.post("/v1/connections", body).await
    }

    /// `action` is `accept`, `decline`, `withdraw`, `block` or `unblock`.
    pub async fn act_on_connection(&self, action: &str, connection_id: &str) -> Answer {
        let path = format!("/v1/connections/{connection_id}/{action}");
        self.api.act(&path).await
    }

    /// A connection as this client sees it.
    pub async fn connection(&self, connection_id: &str) -> Value {
        let path = format!("/v1/connections/{connection_id}");
        self.api.get(&path).await.ok()
    }

    /// Creates a monthly, renewing subscription offer; the price is in euro cents.
    pub async fn subscription_offer(&self, name: &str, price: i64) -> Value {
        self.offer(name, price, json!({})).await
    }

    /// Creates a [`Client::subscription_offer`] that the targets may sell, and keep a fifth of its price.
    pub async fn shared_offer(&self, name: &str, price: i64, targets: &[&Self]) -> Value {
        let targets: Vec<&str> = targets.iter().map(|target| target.id.as_str()).collect();
        let shared = json!({"targetClientIds": targets, "sellerShareBasisPoints": 2_000});
        self.offer(name, price, json!({"crossClient": shared}))
            .await
    }

    /// Creates a [`Client::subscription_offer`] with some fields added or replaced.
    pub async fn offer(&self, name: &str, price: i64, fields: Value) -> Value {
        let mut body = json!({
            "name": name,
            "type": "subscription",
            "period": {"unit": "month", "count": 1},
            "renews": true,
            "price": {"amount": price, "currency": "EUR"},
        });
        if let (Some(body), Value::Object(fields)) = (body.as_object_mut(), fields) {
            body.extend(fields);
        }
        self.api.post("/v1/offers", body).await.created()
    }

    /// Creates a cart of positions made by [`mandatory`], [`optional`] and [`preselected`], numbered in their order.
    pub async fn cart(&self, positions: &[Value]) -> Value {
        self.try_cart(positions).await.created()
    }

    pub async fn try_cart(&self, positions: &[Value]) -> Answer {
        self.api.post("/v1/carts", cart_body(positions)).await
    }

    /// Creates a customer with an e-mail address of its own.
    pub async fn customer(&self) -> Value {
        self.customer_with_email(&format!("customer-{}@example.com", Uuid::now_v7()))
            .await
    }

    pub async fn customer_with_email(&self, email: &str) -> Value {
        let body =
            json!({"email": email, "language": "de", "firstName": "Anna", "lastName": "Müller"});
        self.api.post("/v1/customers", body).await.created()
    }

    /// Sells one of each mandatory position of a cart.
    pub async fn sell(&self, cart: &Value, customer: &Value) -> Answer {
        let body = json!({"customerId": id(customer), "paymentMethod": "CREDIT_CARD"});
        self.purchase(cart, body).await
    }

    pub async fn purchase(&self, cart: &Value, body: Value) -> Answer {
        self.api.post(&purchase_path(cart), body).await
    }

    /// Refunds all positions of an order.
    pub async fn refund(&self, order: &Value) -> Answer {
        let path = format!("/v1/orders/{}/refund", id(order));
        self.api.post(&path, json!({})).await
    }

    pub async fn redeem(&self, code: &str, customer: &Value) -> Answer {
        let body = json!({"customerId": id(customer), "voucherCode": code});
        let path = "/v1/subscriptions/useCrossClientVoucher";
        self.api.post(path, body).await
    }

    /// The offers that other clients share with this one.
    pub async fn offers_shared_with_it(&self) -> Vec<Value> {
        self.api.all("/v1/offers/shared").await
    }

    /// All mails to this client, the oldest first.
    pub async fn mails(&self) -> Vec<Mail> {
        self.api.stage().mails_to(&self.email).await
    }

    /// Waits for the mail to this client whose subject contains a text. Fails if there are two.
    pub async fn mail_about(&self, subject: &str) -> Mail {
        let description = format!("a mail to {} about {subject:?}", self.email);
        let found = self.api.settle(&description, async || {
            let mails = self.mails().await;
            let (found, others): (Vec<Mail>, Vec<Mail>) = mails
                .into_iter()
                .partition(|mail| mail.subject.contains(subject));
            if found.is_empty() {
                let others: Vec<_> = others.into_iter().map(|mail| mail.subject).collect();
                Err(format!("it has only {others:?}"))
            } else {
                Ok(found)
            }
        });
        let mut found = found.await;
        assert_eq!(found.len(), 1, "{} has two mails: {found:?}", self.email);
        found.remove(0)
    }

    /// This client's callback log, newest first.
    pub async fn callbacks(&self) -> Vec<Value> {
        self.api.all("/v1/callbacks").await
    }

    /// The entries of this client's callback log with a status.
    pub async fn callbacks_with(&self, status: &str) -> Vec<Value> {
        let path = format!("/v1/callbacks?limit=100&status={status}");
        self.api.all(&path).await
    }

    /// Replays callbacks of the log.
    pub async fn replay(&self, callbacks: &[Value]) -> Answer {
        let ids: Vec<&str> = callbacks.iter().map(id).collect();
        let body = json!({"callbackIds": ids});
        self.api.post("/v1/callbacks/replay", body).await
    }

    /// A callback with its attempts.
    pub async fn callback(&self, callback_id: &str) -> Value {
        let path = format!("/v1/callbacks/{callback_id}");
        self.api.get(&path).await.ok()
    }

    /// The voucher code in the newest callback.
    pub async fn newest_voucher_code(&self) -> String {
        let callbacks = self.callbacks().await;
        let callback = self.callback(id(&callbacks[0])).await;
        let code = callback["body"]["data"]["voucherCode"].as_str();
        code.expect("a voucher code").to_owned()
    }

    /// Waits until the callback about an event of a subscription has this status, and reads it with its attempts.
    pub async fn callback_about(&self, subscription_id: &str, event: &str, status: &str) -> Value {
        let path = format!("/v1/callbacks?subscriptionId={subscription_id}&type={event}");
        let description = format!("the callback {event} to be {status}");
        let found = self.api.settle(&description, async || {
            let callbacks = self.api.all(&path).await;
            assert!(
                callbacks.len() < 2,
                "several callbacks about one event: {callbacks:?}"
            );
            let Some(callback) = callbacks.first() else {
                return Err("there is none".to_owned());
            };
            let callback = self.callback(id(callback)).await;
            if callback["status"] == status {
                Ok(callback)
            } else {
                Err(callback.to_string())
            }
        });
        found.await
    }
}

pub(crate) fn purchase_path(cart: &Value) -> String {
    format!("/v1/carts/{}/purchase", id(cart))
}

fn cart_body(positions: &[Value]) -> Value {
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

pub fn mandatory(offer: &Value) -> Value {
    json!({"offerId": id(offer), "mandatory": true})
}

pub fn optional(offer: &Value) -> Value {
    json!({"offerId": id(offer), "mandatory": false})
}

/// An optional position that the checkout selects at first.
pub fn preselected(offer: &Value) -> Value {
    json!({"offerId": id(offer), "mandatory": false, "preselected": true})
}
