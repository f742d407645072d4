//! The operator's routes, the authorizer, customers, offers and carts.

use serde_json::json;
use tandem_tests::handlers::Who;

use crate::scenario::{Act, Scenario, scenarios};

pub(crate) fn scenarios() -> Vec<Scenario> {
    [tenants(), customers(), offers(), carts()].concat()
}

fn tenants() -> Vec<Scenario> {
    scenarios! {
        "tenants", Some("POST /v1/contracting-companies"), "a company" => |_stage| {
            Act::call(&Who::Operator, "POST /v1/contracting-companies", json!({"name": "Verlag"}))
        }
        "tenants", Some("PATCH /v1/contracting-companies/{companyId}"), "a module switched on" => |stage| {
            let company = stage.house.company(false).await;
            let body = json!({"modules": {"crossClientConnections": true}});
            Act::call(&Who::Operator, format!("PATCH /v1/contracting-companies/{company}"), body)
        }
        "tenants", Some("POST /v1/clients"), "a client" => |stage| {
            let company = stage.house.company(false).await;
            let body = json!({"contractingCompanyId": company, "name": "A", "email": "a@example.com", "language": "de"});
            Act::call(&Who::Operator, "POST /v1/clients", body)
        }
        "tenants", Some("POST /v1/clients/{clientId}/api-keys"), "a key, shown once" => |stage| {
            let client = stage.house.merchant(&stage.house.company(false).await, "A").await;
            Act::call(&Who::Operator, format!("POST /v1/clients/{}/api-keys", client.id), json!({}))
        }
        "tenants", Some("DELETE /v1/clients/{clientId}/api-keys/{keyId}"), "a key revoked" => |stage| {
            let client = stage.house.merchant(&stage.house.company(false).await, "A").await;
            let keys = format!("/v1/clients/{}/api-keys", client.id);
            let key = stage.house.call(&Who::Operator, &format!("POST {keys}"), Some(json!({}))).await.expect(201);
            Act::bare(&Who::Operator, format!("DELETE {keys}/{}", key["keyId"].as_str().expect("an id")))
        }
        "authorize", None, "a key used for the first time that day" => |stage| {
            let client = stage.house.merchant(&stage.house.company(false).await, "A").await;
            let keys = format!("POST /v1/clients/{}/api-keys", client.id);
            let key = stage.house.call(&Who::Operator, &keys, Some(json!({}))).await.expect(201);
            Act::Authorize { key: key["apiKey"].as_str().expect("a key").to_owned() }
        }
    }
}

fn customers() -> Vec<Scenario> {
    scenarios! {
        "customers", Some("POST /v1/customers"), "a customer with both guards" => |stage| {
            let client = stage.house.merchant(&stage.house.company(false).await, "A").await;
            let body = json!({"email": "anna@example.com", "language": "de", "externalSystemId": "C-1"});
            Act::call(&client.who, "POST /v1/customers", body)
        }
        "customers", Some("PATCH /v1/customers/{customerId}"), "a new address, and its guard" => |stage| {
            let client = stage.house.merchant(&stage.house.company(false).await, "A").await;
            let customer = stage.house.customer(&client, "anna@example.com").await;
            Act::call(&client.who, format!("PATCH /v1/customers/{customer}"), json!({"email": "b@example.com"}))
        }
        "customers", Some("DELETE /v1/customers/{customerId}"), "an erasure" => |stage| {
            let client = stage.house.merchant(&stage.house.company(false).await, "A").await;
            let customer = stage.house.customer(&client, "anna@example.com").await;
            Act::bare(&client.who, format!("DELETE /v1/customers/{customer}"))
        }
    }
}

fn offers() -> Vec<Scenario> {
    scenarios! {
        "offers", Some("POST /v1/offers"), "a shared offer" => |stage| {
            let pair = stage.pair().await;
            let body = json!({
                "name": "Magazin",
                "type": "subscription",
                "period": {"unit": "month", "count": 1},
                "renews": true,
                "price": {"amount": 999, "currency": "EUR"},
                "crossClient": {"targetClientIds": [pair.target.id], "sellerShareBasisPoints": 2_000},
            });
            Act::call(&pair.source.who, "POST /v1/offers", body)
        }
        "offers", Some("PATCH /v1/offers/{offerId}"), "an offer shared later" => |stage| {
            let pair = stage.pair().await;
            let offer = stage.house.offer(&pair.source, json!({})).await;
            let body = json!({"crossClient": {"targetClientIds": [pair.target.id], "sellerShareBasisPoints": 2_000}});
            Act::call(&pair.source.who, format!("PATCH /v1/offers/{offer}"), body)
        }
        "offers", Some("POST /v1/offers/{offerId}/archive"), "a shared offer" => |stage| {
            let pair = stage.pair().await;
            Act::bare(&pair.source.who, format!("POST /v1/offers/{}/archive", pair.shared_offer))
        }
    }
}

fn carts() -> Vec<Scenario> {
    scenarios! {
        "carts", Some("POST /v1/carts"), "with a shared offer" => |stage| {
            let pair = stage.pair().await;
            let position = |(number, offer)| json!({"position": number, "offerId": offer, "mandatory": true});
            let positions: Vec<_> = [(1, &pair.own_offer), (2, &pair.shared_offer)].into_iter().map(position).collect();
            Act::call(&pair.target.who, "POST /v1/carts", json!({"name": "Korb", "positions": positions}))
        }
        "carts", Some("PATCH /v1/carts/{cartId}"), "another name" => |stage| {
            let pair = stage.pair().await;
            Act::call(&pair.target.who, format!("PATCH /v1/carts/{}", pair.cart), json!({"name": "Korb"}))
        }
        "carts", Some("POST /v1/carts/{cartId}/archive"), "a cart" => |stage| {
            let pair = stage.pair().await;
            Act::bare(&pair.target.who, format!("POST /v1/carts/{}/archive", pair.cart))
        }
    }
}
