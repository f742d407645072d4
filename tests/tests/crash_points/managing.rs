//! The operator's routes, the authorizer, customers, offers and carts.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tandem_tests::{Client, Module, id};

use crate::environment::Environment;
use crate::scenario::{Act, Scenario, scenarios};

pub(crate) fn scenarios() -> Vec<Scenario> {
    [tenants(), customers(), offers(), carts()].concat()
}

fn keys_of(client: &Client) -> String {
    format!("/v1/clients/{}/api-keys", client.id)
}

fn tenants() -> Vec<Scenario> {
    scenarios! {
        "tenants", Some("POST /v1/contracting-companies"), "a company" => |env| {
            let operator = env.setup().operator;
            Act::call(&operator, "POST /v1/contracting-companies", json!({"name": "Verlag"}))
        }
        "tenants", Some("PATCH /v1/contracting-companies/{companyId}"), "a module switched on" => |env| {
            let company = env.setup().company("Verlag", Module::Off).await;
            let body = json!({"modules": {"crossClientConnections": true}});
            let route = format!("PATCH /v1/contracting-companies/{}", company.id);
            Act::call(&env.setup().operator, route, body)
        }
        "tenants", Some("POST /v1/clients"), "a client" => |env| {
            let company = env.setup().company("Verlag", Module::Off).await;
            let body = json!({"contractingCompanyId": company.id, "name": "A", "email": "a@example.com", "language": "de"});
            Act::call(&env.setup().operator, "POST /v1/clients", body)
        }
        "tenants", Some("POST /v1/clients/{clientId}/api-keys"), "a key, shown once" => |env| {
            let keys = keys_of(&env.client().await);
            Act::call(&env.setup().operator, format!("POST {keys}"), json!({}))
        }
        "tenants", Some("DELETE /v1/clients/{clientId}/api-keys/{keyId}"), "a key revoked" => |env| {
            let client = env.client().await;
            let key = format!("{}/{}", keys_of(&client), client.key_id);
            Act::bare(&env.setup().operator, format!("DELETE {key}"))
        }
        "tenants", Some("PATCH /v1/clients/{clientId}"), "a client disabled, noted in its company" => |env| {
            let client = env.client().await;
            let route = format!("PATCH /v1/clients/{}", client.id);
            Act::call(&env.setup().operator, route, json!({"disabled": true, "email": "neu@example.com"}))
        }
        "account", Some("PATCH /v1/me"), "a new mail address" => |env| {
            let client = env.client().await;
            Act::call(&client.api, "PATCH /v1/me", json!({"email": "neu@example.com"}))
        }
        "account", Some("POST /v1/api-keys"), "a key, shown once" => |env| {
            let client = env.client().await;
            Act::call(&client.api, "POST /v1/api-keys", json!({"scopes": ["catalog:read"]}))
        }
        "account", Some("DELETE /v1/api-keys/{keyId}"), "another key" => |env| {
            let client = env.client().await;
            let other = env.setup().api_key(&client.id).await;
            let key = other["keyId"].as_str().expect("a key id");
            Act::bare(&client.api, format!("DELETE /v1/api-keys/{key}"))
        }
        "authorize", None, "a key used for the first time that day" => |env| {
            let client = env.client().await;
            Act::Authorize { key: client.api.key().expect("an API key").to_owned() }
        }
    }
}

fn customers() -> Vec<Scenario> {
    scenarios! {
        "customers", Some("POST /v1/customers"), "a customer with both guards" => |env| {
            let client = env.client().await;
            let body = json!({"email": "anna@example.com", "language": "de", "externalSystemId": "C-1"});
            Act::call(&client.api, "POST /v1/customers", body)
        }
        "customers", Some("PATCH /v1/customers/{customerId}"), "a new address, and its guard" => |env| {
            let client = env.client().await;
            let customer = client.customer().await;
            Act::call(&client.api, format!("PATCH /v1/customers/{}", id(&customer)), json!({"email": "b@example.com"}))
        }
        "customers", Some("DELETE /v1/customers/{customerId}"), "an erasure" => |env| {
            let client = env.client().await;
            let customer = client.customer().await;
            Act::bare(&client.api, format!("DELETE /v1/customers/{}", id(&customer)))
        }
    }
}

fn shared_with(target: &Client) -> Value {
    json!({"targetClientIds": [target.id], "sellerShareBasisPoints": 2_000})
}

/// A price that the target must accept within thirty days.
fn other_terms(env: &Environment) -> Value {
    let until = env.stage.clock.now() + SignedDuration::from_hours(30 * 24);
    json!({"price": {"amount": 1_250, "currency": "EUR"}, "sellOldTermsUntil": until})
}

fn offers() -> Vec<Scenario> {
    scenarios! {
        "offers", Some("POST /v1/offers"), "a shared offer" => |env| {
            let (pair, _) = env.pair().await;
            let body = json!({
                "name": "Magazin",
                "type": "subscription",
                "period": {"unit": "month", "count": 1},
                "renews": true,
                "price": {"amount": 999, "currency": "EUR"},
                "crossClient": shared_with(&pair.target),
            });
            Act::call(&pair.source.api, "POST /v1/offers", body)
        }
        "offers", Some("PATCH /v1/offers/{offerId}"), "an offer shared later" => |env| {
            let (pair, _) = env.pair().await;
            let offer = pair.source.subscription_offer("Magazin", 999).await;
            let body = json!({"crossClient": shared_with(&pair.target)});
            Act::call(&pair.source.api, format!("PATCH /v1/offers/{}", id(&offer)), body)
        }
        "offers", Some("PATCH /v1/offers/{offerId}"), "other terms, with a deadline" => |env| {
            let (pair, checkout) = env.pair().await;
            Act::call(&pair.source.api, format!("PATCH /v1/offers/{}", id(&checkout.shared_offer)), other_terms(env))
        }
        "offers", Some("PATCH /v1/offers/{offerId}"), "terms that favour the target" => |env| {
            let (pair, checkout) = env.pair().await;
            let mut better = shared_with(&pair.target);
            better["sellerShareBasisPoints"] = json!(2_500);
            let body = json!({"crossClient": better});
            Act::call(&pair.source.api, format!("PATCH /v1/offers/{}", id(&checkout.shared_offer)), body)
        }
        "offers", Some("POST /v1/offers/shared/{offerId}/accept-terms"), "the second terms" => |env| {
            let (pair, checkout) = env.pair().await;
            let path = format!("/v1/offers/{}", id(&checkout.shared_offer));
            let _ = pair.source.api.patch(&path, other_terms(env)).await.ok();
            let route = format!("POST /v1/offers/shared/{}/accept-terms", id(&checkout.shared_offer));
            Act::call(&pair.target.api, route, json!({"version": 2}))
        }
        "offers", Some("POST /v1/offers/{offerId}/archive"), "a shared offer" => |env| {
            let (pair, checkout) = env.pair().await;
            Act::bare(&pair.source.api, format!("POST /v1/offers/{}/archive", id(&checkout.shared_offer)))
        }
    }
}

fn carts() -> Vec<Scenario> {
    scenarios! {
        "carts", Some("POST /v1/carts"), "with a shared offer" => |env| {
            let (pair, checkout) = env.pair().await;
            let position = |(number, offer)| json!({"position": number, "offerId": id(offer), "mandatory": true});
            let positions: Vec<_> = [(1, &checkout.own_offer), (2, &checkout.shared_offer)].into_iter().map(position).collect();
            Act::call(&pair.target.api, "POST /v1/carts", json!({"name": "Korb", "positions": positions}))
        }
        "carts", Some("PATCH /v1/carts/{cartId}"), "another name" => |env| {
            let (pair, checkout) = env.pair().await;
            Act::call(&pair.target.api, format!("PATCH /v1/carts/{}", id(&checkout.cart)), json!({"name": "Korb"}))
        }
        "carts", Some("POST /v1/carts/{cartId}/archive"), "a cart" => |env| {
            let (pair, checkout) = env.pair().await;
            Act::bare(&pair.target.api, format!("POST /v1/carts/{}/archive", id(&checkout.cart)))
        }
    }
}
