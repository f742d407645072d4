//! A checkout whose names, ids and addresses are as long as real ones: a write unit is a kilobyte of a row.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Client, mandatory};
use crate::pair::{Checkout, Pair};
use crate::setup::{Module, Setup};

/// A name of 40 characters.
fn name(text: &str) -> String {
    format!("{text:-<40}")
}

/// A pair of two contracting companies, and a cart of an own and a cross-client position.
pub async fn real_checkout(setup: &Setup, callback_url: &str) -> (Pair, Checkout) {
    let source_company = setup.company(&name("Gartenpresse GmbH"), Module::On).await;
    let target_company = setup.company(&name("Stadtblick KG"), Module::On).await;
    let (source_name, target_name) = (name("Gartenwoche"), name("Stadtblick"));
    let source = setup.client(&source_company, &source_name, "en").await;
    let target = setup.client(&target_company, &target_name, "de").await;
    let pair = Pair::connect(source, target, Some(callback_url)).await;
    let (source, target) = (&pair.source, &pair.target);
    let (own_name, shared_name) = (name("Stadtblick Digital"), name("Gartenwoche Print"));
    let own_offer = target.subscription_offer(&own_name, 1_990).await;
    let shared_offer = source.shared_offer(&shared_name, 999, &[target]).await;
    let positions = [mandatory(&own_offer), mandatory(&shared_offer)];
    let checkout = Checkout {
        cart: target.cart(&positions).await,
        customer: real_customer(target).await,
        seller: target.clone(),
        own_offer,
        shared_offer,
    };
    (pair, checkout)
}

/// A customer with all optional members.
pub async fn real_customer(client: &Client) -> Value {
    let body = json!({
        "email": format!("{}@posteingang.example.com", Uuid::now_v7().simple()),
        "language": "de",
        "externalSystemId": format!("crm-{}", Uuid::now_v7()),
        "firstName": "Maximiliane-Charlotte Friederike Elisabe",
        "lastName": "von Hohenstein-Wittelsbach zu Lindenberg",
        "phone": "+49 30 901820-4711",
        "address": {
            "street": "Straße des Siebzehnten Juni 135a",
            "postalCode": "10623",
            "city": "Berlin",
            "country": "DE",
        },
    });
    client.api.post("/v1/customers", body).await.created()
}
