//! A source changes price and share of an offer that its targets sell. Each sells at the terms that it accepted.

use serde_json::{Value, json};
use tandem_tests::{Checkout, Client, Module, Pair, Setup, id, mandatory};

fn price(cents: i64) -> Value {
    json!({"amount": cents, "currency": "EUR"})
}

fn terms(version: u64, cents: i64, share: u64) -> Value {
    json!({"version": version, "price": price(cents), "sellerShareBasisPoints": share})
}

fn proposed(version: u64, cents: i64, share: u64, until: &Value) -> Value {
    let mut terms = terms(version, cents, share);
    terms["sellOldTermsUntil"] = until.clone();
    terms
}

async fn edit(source: &Client, offer: &Value, change: Value) -> Value {
    let path = format!("/v1/offers/{}", id(offer));
    source.api.patch(&path, change).await.ok()
}

async fn seen(target: &Client, offer: &Value) -> Value {
    let path = format!("/v1/offers/shared/{}", id(offer));
    target.api.get(&path).await.ok()
}

fn accept_path(offer: &Value) -> String {
    format!("/v1/offers/shared/{}/accept-terms", id(offer))
}

/// The newest line about terms in the history of the connection, as the client sees it.
async fn newest_line(client: &Client, connection: &str) -> Value {
    let connection = client.connection(connection).await;
    let lines = connection["history"].as_array().expect("lines").clone();
    lines.into_iter().next().expect("a line")
}

async fn bought(checkout: &Checkout, key: &str) -> (i64, i64) {
    let order = checkout.purchase(key).await.created();
    let payouts = checkout.seller.api.all("/v1/payouts").await;
    let of_order = payouts.iter().find(|row| row["orderId"] == order["id"]);
    let share = of_order.expect("a payout row")["sellerShareBasisPoints"].as_i64();
    let price = order["positions"][1]["unitPrice"]["amount"].as_i64();
    (price.expect("a price"), share.expect("a share"))
}

#[tokio::test]
async fn a_target_sells_at_the_terms_that_it_accepted() {
    let setup = Setup::new().await;
    let pair = setup.pair_within_one_company().await;
    let Pair { source, target, .. } = &pair;
    let offer = source.shared_offer("Garden Weekly", 990, &[target]).await;
    let first = seen(target, &offer).await;
    assert_eq!(first["acceptedTerms"], Value::Null);
    assert_eq!(
        first["proposedTerms"],
        proposed(1, 990, 2_000, &Value::Null)
    );

    let checkout = pair.checkout().await;
    let offer = checkout.shared_offer.clone();
    assert_eq!(
        seen(target, &offer).await["acceptedTerms"],
        terms(1, 999, 2_000)
    );
    assert_eq!(bought(&checkout, "before").await, (999, 2_000));

    let worse = json!({"targetClientIds": [target.id], "sellerShareBasisPoints": 0});
    let change = json!({"price": price(4_990), "crossClient": worse});
    let edited = edit(source, &offer, change).await;
    assert_eq!(edited["price"], price(4_990));
    let of_target = json!({
        "targetClientId": target.id,
        "acceptedTerms": terms(1, 999, 2_000),
        "proposedTerms": proposed(2, 4_990, 0, &Value::Null),
    });
    assert_eq!(edited["crossClient"]["terms"], json!([of_target]));
    assert_eq!(bought(&checkout, "proposed").await, (999, 2_000));
    let cart = format!("/v1/carts/{}", id(&checkout.cart));
    let cart_now = target.api.get(&cart).await.ok();
    assert_eq!(
        (&cart_now["sellable"], &cart_now["positions"][1]["price"]),
        (&json!(true), &price(999))
    );

    let accept = accept_path(&offer);
    for unknown in [1, 3] {
        let refused = target.api.post(&accept, json!({"version": unknown})).await;
        let problem = refused.problem(409, "terms_other_version");
        assert!(
            problem["detail"]
                .as_str()
                .is_some_and(|detail| detail.contains("version 2")),
            "{problem}"
        );
    }
    let accepted = target.api.post(&accept, json!({"version": 2})).await.ok();
    assert_eq!(accepted["acceptedTerms"], terms(2, 4_990, 0));
    assert_eq!(accepted["proposedTerms"], Value::Null);
    let again = target.api.post(&accept, json!({"version": 2})).await.ok();
    assert_eq!(again, accepted);
    assert_eq!(bought(&checkout, "accepted").await, (4_990, 0));
    // The newest first; sold subscriptions keep their terms.
    let sold = target
        .api
        .all(&format!("/v1/subscriptions?offerId={}", id(&offer)))
        .await;
    let prices: Vec<_> = sold
        .iter()
        .map(|row| row["unitPrice"]["amount"].as_i64())
        .collect();
    assert_eq!(prices, [Some(4_990), Some(999), Some(999)]);
}

#[tokio::test]
async fn both_sides_learn_of_proposed_and_accepted_terms() {
    let setup = Setup::new().await;
    let pair = setup.pair_within_one_company().await;
    let Pair {
        source,
        target,
        connection_id,
        ..
    } = &pair;
    let checkout = pair.checkout().await;
    let offer = &checkout.shared_offer;
    edit(source, offer, json!({"price": price(1_250)})).await;
    let line = newest_line(target, connection_id).await;
    assert_eq!(
        (&line["action"], &line["by"], &line["offerId"]),
        (&json!("termsProposed"), &json!("source"), &offer["id"])
    );
    assert_eq!(
        line["changes"],
        json!([
            "version: 1 -> 2",
            "price: 999 EUR -> 1250 EUR",
            "sellerShareBasisPoints: 2000"
        ])
    );
    let mail = target.mail_about("Konditionen").await;
    assert!(
        mail.text.contains("12,50 EUR") && mail.text.contains("9,99 EUR"),
        "{}",
        mail.text
    );
    assert!(
        mail.text.contains("20 %") && mail.text.contains(id(&checkout.cart)),
        "{}",
        mail.text
    );
    assert!(mail.text.contains(&accept_path(offer)), "{}", mail.text);

    let _ = target
        .api
        .post(&accept_path(offer), json!({"version": 2}))
        .await
        .ok();
    let line = newest_line(source, connection_id).await;
    assert_eq!(
        (&line["action"], &line["by"]),
        (&json!("termsAccepted"), &json!("target"))
    );
    let mail = source.mail_about("accepted the terms").await;
    assert!(mail.text.contains("12.50 EUR"), "{}", mail.text);
}

#[tokio::test]
async fn a_higher_share_of_the_seller_takes_effect_at_once() {
    let setup = Setup::new().await;
    let pair = setup.pair_within_one_company().await;
    let Pair {
        source,
        target,
        connection_id,
        ..
    } = &pair;
    let checkout = pair.checkout().await;
    let better = json!({"targetClientIds": [target.id], "sellerShareBasisPoints": 3_000});
    edit(
        source,
        &checkout.shared_offer,
        json!({"crossClient": better}),
    )
    .await;
    let seen = seen(target, &checkout.shared_offer).await;
    assert_eq!(
        (&seen["acceptedTerms"], &seen["proposedTerms"]),
        (&terms(2, 999, 3_000), &Value::Null)
    );
    assert_eq!(
        newest_line(target, connection_id).await["action"],
        "termsFavoured"
    );
    assert_eq!(bought(&checkout, "better").await, (999, 3_000));
}

#[tokio::test]
async fn no_target_sees_the_terms_of_another() {
    let setup = Setup::new().await;
    let pair = setup.pair_within_one_company().await;
    let Pair { source, target, .. } = &pair;
    let other = setup.client(&source.company, "Abendblatt", "de").await;
    let second = Pair::connect(source.clone(), other.clone(), None).await;
    let own =
        json!([{"targetClientId": other.id, "price": price(777), "sellerShareBasisPoints": 4_321}]);
    let shared = json!({"targetClientIds": [target.id, other.id], "sellerShareBasisPoints": 2_000, "targetTerms": own});
    let offer = source
        .offer("Garden Weekly", 999, json!({"crossClient": shared}))
        .await;
    assert_eq!(offer["crossClient"]["targetTerms"], own);
    let seen_by_both = [seen(target, &offer).await, seen(&other, &offer).await];
    assert_eq!(
        seen_by_both[0]["proposedTerms"],
        proposed(1, 999, 2_000, &Value::Null)
    );
    assert_eq!(
        seen_by_both[1]["proposedTerms"],
        proposed(1, 777, 4_321, &Value::Null)
    );
    assert_eq!(
        (
            &seen_by_both[1]["price"],
            &seen_by_both[1]["sellerShareBasisPoints"]
        ),
        (&price(777), &json!(4_321))
    );

    for client in [target, &other] {
        let own = client.subscription_offer("Eigenes", 100).await;
        let _ = client.cart(&[mandatory(&own), mandatory(&offer)]).await;
    }
    let lines = [&pair, &second].map(|pair| (pair.target.clone(), pair.connection_id.clone()));
    let changed = json!([{"targetClientId": other.id, "price": price(888)}]);
    let mut shared = shared;
    shared["targetTerms"] = changed;
    edit(source, &offer, json!({"crossClient": shared})).await;
    let [(first, con), (second, other_con)] = &lines;
    assert_eq!(newest_line(first, con).await["action"], "accepted");
    assert_eq!(
        newest_line(second, other_con).await["action"],
        "termsProposed"
    );
    let of_first = [
        seen(first, &offer).await.to_string(),
        first.connection(con).await.to_string(),
        json!(first.offers_shared_with_it().await).to_string(),
    ];
    for text in of_first {
        for hidden in [
            "\"amount\":777",
            "\"amount\":888",
            "777 EUR",
            "888 EUR",
            "BasisPoints\":4321",
            "BasisPoints: 4321",
            other.id.as_str(),
        ] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
    }
    first
        .api
        .get(&format!("/v1/offers/{}", id(&offer)))
        .await
        .problem(404, "offer_not_found");
}

#[tokio::test]
async fn a_purchase_with_another_total_is_refused() {
    let setup = Setup::new().await;
    let pair = setup.pair_within_one_company().await;
    let checkout = pair.checkout().await;
    let buy = async |key: &str, expected: Value| {
        let mut body = checkout.purchase_body();
        body["expectedTotal"] = expected;
        let path = checkout.purchase_path();
        checkout.seller.api.post_with_key(&path, key, body).await
    };
    for expected in [
        price(2_988),
        json!({"amount": 2_989, "currency": "CHF"}),
        price(0),
    ] {
        let problem = buy("a", expected).await.problem(409, "total_differs");
        assert_eq!(problem["totals"]["total"], price(2_989));
        let position = |number: u8, cents: i64| json!({"position": number, "quantity": 1, "unitPrice": price(cents), "amount": price(cents)});
        assert_eq!(
            problem["totals"]["positions"],
            json!([position(1, 1_990), position(2, 999)])
        );
    }
    pair.assert_nothing_sold().await;
    // A refused purchase stored nothing, so its key is free.
    let order = buy("a", price(2_989)).await.created();
    assert_eq!(buy("a", price(2_989)).await.created(), order);
    buy("a", price(2_988))
        .await
        .problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_target_is_mailed_about_access_and_an_archived_offer() {
    let setup = Setup::new().await;
    let company = setup.company("Medienhaus", Module::On).await;
    let source = setup.client(&company, "Garden Weekly", "en").await;
    let target = setup.client(&company, "Morgenblatt", "en").await;
    let pair = Pair::connect(source, target, None).await;
    let checkout = pair.checkout().await;
    let path = format!("/v1/connections/{}", pair.connection_id);
    for (access, subject) in [
        (false, "switched off the access"),
        (true, "switched on the access"),
    ] {
        let _ = pair
            .source
            .api
            .patch(&path, json!({"offersAccess": access}))
            .await
            .ok();
        let mail = pair.target.mail_about(subject).await;
        assert!(mail.text.contains(id(&checkout.cart)), "{}", mail.text);
    }
    let archive = format!("/v1/offers/{}/archive", id(&checkout.shared_offer));
    let _ = pair.source.api.act(&archive).await.ok();
    let mail = pair.target.mail_about("archived its offer").await;
    assert!(mail.text.contains(id(&checkout.cart)), "{}", mail.text);
}
