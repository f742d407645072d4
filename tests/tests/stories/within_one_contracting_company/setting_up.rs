//! The operator's company, its clients and their keys.

use serde_json::Value;
use tandem_tests::{Module, Setup, id};

#[tokio::test]
async fn the_operator_creates_a_company_its_clients_and_their_keys() {
    let setup = Setup::new().await;
    let company = setup.company("Medienhaus", Module::On).await;
    let (first, second) = (
        setup.client(&company, "Garden Weekly", "en").await,
        setup.client(&company, "Morgenblatt", "de").await,
    );

    let read = setup
        .operator
        .get(&format!("/v1/contracting-companies/{}", company.id))
        .await
        .ok();
    assert_eq!(read["name"], "Medienhaus");
    assert_eq!(read["modules"]["crossClientConnections"], true);

    let clients = setup
        .operator
        .all(&format!("/v1/clients?contractingCompanyId={}", company.id))
        .await;
    assert_eq!(
        clients.iter().map(id).collect::<Vec<_>>(),
        [second.id.as_str(), first.id.as_str()],
        "newest first"
    );
    assert_eq!(
        [&clients[0]["language"], &clients[1]["language"]],
        ["de", "en"]
    );

    for client in [&first, &second] {
        let keys = setup
            .operator
            .all(&format!("/v1/clients/{}/api-keys", client.id))
            .await;
        assert_eq!(keys.len(), 1);
        assert_eq!(keys[0]["keyId"], client.key_id.as_str());
        assert_eq!(keys[0]["status"], "active");
        assert_eq!(keys[0].get("apiKey"), None, "the secret is shown once");
        assert_eq!(
            client.api.all("/v1/connections").await,
            Vec::<Value>::new(),
            "the key works"
        );
    }
}

#[tokio::test]
async fn every_call_needs_a_key_and_operator_routes_the_operators() {
    let setup = Setup::new().await;
    let company = setup.company("Medienhaus", Module::On).await;
    let client = setup.client(&company, "Garden Weekly", "en").await;
    assert_eq!(
        setup
            .caller_without_key()
            .get("/v1/connections")
            .await
            .status,
        401
    );
    assert_eq!(
        setup
            .caller("tdm_nobody_knows")
            .get("/v1/connections")
            .await
            .status,
        403
    );
    client
        .api
        .get("/v1/contracting-companies")
        .await
        .problem(403, "forbidden");
    setup
        .operator
        .get("/v1/connections")
        .await
        .problem(403, "forbidden");
}
