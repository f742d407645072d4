//! Merchants and customers with names of real length: the rows of the other tests are shorter than those of production.

use serde_json::{Value, json};

use crate::client::{Client, mandatory};
use crate::pair::{Checkout, Pair};
use crate::setup::{Module, Setup};

/// Forty characters.
const SOURCE: &str = "Alpenblick Verlagsgesellschaft Zürich AG";
const TARGET: &str = "Norddeutsche Tagespost und Anzeigen GmbH";

impl Setup {
    /// Like [`Setup::pair_between_two_companies`], with names of forty characters.
    pub async fn pair_with_long_names(&self, callback_url: &str) -> Pair {
        let (source, target) = (
            self.company(SOURCE, Module::On).await,
            self.company(TARGET, Module::On).await,
        );
        let source = self.client(&source, SOURCE, "de").await;
        let target = self.client(&target, TARGET, "de").await;
        Pair::connect(source, target, Some(callback_url)).await
    }
}

impl Pair {
    /// Like [`Pair::checkout`], with names, an e-mail address and an address of real length.
    pub async fn checkout_with_long_names(&self) -> Checkout {
        let own = "Tagespost Digital mit Wochenendausgaben".to_owned() + "!";
        let own_offer = self.target.subscription_offer(&own, 1_990).await;
        let shared = "Alpenblick Plus, das Magazin fürs Gebirg";
        let targets = [&self.target];
        let shared_offer = self.source.shared_offer(shared, 1_200, &targets).await;
        let positions = [mandatory(&own_offer), mandatory(&shared_offer)];
        Checkout {
            cart: self.target.cart(&positions).await,
            customer: customer(&self.target).await,
            seller: self.target.clone(),
            own_offer,
            shared_offer,
        }
    }
}

async fn customer(client: &Client) -> Value {
    let body = json!({
        "email": "maximiliane.oberhuber@kundinnen.example.org",
        "language": "de-CH",
        "firstName": "Maximiliane Annegret Theodora Friederike",
        "lastName": "Oberhuber-Schwarzenbach von Hohenklingen",
        "externalSystemId": "CRM-2026-000000000000000000000000004711!",
        "phone": "+41 44 000 00 00",
        "address": {
            "street": "Lange Straße am Englischen Garten 112 bis",
            "additional": "Hinterhaus, vierter Stock, zweite Tür re",
            "postalCode": "8001",
            "city": "Zürich",
            "country": "CH",
        },
    });
    client.api.post("/v1/customers", body).await.created()
}
