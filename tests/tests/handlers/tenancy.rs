//! Routes for certain callers only. `absence.rs` covers foreign data.

use tandem_tests::{InProcess, Module};

#[tokio::test]
async fn operators_and_clients_have_their_own_routes() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let company = setup.company("Medienhaus", Module::On).await;
    let client = setup.client(&company, "Morgenblatt", "de").await;
    let refused = client.api.get("/v1/clients").await;
    let _ = refused.problem(403, "forbidden");
    let refused = setup.operator.get("/v1/offers").await;
    let _ = refused.problem(403, "forbidden");
}

#[tokio::test]
async fn the_source_reads_its_sold_subscription_but_cannot_change_it() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let sale = pair.sell().await;
    let path = format!("/v1/subscriptions/{}", sale.shared_subscription_id());
    let seen = pair.source.api.get(&path).await.ok();
    assert_eq!(
        (seen["role"].as_str(), seen["status"].as_str()),
        (Some("source"), Some("active"))
    );
    for verb in ["payments", "cancel"] {
        let refused = pair.source.api.act(&format!("{path}/{verb}")).await;
        let _ = refused.problem(403, "subscription_read_only");
    }
}
