//! The write units and the stored octets of a purchase whose names and addresses are as long as real ones.

use std::sync::Arc;

use serde_json::{Value, json};
use tandem_testing::RowSize;
use tandem_tests::{Checkout, InProcess, Module, Pair, mandatory};
use uuid::Uuid;

/// A write unit is 1,024 octets of a row.
const UNIT: usize = 1_024;
/// DynamoDB stores these octets with each row and each index entry.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
const OVERHEAD: usize = 100;

/// Names of 40 characters, a full address, and a cart of an own and a cross-client position between two companies.
async fn real_checkout(stage: &Arc<InProcess>) -> (Pair, Checkout) {
    let setup = stage.setup();
    let name = |text: &str| format!("{text:-<40}");
    let (source_name, target_name) = (name("Gartenwoche"), name("Stadtblick"));
    let source_company = setup.company(&name("Gartenpresse GmbH"), Module::On).await;
    let target_company = setup.company(&name("Stadtblick KG"), Module::On).await;
    let source = setup.client(&source_company, &source_name, "en").await;
    let target = setup.client(&target_company, &target_name, "de").await;
    let url = "https://callbacks.gartenpresse.example.com/tandem/v1/";
    let pair = Pair::connect(source, target, Some(url)).await;
    let (own_name, shared_name) = (name("Stadtblick Digital"), name("Gartenwoche Print"));
    let own_offer = pair.target.subscription_offer(&own_name, 1_990).await;
    let shared_offer = pair
        .source
        .shared_offer(&shared_name, 999, &[&pair.target])
        .await;
    let positions = [mandatory(&own_offer), mandatory(&shared_offer)];
    let checkout = Checkout {
        cart: pair.target.cart(&positions).await,
        customer: real_customer(&pair).await,
        seller: pair.target.clone(),
        own_offer,
        shared_offer,
    };
    (pair, checkout)
}

async fn real_customer(pair: &Pair) -> Value {
    let body = json!({
        "email": format!("{}@posteingang.example.com", Uuid::now_v7().simple()),
        "language": "de",
        "externalSystemId": format!("crm-{}", Uuid::now_v7()),
        "firstName": "Maximiliane-Charlotte Friederike Elisabe",
        "lastName": "von Hohenstein-Wittelsbach zu Lindenberg",
        "phone": "+49 30 901820-4711",
        "address": {
            "street": "Straße des Siebzehnten Juni 135a", "postalCode": "10623", "city": "Berlin",
            "country": "DE",
        },
    });
    pair.target.api.post("/v1/customers", body).await.created()
}

/// The rows that a call writes.
async fn new_rows<T>(stage: &InProcess, call: impl Future<Output = T>) -> (T, Vec<RowSize>) {
    let before = stage.table.sizes();
    let answer = call.await;
    let mut after = stage.table.sizes();
    after.retain(|row| !before.iter().any(|old| old.key == row.key));
    (answer, after)
}

#[tokio::test]
async fn a_purchase_of_real_names_uses_26_write_units() {
    let stage = InProcess::start().await;
    let (_, checkout) = real_checkout(&stage).await;
    stage.table.reset_calls();
    let (answer, rows) = new_rows(&stage, checkout.purchase("k1")).await;
    let _ = answer.created();
    let calls = ["BatchGetItem", "BatchGetItem", "TransactWriteItems"];
    assert_eq!(stage.table.calls(), calls);
    assert!(rows.iter().all(|row| row.octets <= UNIT), "{rows:#?}");
    assert_eq!(stage.table.capacity().write, 26.0, "{rows:#?}");
}

#[tokio::test]
async fn a_purchase_of_real_names_leaves_8_kilobytes_for_good() {
    let stage = InProcess::start().await;
    let (pair, checkout) = real_checkout(&stage).await;
    let (_, rows) = new_rows(&stage, async {
        let _ = checkout.purchase("k1").await.created();
        let code = pair.source.newest_voucher_code().await;
        let customer = pair.source.customer().await;
        let _ = pair.source.redeem(&code, &customer).await.ok();
    })
    .await;
    // A delivered callback and the records of keys expire; the customer of the source is no part of the sale.
    let kinds = ["order", "subscription", "payout"];
    let kept = rows.iter().filter(|row| kinds.contains(&row.kind()));
    let entries = |row: &RowSize| {
        row.octets
            + OVERHEAD
            + row
                .indexes
                .iter()
                .map(|entry| entry + OVERHEAD)
                .sum::<usize>()
    };
    let octets: usize = kept.map(entries).sum();
    assert!(octets <= 8 * UNIT, "{octets}: {rows:#?}");
}
