//! The operator's preparations: contracting companies, their clients with API keys, and connected pairs.

use std::fmt::Display;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::id;
use crate::api::Api;
use crate::client::Client;
use crate::pair::Pair;
use crate::receiver::Receiver;
use crate::stage::{Deployed, InProcess, Stack, Stage};

/// Whether a contracting company has the module `crossClientConnections`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Module {
    On,
    Off,
}

#[derive(Debug, Clone)]
pub struct Company {
    pub id: String,
    pub name: String,
}

/// One story's share of a stage, with the operator as caller.
#[derive(Debug, Clone)]
pub struct Setup {
    pub operator: Api,
}

impl Setup {
    /// Starts a story: on the deployed stack if `TANDEM_STACK` names one, else in this process with a table of its own.
    pub async fn new() -> Self {
        if Stack::is_named() {
            Self::on(Arc::new(Deployed::new()))
        } else {
            Self::on(InProcess::for_story())
        }
    }

    pub fn on(stage: Arc<dyn Stage>) -> Self {
        let operator_key = stage.operator_key().to_owned();
        Self {
            operator: Api::new(stage, Some(&operator_key)),
        }
    }

    pub fn stage(&self) -> &Arc<dyn Stage> {
        self.operator.stage()
    }

    pub fn now(&self) -> Timestamp {
        self.stage().now()
    }

    /// See [`Stage::settle`](crate::Stage#method.settle).
    pub async fn settle<T, E: Display>(
        &self,
        description: &str,
        check: impl AsyncFnMut() -> Result<T, E>,
    ) -> T {
        self.stage().settle(description, check).await
    }

    /// A caller with this API key.
    pub fn caller(&self, key: &str) -> Api {
        self.operator.with_key(key)
    }

    pub fn caller_without_key(&self) -> Api {
        Api::new(Arc::clone(self.stage()), None)
    }

    /// A partner's system that receives callbacks.
    pub async fn receiver(&self) -> Receiver {
        Receiver::start_on(Arc::clone(self.stage())).await
    }

    pub async fn company(&self, name: &str, module: Module) -> Company {
        let body =
            json!({"name": name, "modules": {"crossClientConnections": module == Module::On}});
        let company = self.operator.post("/v1/contracting-companies", body).await;
        Company {
            id: id(&company.created()).to_owned(),
            name: name.to_owned(),
        }
    }

    pub async fn switch_module(&self, company: &Company, module: Module) {
        let on = module == Module::On;
        let path = format!("/v1/contracting-companies/{}", company.id);
        let body = json!({"modules": {"crossClientConnections": on}});
        let edited = self.operator.patch(&path, body).await.ok();
        assert_eq!(edited["modules"]["crossClientConnections"], on, "{edited}");
    }

    pub async fn set_time_zone(&self, company: &Company, time_zone: &str) {
        let path = format!("/v1/contracting-companies/{}", company.id);
        let edit = json!({"timeZone": time_zone});
        let edited = self.operator.patch(&path, edit).await.ok();
        assert_eq!(edited["timeZone"], time_zone);
    }

    /// Creates a client with an API key and an e-mail address of its own. `language` is `de` or `en`.
    pub async fn client(&self, company: &Company, name: &str, language: &str) -> Client {
        let email = format!("merchant-{}@example.com", Uuid::now_v7());
        let body = json!({
            "contractingCompanyId": company.id,
            "name": name,
            "email": email,
            "language": language,
        });
        let client = self.operator.post("/v1/clients", body).await.created();
        let key = self.api_key(id(&client)).await;
        let text = |name: &str| key[name].as_str().expect("text").to_owned();
        Client {
            id: id(&client).to_owned(),
            name: name.to_owned(),
            company: company.clone(),
            email,
            key_id: text("keyId"),
            api: self.caller(&text("apiKey")),
        }
    }

    /// Creates another API key of a client. The answer has `keyId` and, only this time, `apiKey`.
    pub async fn api_key(&self, client_id: &str) -> Value {
        let path = format!("/v1/clients/{client_id}/api-keys");
        self.operator.post(&path, json!({})).await.created()
    }

    /// An English source and a German target of one contracting company, connected with access to offers.
    pub async fn pair_within_one_company(&self) -> Pair {
        let company = self.company("Medienhaus", Module::On).await;
        let source = self.client(&company, "Garden Weekly", "en").await;
        let target = self.client(&company, "Morgenblatt", "de").await;
        Pair::connect(source, target, None).await
    }

    /// An English source and a German target of two contracting companies, connected with access to offers.
    pub async fn pair_between_two_companies(&self, callback_url: &str) -> Pair {
        let source_company = self.company("Garden Press", Module::On).await;
        let target_company = self.company("Morgenblatt Verlag", Module::On).await;
        let source = self.client(&source_company, "Garden Weekly", "en").await;
        let target = self.client(&target_company, "Morgenblatt", "de").await;
        Pair::connect(source, target, Some(callback_url)).await
    }
}
