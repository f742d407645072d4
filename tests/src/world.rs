//! The people who take part, made by the operator.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::id;
use crate::api::Api;
use crate::client::Client;
use crate::connection::Pair;
use crate::receiver::Receiver;

/// Whether a contracting company has the module `crossClientConnections`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Module {
    /// It has.
    On,
    /// It has not.
    Off,
}

/// A contracting company.
#[derive(Debug, Clone)]
pub struct Company {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A story's own part of the stack, seen by the operator.
#[derive(Debug, Clone)]
pub struct World {
    /// The operator.
    pub operator: Api,
}

impl Default for World {
    fn default() -> Self {
        Self {
            operator: Api::as_operator(),
        }
    }
}

impl World {
    /// Begins a story.
    ///
    /// # Panics
    /// There is no stack.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a contracting company.
    pub async fn company(&self, name: &str, module: Module) -> Company {
        let body =
            json!({"name": name, "modules": {"crossClientConnections": module == Module::On}});
        let company = self
            .operator
            .post("/v1/contracting-companies", body)
            .await
            .created();
        Company {
            id: id(&company).to_owned(),
            name: name.to_owned(),
        }
    }

    /// Switches the module on or off.
    pub async fn switch(&self, company: &Company, module: Module) {
        let body = json!({"modules": {"crossClientConnections": module == Module::On}});
        let edited = self
            .operator
            .patch(&format!("/v1/contracting-companies/{}", company.id), body)
            .await
            .ok();
        assert_eq!(
            edited["modules"]["crossClientConnections"],
            module == Module::On,
            "{edited}"
        );
    }

    /// Makes a client with an API key, and an e-mail address that nobody else has. `language` is `de` or `en`.
    pub async fn client(&self, company: &Company, name: &str, language: &str) -> Client {
        let email = format!("merchant-{}@example.com", Uuid::now_v7());
        let body = json!({"contractingCompanyId": company.id, "name": name, "email": email, "language": language});
        let client = self.operator.post("/v1/clients", body).await.created();
        let key = self.api_key(id(&client)).await;
        let api = Api::as_client(
            key["apiKey"]
                .as_str()
                .expect("a key is shown when it is made"),
        );
        let key_id = key["keyId"].as_str().expect("a key has an id").to_owned();
        Client {
            id: id(&client).to_owned(),
            name: name.to_owned(),
            company: company.clone(),
            email,
            key_id,
            api,
        }
    }

    /// Makes another API key of a client, as it is answered: with `keyId` and, this once, `apiKey`.
    pub async fn api_key(&self, client_id: &str) -> Value {
        self.operator
            .post(&format!("/v1/clients/{client_id}/api-keys"), json!({}))
            .await
            .created()
    }

    /// An English source and a German target of one contracting company, with an active connection with access to offers.
    pub async fn pair_within_one_company(&self) -> Pair {
        let company = self.company("Medienhaus", Module::On).await;
        let source = self.client(&company, "Garden Weekly", "en").await;
        let target = self.client(&company, "Morgenblatt", "de").await;
        Pair::connect(source, target, None).await
    }

    /// The same of two contracting companies; the source is called back at the receiver.
    pub async fn pair_between_two_companies(&self, receiver: &Receiver) -> Pair {
        let source_company = self.company("Garden Press", Module::On).await;
        let target_company = self.company("Morgenblatt Verlag", Module::On).await;
        let source = self.client(&source_company, "Garden Weekly", "en").await;
        let target = self.client(&target_company, "Morgenblatt", "de").await;
        Pair::connect(source, target, Some(&receiver.url())).await
    }
}
