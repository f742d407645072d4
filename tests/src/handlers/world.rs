//! Who and what most tests need: companies, clients, a pair of connected clients with a cart to sell.

use serde_json::{Value, json};

use super::House;
use super::caller::Who;

/// A client.
#[derive(Debug, Clone)]
pub struct Merchant {
    /// Its id.
    pub id: String,
    /// Its contracting company's id.
    pub company: String,
    /// As a caller.
    pub who: Who,
}

/// A source and a target with an active connection, a shared offer, and the target's cart with it and an own offer.
#[derive(Debug, Clone)]
pub struct Pair {
    /// Shares.
    pub source: Merchant,
    /// Sells.
    pub target: Merchant,
    /// The connection's id.
    pub connection: String,
    /// The signing secret, between two companies.
    pub secret: Option<String>,
    /// The shared offer's id.
    pub shared_offer: String,
    /// The target's own offer's id.
    pub own_offer: String,
    /// The cart's id.
    pub cart: String,
    /// The id of a customer of the target's company.
    pub customer: String,
}

impl House {
    /// A contracting company.
    pub async fn company(&self, module: bool) -> String {
        let body = json!({"name": "Verlagshaus", "modules": {"crossClientConnections": module}});
        id_of(
            &self
                .call(&Who::Operator, "POST /v1/contracting-companies", Some(body))
                .await
                .expect(201),
        )
    }

    /// A client of a company.
    pub async fn merchant(&self, company: &str, name: &str) -> Merchant {
        let email = format!("{}@example.com", name.to_lowercase());
        let body = json!({"contractingCompanyId": company, "name": name, "email": email, "language": "de"});
        let id = id_of(
            &self
                .call(&Who::Operator, "POST /v1/clients", Some(body))
                .await
                .expect(201),
        );
        Merchant {
            who: Who::Client(id.clone(), company.to_owned()),
            id,
            company: company.to_owned(),
        }
    }

    /// A monthly offer of 9.99 EUR that renews.
    pub async fn offer(&self, owner: &Merchant, more: Value) -> String {
        let mut body = json!({
            "name": "Magazin",
            "type": "subscription",
            "period": {"unit": "month", "count": 1},
            "renews": true,
            "price": {"amount": 999, "currency": "EUR"},
        });
        merge(&mut body, more);
        id_of(
            &self
                .call(&owner.who, "POST /v1/offers", Some(body))
                .await
                .expect(201),
        )
    }

    /// A cart of mandatory positions.
    pub async fn cart(&self, owner: &Merchant, offers: &[&str]) -> String {
        let position = |(index, offer): (usize, &&str)| json!({"position": index + 1, "offerId": offer, "mandatory": true});
        let positions: Vec<Value> = offers.iter().enumerate().map(position).collect();
        let body = json!({"name": "Bundle", "positions": positions});
        id_of(
            &self
                .call(&owner.who, "POST /v1/carts", Some(body))
                .await
                .expect(201),
        )
    }

    /// A customer of the caller's company.
    pub async fn customer(&self, of: &Merchant, email: &str) -> String {
        let body = json!({"email": email, "language": "de", "firstName": "Anna"});
        id_of(
            &self
                .call(&of.who, "POST /v1/customers", Some(body))
                .await
                .expect(201),
        )
    }

    /// Two connected clients; `callback_url` puts them into two contracting companies.
    pub async fn pair(&self, callback_url: Option<&str>) -> Pair {
        let company = self.company(true).await;
        let source = self.merchant(&company, "Quelle").await;
        let other = if callback_url.is_some() {
            self.company(true).await
        } else {
            company
        };
        let target = self.merchant(&other, "Ziel").await;
        let callback = callback_url.map(|url| json!({"url": url}));
        let body = json!({"targetClientId": target.id, "offersAccess": true, "callback": callback});
        let invited = self
            .call(&source.who, "POST /v1/connections", Some(body))
            .await
            .expect(201);
        let connection = id_of(&invited);
        let accept = format!("POST /v1/connections/{connection}/accept");
        let _ = self.call(&target.who, &accept, None).await.expect(200);
        let sharing = json!({"crossClient": {"targetClientIds": [target.id], "sellerShareBasisPoints": 2_000}});
        let shared_offer = self.offer(&source, sharing).await;
        let own_offer = self
            .offer(
                &target,
                json!({"price": {"amount": 1_999, "currency": "EUR"}}),
            )
            .await;
        let cart = self.cart(&target, &[&own_offer, &shared_offer]).await;
        let customer = self.customer(&target, "anna@example.com").await;
        let secret = invited["callback"]["secret"].as_str().map(str::to_owned);
        Pair {
            source,
            target,
            connection,
            secret,
            shared_offer,
            own_offer,
            cart,
            customer,
        }
    }

    /// Sells the pair's cart.
    pub async fn purchase(&self, pair: &Pair, key: &str) -> super::Answer {
        let body = json!({"customerId": pair.customer, "paymentMethod": "PAYPAL"});
        self.post(
            &pair.target.who,
            &format!("/v1/carts/{}/purchase", pair.cart),
            key,
            body,
        )
        .await
    }
}

fn id_of(body: &Value) -> String {
    body["id"].as_str().expect("an id").to_owned()
}

fn merge(into: &mut Value, more: Value) {
    if let (Some(into), Value::Object(more)) = (into.as_object_mut(), more) {
        into.extend(more);
    }
}
