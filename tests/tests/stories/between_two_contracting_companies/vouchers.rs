//! The source redeems the voucher of a sale.

use serde_json::{Value, json};
use tandem_tests::{Client, Module, Setup, id, verified};

use super::{code, sold};

#[tokio::test]
async fn the_source_claims_the_subscription_for_a_customer_of_its_own() {
    let setup = Setup::new().await;
    let (_receiver, pair, sale, received) = sold(&setup).await;
    let (source, target) = (&pair.source, &pair.target);
    let path = format!("/v1/subscriptions/{}", sale.shared_subscription_id());
    let pending = source.api.get(&path).await.ok();
    assert_eq!(
        (&pending["status"], &pending["customerId"]),
        (&json!("pending"), &Value::Null)
    );
    assert_eq!(
        target.api.get(&path).await.ok()["status"],
        "active",
        "the buyer has its order"
    );

    // The source knows the customer only from the callback and creates its own customer.
    source
        .api
        .get(&format!("/v1/customers/{}", id(&sale.customer)))
        .await
        .problem(404, "customer_not_found");
    let callback = verified(&received, pair.secret());
    let customer_data = &callback["data"]["customer"];
    let body = json!({"email": customer_data["email"], "language": customer_data["language"], "firstName": customer_data["firstName"], "lastName": customer_data["lastName"], "externalSystemId": customer_data["id"]});
    let customer = source.api.post("/v1/customers", body).await.created();
    assert_ne!(customer["id"], sale.customer["id"]);
    let linked = source.redeem(code(&callback), &customer).await.ok();
    assert_eq!(
        (id(&linked), &linked["status"]),
        (sale.shared_subscription_id(), &json!("active"))
    );
    assert_eq!(linked["customerId"], customer["id"]);

    assert_eq!(source.api.get(&path).await.ok(), linked);
    let path_of_customer = format!("/v1/customers/{}", id(&customer));
    assert_eq!(source.api.get(&path_of_customer).await.ok(), customer);
    assert_eq!(
        source
            .api
            .all(&format!("{path_of_customer}/subscriptions"))
            .await,
        [linked]
    );
    target
        .api
        .get(&path_of_customer)
        .await
        .problem(404, "customer_not_found");
    let sellers_row = target.api.get(&path).await.ok();
    assert_eq!(
        sellers_row["customerId"], sale.customer["id"],
        "the seller's customer stays the seller's"
    );

    let rows = [
        source.api.all("/v1/payouts").await,
        target.api.all("/v1/payouts").await,
    ];
    assert_eq!(rows.each_ref().map(Vec::len), [1, 1]);
    assert_eq!(rows[0][0]["id"], rows[1][0]["id"], "one row, seen by both");
    assert_eq!(rows[0][0]["due"], json!({"amount": 799, "currency": "EUR"}));
}

#[tokio::test]
async fn a_voucher_belongs_to_the_first_customer_who_redeems_it() {
    let setup = Setup::new().await;
    let (_receiver, pair, sale, received) = sold(&setup).await;
    let callback = verified(&received, pair.secret());
    let (first, other) = (pair.source.customer().await, pair.source.customer().await);

    let linked = pair.source.redeem(code(&callback), &first).await.ok();
    assert_eq!(
        pair.source.redeem(code(&callback), &first).await.ok(),
        linked,
        "the same customer again: the same answer"
    );
    let typed = code(&callback).to_lowercase().replace('-', " ");
    assert_eq!(
        pair.source.redeem(&typed, &first).await.ok(),
        linked,
        "as a person types it"
    );
    pair.source
        .redeem(code(&callback), &other)
        .await
        .problem(409, "voucher_redeemed");

    let row = pair
        .source
        .api
        .get(&format!(
            "/v1/subscriptions/{}",
            sale.shared_subscription_id()
        ))
        .await
        .ok();
    assert_eq!(row, linked, "nothing changed after the first time");
    assert_eq!(
        pair.source
            .api
            .all(&format!("/v1/customers/{}/subscriptions", id(&other)))
            .await,
        Vec::<Value>::new()
    );
}

#[tokio::test]
async fn foreign_and_unknown_voucher_codes_get_the_same_answer() {
    let setup = Setup::new().await;
    let (_receiver, pair, sale, received) = sold(&setup).await;
    let callback = verified(&received, pair.secret());
    // The seller, a client of the source's own company, and a stranger: only the source may use the code.
    let sibling = setup
        .client(&pair.source.company, "Garden Monthly", "en")
        .await;
    let stranger_company = setup.company("Elsewhere", Module::On).await;
    let stranger = setup.client(&stranger_company, "Elsewhere", "en").await;
    let unknown = refusal(&pair.source, "00000-00000-00000-00000").await;
    for client in [&pair.target, &sibling, &stranger] {
        assert_eq!(refusal(client, code(&callback)).await, unknown);
    }
    let row = pair
        .source
        .api
        .get(&format!(
            "/v1/subscriptions/{}",
            sale.shared_subscription_id()
        ))
        .await
        .ok();
    assert_eq!(row["status"], "pending", "nobody took it");

    // Another company's customer does not exist for the source.
    let refused = pair.source.redeem(code(&callback), &sale.customer).await;
    assert_eq!(
        refused.fields(),
        [("customerId".to_owned(), "not_found".to_owned())]
    );
    refused.problem(422, "invalid_fields");
    let customer = pair.source.customer().await;
    assert_eq!(
        pair.source.redeem(code(&callback), &customer).await.ok()["status"],
        "active"
    );
}

/// The refusal of an unknown code, without the request's id, which always differs.
async fn refusal(client: &Client, code: &str) -> Value {
    let customer = client.customer().await;
    let mut body = client
        .redeem(code, &customer)
        .await
        .problem(404, "voucher_not_found");
    let request_id = body
        .as_object_mut()
        .and_then(|body| body.remove("requestId"));
    assert!(request_id.is_some(), "{body}");
    body
}
