//! Purchases after the source has switched off access to its offers, or has archived or unshared one.

use serde_json::{Value, json};
use tandem_tests::{Pair, Setup, id, mandatory};

use super::{as_text, edit};

#[tokio::test]
async fn without_offers_access_the_cart_cannot_be_bought() {
    let setup = Setup::new().await;
    let pair = setup.pair_within_one_company().await;
    let Pair {
        source,
        target,
        connection_id,
        ..
    } = &pair;
    let own = target
        .subscription_offer("Morgenblatt digital", 1_990)
        .await;
    let shared = source.shared_offer("Garden Weekly", 999, &[target]).await;
    let positions = [mandatory(&own), mandatory(&shared)];
    let (cart, customer) = (target.cart(&positions).await, target.customer().await);
    let shared_path = format!("/v1/offers/shared/{}", id(&shared));

    edit(target, connection_id, false)
        .await
        .problem(403, "connection_read_only");
    assert_eq!(target.offers_shared_with_it().await.len(), 1);

    assert_eq!(
        edit(source, connection_id, false).await.ok()["offersAccess"],
        false
    );
    assert_eq!(
        target.connection(connection_id).await["offersAccess"],
        false
    );
    assert_eq!(
        target.connection(connection_id).await["status"],
        "active",
        "the connection itself goes on"
    );
    assert_eq!(target.offers_shared_with_it().await, Vec::<Value>::new());
    target
        .api
        .get(&shared_path)
        .await
        .problem(404, "offer_not_found");
    target
        .sell(&cart, &customer)
        .await
        .not_sellable(2, "switched off the access");
    let refused = target.try_cart(&positions).await;
    assert_eq!(
        refused.fields(),
        [(
            "positions[1].offerId".to_owned(),
            "offer_not_available".to_owned()
        )]
    );
    refused.problem(422, "invalid_fields");
    pair.assert_nothing_sold().await;

    assert_eq!(
        edit(source, connection_id, true).await.ok()["offersAccess"],
        true
    );
    assert_eq!(id(&target.api.get(&shared_path).await.ok()), id(&shared));
    let _ = target.sell(&cart, &customer).await.created();
    let _ = target.cart(&positions).await;
}

#[tokio::test]
async fn an_archived_or_unshared_offer_cannot_be_bought() {
    let setup = Setup::new().await;
    let pair = setup.pair_within_one_company().await;
    let Pair { source, target, .. } = &pair;
    let other = setup.client(&source.company, "Abendblatt", "de").await;
    let invited = source.invite(&other, None).await.created();
    let customer = target.customer().await;
    let not_named =
        json!({"crossClient": {"targetClientIds": [other.id], "sellerShareBasisPoints": 2_000}});
    assert_eq!(
        other.act_on_connection("accept", id(&invited)).await.ok()["status"],
        "active"
    );

    for reason in ["archived", "not shared with this client"] {
        let cart = pair.cart_of_both().await;
        let path = format!("/v1/offers/{}", as_text(&cart["positions"][1]["offerId"]));
        let changed = match reason {
            "archived" => source.api.act(&format!("{path}/archive")).await,
            _ => source.api.patch(&path, not_named.clone()).await,
        };
        let _ = changed.ok();
        assert_eq!(target.offers_shared_with_it().await, Vec::<Value>::new());
        target.sell(&cart, &customer).await.not_sellable(2, reason);
    }
    pair.assert_nothing_sold().await;
}
