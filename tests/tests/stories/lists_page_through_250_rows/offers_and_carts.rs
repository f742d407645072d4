//! Offers, shared offers, carts and customers.

use serde_json::{Value, json};
use tandem_tests::{Module, Pair, Setup, id, mandatory, side_by_side};

use super::{all, filtered, same};

#[tokio::test]
async fn lists_of_own_and_shared_offers_have_no_gap_or_repeat() {
    let setup = Setup::new().await;
    let Pair { source, target, .. } = setup.pair_within_one_company().await;
    let second = Pair::connect(
        setup.client(&source.company, "Chess Monthly", "en").await,
        target.clone(),
        None,
    )
    .await
    .source;
    let targets = [&target];
    let made =
        side_by_side((0..275).map(|number| source.shared_offer("Weekly", number, &targets))).await;
    let made_by_second =
        side_by_side((0..10).map(|number| second.shared_offer("Monthly", number, &targets))).await;
    let archive = async |offer: &Value| {
        source
            .api
            .act(&format!("/v1/offers/{}/archive", id(offer)))
            .await
            .ok()
    };
    side_by_side(made.iter().step_by(11).map(archive)).await;

    let whole = all(&source.api, "/v1/offers").await;
    same(&whole, &made);
    for (status, count) in [("active", 250), ("archived", 25)] {
        filtered(
            &source.api,
            &format!("/v1/offers?status={status}"),
            &whole,
            count,
            |offer| offer["status"] == status,
        )
        .await;
    }

    let seen = all(&target.api, "/v1/offers/shared").await;
    let active = whole.iter().filter(|offer| offer["status"] == "active");
    same(&seen, active.chain(&made_by_second));
    for (client, count) in [(&source, 250), (&second, 10), (&target, 0)] {
        let of_client = |offer: &Value| offer["source"]["clientId"] == client.id.as_str();
        filtered(
            &target.api,
            &format!("/v1/offers/shared?sourceClientId={}", client.id),
            &seen,
            count,
            of_client,
        )
        .await;
    }
}

#[tokio::test]
async fn hidden_offers_leave_no_gap_in_the_list_of_shared_offers() {
    let setup = Setup::new().await;
    let Pair { source, target, .. } = setup.pair_within_one_company().await;
    let hiding = Pair::connect(
        setup.client(&source.company, "Chess Monthly", "en").await,
        target.clone(),
        None,
    )
    .await;
    // Alternating, so that each page skips some; and 120 consecutive ones, more than a page.
    let make = |number: i64| {
        if number < 120 || number % 2 == 0 {
            &hiding.source
        } else {
            &source
        }
    };
    let made = side_by_side((0..250).map(async |number| {
        make(number)
            .shared_offer("Weekly", number, &[&target])
            .await
    }))
    .await;
    let path = format!("/v1/connections/{}", hiding.connection_id);
    let _ = hiding
        .source
        .api
        .patch(&path, json!({"offersAccess": false}))
        .await
        .ok();

    let seen = all(&target.api, "/v1/offers/shared").await;
    same(
        &seen,
        made.iter().filter(|offer| {
            offer["price"]["amount"]
                .as_i64()
                .is_some_and(|number| number >= 120 && number % 2 == 1)
        }),
    );
    assert_eq!(seen.len(), 65);
}

#[tokio::test]
async fn carts_and_customers_are_listed_without_gap_or_repeat() {
    let setup = Setup::new().await;
    let company = setup.company("Medienhaus", Module::On).await;
    let client = setup.client(&company, "Morgenblatt", "de").await;
    let offer = client.subscription_offer("Morgenblatt", 1_990).await;
    let cart = [mandatory(&offer)];
    let carts = side_by_side((0..250).map(|_| client.cart(&cart))).await;
    let archive = async |cart: &Value| {
        client
            .api
            .act(&format!("/v1/carts/{}/archive", id(cart)))
            .await
            .ok()
    };
    side_by_side(carts.iter().step_by(10).map(archive)).await;
    let whole = all(&client.api, "/v1/carts").await;
    same(&whole, &carts);
    for (status, count) in [("active", 225), ("archived", 25)] {
        filtered(
            &client.api,
            &format!("/v1/carts?status={status}"),
            &whole,
            count,
            |cart| cart["status"] == status,
        )
        .await;
    }

    let customers = side_by_side((0..250).map(async |number| {
        let body = json!({"email": format!("leser-{number}@example.com"), "language": "de", "externalSystemId": format!("crm/{number}")});
        client.api.post("/v1/customers", body).await.created()
    }))
    .await;
    let neighbour = setup.client(&company, "Abendblatt", "de").await;
    let whole = all(&neighbour.api, "/v1/customers").await;
    same(&whole, &customers);
    filtered(
        &client.api,
        "/v1/customers?email=Leser-7@example.com",
        &whole,
        1,
        |one| one["email"] == "leser-7@example.com",
    )
    .await;
    filtered(
        &client.api,
        "/v1/customers?externalSystemId=crm/249",
        &whole,
        1,
        |one| one["externalSystemId"] == "crm/249",
    )
    .await;
    filtered(
        &client.api,
        "/v1/customers?email=nobody@example.com",
        &whole,
        0,
        |_| false,
    )
    .await;
}
