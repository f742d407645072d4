//! The existing data, so that only the input is bad.

use serde_json::{Value, json};
use tandem_tests::{Api, Setup, id};
use uuid::Uuid;

/// A source and a target of two contracting companies with a sale, and offers that no cart accepts.
#[derive(Debug, Default)]
pub(super) struct Scene {
    pub(super) operator: Option<Api>,
    pub(super) source: Option<Api>,
    pub(super) target: Option<Api>,
    /// Marks the names of things that only the operator sees.
    pub(super) marker: String,
    /// Of the target.
    pub(super) company: String,
    pub(super) source_client: String,
    pub(super) target_client: String,
    /// Of the contracting company of the source.
    pub(super) neighbour: String,
    pub(super) key: String,
    pub(super) connection: String,
    /// An open invitation from the source to its neighbour.
    pub(super) invitation: String,
    /// Of the target.
    pub(super) own_offer: String,
    pub(super) offer_in_francs: String,
    pub(super) archived_offer: String,
    pub(super) managed_offer: String,
    pub(super) lent_offer: String,
    /// Of the source.
    pub(super) shared_offer: String,
    /// Of the target.
    pub(super) cart: String,
    pub(super) customer: String,
    pub(super) order: String,
    pub(super) own_subscription: String,
    /// Of the source.
    pub(super) sources_customer: String,
    pub(super) subscription: String,
    pub(super) callback: String,
    /// Of the source, with nothing to replay.
    pub(super) replay: String,
    pub(super) payout: String,
    /// Of the target, completed.
    pub(super) promise: String,
}

impl Scene {
    /// Creates the data.
    pub(super) async fn prepared(setup: &Setup) -> Self {
        let receiver = setup.receiver().await;
        let pair = setup.pair_between_two_companies(&receiver.url()).await;
        let sale = pair.sell().await;
        let (source, target) = (&pair.source, &pair.target);
        let neighbour = setup.client(&source.company, "Chess Monthly", "en").await;
        let invitation = source.invite(&neighbour, None).await.created();
        let back = target.invite(source, Some(&receiver.url())).await.created();
        let _ = source.act_on_connection("accept", id(&back)).await.ok();
        let own = target.subscription_offer("Morgenblatt", 1_990).await;
        let lent = target.shared_offer("Morgenblatt", 1_990, &[source]).await;
        let archived = target.subscription_offer("Morgenblatt", 1_990).await;
        let _ = target
            .api
            .act(&format!("/v1/offers/{}/archive", id(&archived)))
            .await
            .ok();
        let other = |currency: &str, managed: bool| json!({"name": "Morgenblatt", "type": "single", "price": {"amount": 1_990, "currency": currency}, "externallyManaged": managed});
        let francs = target
            .api
            .post("/v1/offers", other("CHF", false))
            .await
            .created();
        let managed = target
            .api
            .post("/v1/offers", other("EUR", true))
            .await
            .created();
        let customer = source.customer().await;
        // The offer is not a subscription, so the item fails; the promise still exists.
        let item = json!({"externalSystemId": "4711", "offerId": id(&managed), "invoiceCustomerId": id(&sale.customer), "quantity": 1, "startDate": "2026-01-01T00:00:00Z", "paymentMethod": "BILLING"});
        let promise = target
            .api
            .post("/v1/imports/orders", json!({"items": [item]}))
            .await
            .accepted();
        let replay = source
            .api
            .post("/v1/callbacks/replays", json!({}))
            .await
            .accepted();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        Self {
            operator: Some(setup.operator.clone()),
            source: Some(source.api.clone()),
            target: Some(target.api.clone()),
            marker: format!("Verlag {}", Uuid::now_v7()),
            company: target.company.id.clone(),
            source_client: source.id.clone(),
            target_client: target.id.clone(),
            neighbour: neighbour.id.clone(),
            key: target.key_id.clone(),
            connection: pair.connection_id.clone(),
            invitation: id(&invitation).to_owned(),
            own_offer: id(&own).to_owned(),
            offer_in_francs: id(&francs).to_owned(),
            archived_offer: id(&archived).to_owned(),
            managed_offer: id(&managed).to_owned(),
            lent_offer: id(&lent).to_owned(),
            shared_offer: text(&sale.order["positions"][1]["offerId"]),
            cart: id(&sale.cart).to_owned(),
            customer: id(&sale.customer).to_owned(),
            order: sale.order_id().to_owned(),
            own_subscription: sale.own_subscription_id().to_owned(),
            sources_customer: id(&customer).to_owned(),
            subscription: sale.shared_subscription_id().to_owned(),
            callback: id(&source.callbacks().await[0]).to_owned(),
            replay: id(&replay).to_owned(),
            promise: text(&promise["promiseId"]),
            payout: id(&source.api.all("/v1/payouts").await[0]).to_owned(),
        }
    }

    /// Texts that each row created or changed by the input would contain.
    pub(super) fn own(&self) -> Vec<String> {
        let clients = [
            &self.source_client,
            &self.target_client,
            &self.neighbour,
            &self.company,
            &self.marker,
        ];
        clients.into_iter().cloned().collect()
    }
}
