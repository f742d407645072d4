//! The owner and the other callers.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use serde_yaml_ng::Value as Yaml;
use tandem_tests::{Api, Client, Module, Pair, Setup, id, mandatory};

/// A caller with a valid key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// A client of another contracting company without a connection to the owner.
    Stranger,
    /// Connected with the owner, without access to its offers.
    WithoutGrant,
    /// Connected with the owner, and sells its offer.
    WithGrant,
    /// The owner has blocked the connection with it.
    Blocked,
    /// Runs the installation.
    Operator,
}

impl Caller {
    pub(super) const ALL: [Self; 5] = [
        Self::Stranger,
        Self::WithoutGrant,
        Self::WithGrant,
        Self::Blocked,
        Self::Operator,
    ];
}

/// All callers.
pub(super) struct Cast {
    pub(super) setup: Setup,
    pub(super) owner: Client,
    pub(super) stranger: Client,
    partners: [Pair; 3],
    /// An offer of each client, by its id.
    own_offers: BTreeMap<String, String>,
    /// Values for the parameters of a path.
    things: BTreeMap<&'static str, String>,
    pub(super) shared_offer: String,
    pub(super) managed_offer: String,
    pub(super) revoked: Api,
    narrow: BTreeMap<String, Api>,
}

impl Cast {
    pub(super) async fn assembled() -> Self {
        let setup = Setup::new().await;
        let receiver = setup.receiver().await;
        let company = setup.company("Owner Press", Module::On).await;
        let owner = setup.client(&company, "Owner", "en").await;
        let mut partners = Vec::new();
        for name in ["Without", "With", "Blocked"] {
            let partner = setup
                .client(&setup.company(name, Module::On).await, name, "en")
                .await;
            partners.push(Pair::connect(owner.clone(), partner, Some(&receiver.url())).await);
        }
        let partners: [Pair; 3] = partners
            .try_into()
            .unwrap_or_else(|_| unreachable!("three"));
        let stranger = setup
            .client(
                &setup.company("Stranger Press", Module::On).await,
                "Stranger",
                "en",
            )
            .await;
        let targets: Vec<&Client> = partners.iter().map(|pair| &pair.target).collect();
        let shared = owner.shared_offer("Shared", 999, &targets).await;
        let partner = &partners[1].target;
        let mut own_offers = BTreeMap::new();
        for client in targets.iter().copied().chain([&stranger]) {
            own_offers.insert(
                client.id.clone(),
                client.subscription_offer("Theirs", 1_990).await,
            );
        }
        let theirs = own_offers[&partner.id].clone();
        let cart_of_both = partner
            .cart(&[mandatory(&theirs), mandatory(&shared)])
            .await;
        let _ = partner
            .sell(&cart_of_both, &partner.customer().await)
            .await
            .created();
        let _ = owner
            .api
            .patch(
                &format!("/v1/connections/{}", partners[0].connection_id),
                json!({"offersAccess": false}),
            )
            .await
            .ok();
        let _ = owner
            .act_on_connection("block", &partners[2].connection_id)
            .await
            .ok();
        let (things, managed_offer) = Self::things(&setup, &owner, &company.id).await;
        let revoked = setup.api_key(&owner.id).await;
        let path = format!(
            "/v1/clients/{}/api-keys/{}",
            owner.id,
            text(&revoked["keyId"])
        );
        let _ = setup.operator.delete(&path).await.ok();
        let narrow = Self::narrow(&setup, &owner).await;
        let shared_offer = id(&shared).to_owned();
        let revoked = setup.caller(text(&revoked["apiKey"]));
        let own_offers = own_offers
            .iter()
            .map(|(client, offer)| (client.clone(), id(offer).to_owned()))
            .collect();
        Self {
            own_offers,
            setup,
            owner,
            stranger,
            partners,
            things,
            shared_offer,
            managed_offer,
            revoked,
            narrow,
        }
    }

    /// The owner's data: one thing of each kind.
    async fn things(
        setup: &Setup,
        owner: &Client,
        company: &str,
    ) -> (BTreeMap<&'static str, String>, String) {
        let offer = owner.subscription_offer("Own", 1_990).await;
        let cart = owner.cart(&[mandatory(&offer)]).await;
        let customer = owner.customer().await;
        let order = owner.sell(&cart, &customer).await.created();
        let managed = json!({"name": "Managed", "type": "subscription", "period": {"unit": "month", "count": 1}, "renews": true,
                             "price": {"amount": 1, "currency": "EUR"}, "externallyManaged": true});
        let managed = owner.api.post("/v1/offers", managed).await.created();
        let item = json!({"externalSystemId": "A-1", "offerId": id(&managed), "invoiceCustomerId": id(&customer), "quantity": 1,
                          "startDate": "2026-01-01T00:00:00Z", "paymentMethod": "BILLING"});
        let promise = owner
            .api
            .post("/v1/imports/orders", json!({"items": [item]}))
            .await
            .accepted();
        let replay = owner
            .api
            .post("/v1/callbacks/replays", json!({}))
            .await
            .accepted();
        let things = BTreeMap::from([
            ("companyId", company.to_owned()),
            ("clientId", owner.id.clone()),
            (
                "keyId",
                text(&setup.api_key(&owner.id).await["keyId"]).to_owned(),
            ),
            ("offerId", id(&offer).to_owned()),
            ("cartId", id(&cart).to_owned()),
            ("customerId", id(&customer).to_owned()),
            ("orderId", id(&order).to_owned()),
            (
                "subscriptionId",
                text(&order["positions"][0]["subscriptionId"]).to_owned(),
            ),
            ("periodNumber", "1".to_owned()),
            ("callbackId", id(&owner.callbacks().await[0]).to_owned()),
            ("replayId", id(&replay).to_owned()),
            (
                "payoutId",
                id(&owner.api.all("/v1/payouts").await[0]).to_owned(),
            ),
            ("promiseId", text(&promise["promiseId"]).to_owned()),
        ]);
        (things, id(&managed).to_owned())
    }

    /// For each needed scope: a key of the owner with all other scopes.
    async fn narrow(setup: &Setup, owner: &Client) -> BTreeMap<String, Api> {
        let nouns = [
            "connections",
            "catalog",
            "customers",
            "purchases",
            "imports",
            "callbacks",
            "payouts",
            "keys",
        ];
        let all: Vec<String> = nouns
            .iter()
            .flat_map(|noun| [format!("{noun}:read"), format!("{noun}:write")])
            .collect();
        let mut narrow = BTreeMap::new();
        for scope in &all {
            // Write implies read, so a key without the read scope has no write scope either.
            let noun = scope.trim_end_matches(":read");
            let others: Vec<&String> = all
                .iter()
                .filter(|other| !other.starts_with(noun))
                .collect();
            let path = format!("/v1/clients/{}/api-keys", owner.id);
            let key = setup
                .operator
                .post(&path, json!({"scopes": others}))
                .await
                .created();
            narrow.insert(scope.clone(), setup.caller(text(&key["apiKey"])));
        }
        narrow
    }

    /// A key of the owner with all scopes except the one that docs/openapi.yaml names for a route; `None` if it names none.
    pub(super) fn without_scope_of(&self, route: &str) -> Option<Api> {
        let described: Yaml =
            serde_yaml_ng::from_str(include_str!("../../../../docs/openapi.yaml")).expect("YAML");
        let (method, path) = route.split_once(' ').expect("METHOD /path");
        let security = &described["paths"][path][method.to_lowercase().as_str()]["security"];
        let scopes = security[0]["clientKey"].as_sequence();
        let scopes = scopes.unwrap_or_else(|| panic!("{route} is not for clients"));
        let scope = scopes.first()?.as_str().expect("a scope");
        Some(self.narrow[scope].clone())
    }

    pub(super) fn api(&self, caller: Caller) -> Api {
        match caller {
            Caller::Operator => self.setup.operator.clone(),
            _ => self.client(caller).api.clone(),
        }
    }

    /// The calling client; for the operator, who has none, the stranger.
    pub(super) fn client(&self, caller: Caller) -> &Client {
        match caller {
            Caller::Stranger | Caller::Operator => &self.stranger,
            Caller::WithoutGrant => &self.partners[0].target,
            Caller::WithGrant => &self.partners[1].target,
            Caller::Blocked => &self.partners[2].target,
        }
    }

    /// The path of a route with the owner's ids; a partner uses its own connection with the owner.
    pub(super) fn path(&self, route: &str, caller: Caller) -> String {
        let (_, pattern) = route.split_once(' ').expect("METHOD /path");
        let shared = pattern.starts_with("/v1/offers/shared/");
        let segment = |segment: &str| match segment
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
        {
            None => segment.to_owned(),
            Some("connectionId") => self.connection(caller).to_owned(),
            Some("offerId") if shared => self.shared_offer.clone(),
            Some(name) => self.thing(name).to_owned(),
        };
        pattern
            .split('/')
            .map(segment)
            .collect::<Vec<_>>()
            .join("/")
    }

    pub(super) fn connection(&self, caller: Caller) -> &str {
        let pair = match caller {
            Caller::WithoutGrant => &self.partners[0],
            Caller::Blocked => &self.partners[2],
            Caller::Stranger | Caller::WithGrant | Caller::Operator => &self.partners[1],
        };
        &pair.connection_id
    }

    pub(super) fn own_offer(&self, caller: Caller) -> &str {
        &self.own_offers[&self.client(caller).id]
    }

    pub(super) fn thing(&self, name: &str) -> &str {
        self.things
            .get(name)
            .unwrap_or_else(|| panic!("the owner has no {name}"))
    }

    /// The ids that a caller must not see except in its own request. A partner sees itself in the payout row, and the offer shared
    /// with it.
    pub(super) fn hidden_from(&self, caller: Caller) -> Vec<String> {
        if caller == Caller::Operator {
            return Vec::new();
        }
        let mut hidden: Vec<String> = [
            "keyId",
            "offerId",
            "cartId",
            "customerId",
            "orderId",
            "subscriptionId",
            "callbackId",
            "replayId",
            "promiseId",
        ]
        .map(|name| self.thing(name).to_owned())
        .into();
        if caller != Caller::WithGrant {
            hidden.extend([self.shared_offer.clone(), self.thing("payoutId").to_owned()]);
        }
        let own = self.connection(caller);
        let others = self.partners.iter().map(|pair| pair.connection_id.clone());
        hidden.extend(others.filter(|connection| caller == Caller::Stranger || connection != own));
        hidden
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
