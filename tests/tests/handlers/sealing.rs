//! Sealed values in the table: their size, and the secrets in them.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::{InProcess, Module, Pair, id, mandatory};

use crate::forgetting::{openable, sealed_in};

const UNUSED_URL: &str = "http://127.0.0.1:9/";
/// Rows up to this size cost one write unit.
const UNIT: usize = 1024;

/// The octets of a value, as DynamoDB counts them for its capacity units.
fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number.len().div_ceil(2) + 1,
        AttributeValue::B(octets) => octets.as_ref().len(),
        AttributeValue::M(members) => {
            let members = members.iter();
            3 + members
                .map(|(name, member)| 1 + name.len() + size(member))
                .sum::<usize>()
        }
        AttributeValue::L(items) => 3 + items.iter().map(|item| 1 + size(item)).sum::<usize>(),
        _ => 1,
    }
}

/// The sizes of the only row of a kind: the whole row, and each sealed member.
async fn sizes(stage: &InProcess, kind: &str, names: &str) -> (usize, Vec<usize>) {
    let client = &stage.table.client;
    let scanned = client
        .scan()
        .table_name(&stage.table.table_name)
        .send()
        .await;
    let rows = scanned.expect("a page").items.unwrap_or_default();
    let is_meant = |row: &&std::collections::HashMap<String, AttributeValue>| {
        let all = format!("{row:?}");
        row["sk"] == AttributeValue::S(kind.to_owned()) && all.contains(names)
    };
    let found: Vec<_> = rows.iter().filter(is_meant).collect();
    assert_eq!(found.len(), 1, "{kind}");
    let mut sealed: Vec<_> = found[0]
        .iter()
        .filter(|(name, _)| name.starts_with("sealed"))
        .collect();
    sealed.sort_by_key(|(name, _)| *name);
    let whole = found[0]
        .iter()
        .map(|(name, member)| name.len() + size(member));
    (
        whole.sum(),
        sealed.into_iter().map(|(_, member)| size(member)).collect(),
    )
}

/// Two merchants, whose rows were created on different days, and whose names have 40 characters.
async fn pair_with_long_names(stage: &Arc<InProcess>) -> Pair {
    let setup = stage.setup();
    let source_company = setup.company("Alpine Fachverlage und Medien Holding AG", Module::On);
    let source_company = source_company.await;
    stage.advance(86_411);
    let target_company = setup.company("Norddeutsche Zeitungsgruppe GmbH & Co.KG", Module::On);
    let target_company = target_company.await;
    let source = setup.client(
        &source_company,
        "Bergsteigen & Wandern, die Zeitschrift #",
        "de",
    );
    let source = source.await;
    stage.advance(199_427);
    let target = setup.client(
        &target_company,
        "Kieler Rundschau mit Holsteinischem Boten",
        "de",
    );
    let target = target.await;
    stage.advance(310_003);
    Pair::connect(source, target, Some(UNUSED_URL)).await
}

/// A purchase of an own and a shared offer with names of 40 characters. Returns the customer's id and the order.
async fn purchase_with_long_names(stage: &Arc<InProcess>) -> (String, Value) {
    let pair = pair_with_long_names(stage).await;
    let (source, target) = (&pair.source, &pair.target);
    stage.advance(77_003);
    let own = target.subscription_offer("Kieler Rundschau am Wochenende, gedruckt", 3_490);
    let own = own.await;
    stage.advance(1_000_019);
    let name = "Bergsteigen & Wandern Plus, Jahresausgabe";
    let shared = source.shared_offer(name, 12_990, &[target]).await;
    let cart = target.cart(&[mandatory(&own), mandatory(&shared)]).await;
    stage.advance(500_009);
    let person = json!({
        "email": "maximiliane.von-hohenstein@kuestenpost.de", "language": "de-CH",
        "firstName": "Maximiliane Alexandra Theodora Leopoldin", "lastName": "Freifrau von und zu Guttenberg-Sachsen-X",
        "externalSystemId": "KR-2026-0000000000000000000000000-998877", "phone": "+49 431 0000000 - 4711",
        "address": {
            "street": "Konstantin-von-Tischendorf-Straße 114 b", "additional": "c/o Genossenschaft Kraftwerk, 3. Stock li",
            "postalCode": "24103", "city": "Sankt Margarethen am Nord-Ostsee-Kanal X", "country": "DE",
        },
    });
    let customer = target.api.post("/v1/customers", person).await.created();
    stage.advance(90_017);
    let order = target.sell(&cart, &customer).await.created();
    (id(&customer).to_owned(), order)
}

#[tokio::test]
async fn sealed_texts_leave_their_rows_below_one_write_unit() {
    let stage = InProcess::start().await;
    let (customer, order) = purchase_with_long_names(&stage).await;
    let order = id(&order);
    let (row, sealed) = sizes(&stage, "callback", order).await;
    // sealedBody, sealedPerson
    assert!(sealed[0] <= 265 && sealed[1] <= 170, "{sealed:?}");
    assert!(row < UNIT, "{row}");
    let (row, sealed) = sizes(&stage, "idempotency", order).await;
    assert!(sealed[0] <= 400 && row < UNIT, "{sealed:?} {row}");
    let of_customer = format!("/v1/customers/{customer}");
    let (row, sealed) = sizes(&stage, "idempotency", &of_customer).await;
    assert!(sealed[0] <= 500 && row < UNIT, "{sealed:?} {row}");
}

/// Shows every secret of the API in an answer that is stored, and sends a voucher code.
async fn show_all_secrets(stage: &Arc<InProcess>) -> Vec<String> {
    let setup = stage.setup();
    let pair = setup.pair_between_two_companies(UNUSED_URL).await;
    let source = &pair.source;
    let _ = pair.sell().await;
    let path = format!(
        "/v1/connections/{}/callback/rotate-secret",
        pair.connection_id
    );
    let rotated = source.api.act(&path).await.ok();
    let endpoint = source.api.call(Method::PUT, "/v1/event-endpoint");
    let endpoint = endpoint
        .idempotency_key("k1")
        .json(&json!({"url": UNUSED_URL}));
    let endpoint = endpoint.send().await.created();
    let rotated_endpoint = source
        .api
        .act("/v1/event-endpoint/rotate-secret")
        .await
        .ok();
    let key = setup.api_key(&source.id).await;
    let text = |value: &Value, name: &str| value[name].as_str().expect("a text").to_owned();
    vec![
        pair.secret().to_owned(),
        text(&rotated, "secret"),
        text(&endpoint, "secret"),
        text(&rotated_endpoint, "secret"),
        text(&key, "apiKey"),
        source.newest_voucher_code().await,
    ]
}

#[tokio::test]
async fn each_text_with_a_secret_is_deflated_without_it() {
    let stage = InProcess::start().await;
    let secrets = show_all_secrets(&stage).await;
    let rows = stage.table.dump();
    let opened = openable(&stage, &sealed_in(&rows, &stage.app.sealer), &rows);
    for secret in secrets {
        let contains = |text: &[u8]| {
            text.windows(secret.len())
                .any(|part| part == secret.as_bytes())
        };
        let with_it: Vec<_> = opened
            .iter()
            // A signing secret's own member has nothing else.
            .filter(|opened| opened.plain.len() > secret.len() && contains(&opened.plain))
            .collect();
        assert_eq!(with_it.len(), 1, "{secret}");
        // The second octet is the form. A text whose secret was not named is never deflated.
        assert_ne!(with_it[0].sealed.octets[1], 0, "{secret}");
    }
}
