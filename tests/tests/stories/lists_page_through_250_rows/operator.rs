//! The operator's lists.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tandem_tests::{Module, Setup, side_by_side};

use super::{ids, walk};

#[tokio::test]
async fn contracting_companies_are_listed_without_gap_or_repeat() {
    let setup = Setup::new().await;
    let made =
        side_by_side((0..250).map(async |_| setup.company("Verlag", Module::Off).await.id)).await;
    // Other stories create companies meanwhile; newer ones precede the first page.
    let listed = walk(&setup.operator, "/v1/contracting-companies", 100).await;
    let listed = ids(&listed);
    assert!(
        listed.windows(2).all(|two| two[0] > two[1]),
        "a repeat, or out of order: {listed:?}"
    );
    let missing: Vec<&String> = made
        .iter()
        .filter(|company| !listed.contains(&company.as_str()))
        .collect();
    assert_eq!(missing, Vec::<&String>::new());
}

#[tokio::test]
async fn api_keys_of_a_client_are_listed_without_gap_or_repeat() {
    let setup = Setup::new().await;
    let company = setup.company("Verlag", Module::Off).await;
    let client = setup.client(&company, "Morgenblatt", "de").await;
    let path = format!("/v1/clients/{}/api-keys", client.id);
    let make = async |number: u32| {
        setup
            .operator
            .post(&path, json!({"name": format!("Kasse {number}")}))
            .await
            .created()
    };
    let made = side_by_side((0..249).map(make)).await;
    let expected: BTreeSet<&str> = made
        .iter()
        .filter_map(|key| key["keyId"].as_str())
        .chain([client.key_id.as_str()])
        .collect();
    for limit in super::LIMITS {
        let listed = walk(&setup.operator, &path, limit).await;
        let times: Vec<&Value> = listed.iter().map(|key| &key["createdAt"]).collect();
        let found: BTreeSet<&str> = listed
            .iter()
            .filter_map(|key| key["keyId"].as_str())
            .collect();
        assert_eq!((listed.len(), found), (250, expected.clone()));
        let sorted = times.windows(2).all(|two| time(two[0]) >= time(two[1]));
        assert!(sorted, "not newest first: {times:?}");
        assert!(
            listed.iter().all(|key| key.get("apiKey").is_none()),
            "a key is shown once"
        );
    }
}

fn time(value: &Value) -> jiff::Timestamp {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("no time: {value}"))
}
