//! Erasing a customer: preconditions, deleted data and remaining data.

use serde_json::{Value, json};
use tandem_tests::{Setup, id, verified};

const CREATED: &str = "crossClientOrder.created";

#[tokio::test]
async fn an_erased_customer_leaves_the_sale_and_nothing_of_the_person() {
    let setup = Setup::new().await;
    let receiver = setup.receiver().await;
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let sale = pair.sell().await;
    let (source, target) = (&pair.source, &pair.target);
    let (path, email) = (
        format!("/v1/customers/{}", id(&sale.customer)),
        sale.customer["email"].clone(),
    );
    let _ = source
        .callback_about(sale.shared_subscription_id(), CREATED, "delivered")
        .await;

    let refused = target.api.delete(&path).await;
    let mut running: Vec<String> = refused.fields().into_iter().map(|(id, _)| id).collect();
    running.sort();
    let mut bought = [
        sale.own_subscription_id().to_owned(),
        sale.shared_subscription_id().to_owned(),
    ];
    bought.sort();
    assert_eq!(running, bought, "what runs is named");
    refused.problem(409, "subscriptions_running");

    let _ = target
        .api
        .post(&format!("/v1/orders/{}/refund", sale.order_id()), json!({}))
        .await
        .ok();
    source
        .api
        .delete(&path)
        .await
        .problem(404, "customer_not_found");
    let erased = target.api.delete(&path).await.ok();
    assert_eq!(erased["customerId"], sale.customer["id"]);
    target
        .api
        .delete(&path)
        .await
        .problem(404, "customer_not_found");
    target
        .api
        .get(&path)
        .await
        .problem(404, "customer_not_found");
    target
        .sell(&sale.cart, &sale.customer)
        .await
        .problem(422, "invalid_fields");

    let order = target
        .api
        .get(&format!("/v1/orders/{}", sale.order_id()))
        .await
        .ok();
    assert_eq!(
        (&order["customerId"], &order["total"]),
        (&sale.customer["id"], &sale.order["total"])
    );
    let callback = source
        .callback_about(sale.shared_subscription_id(), CREATED, "delivered")
        .await;
    let customer = json!({
        "id": sale.customer["id"], "email": null, "language": null, "firstName": null, "lastName": null, "erased": true
    });
    assert_eq!(
        (
            &callback["body"]["data"]["customer"],
            &callback["attemptLog"][0]["answer"]
        ),
        (&customer, &Value::Null)
    );

    // A replay sends the sale again, with the same id and without the customer.
    let _ = source
        .api
        .act(&format!("/v1/callbacks/{}/replay", id(&callback)))
        .await
        .accepted();
    let again = setup
        .settle("the replay to arrive", async || {
            let received = receiver.received();
            let same: Vec<_> = received
                .into_iter()
                .filter(|one| one.webhook_id() == id(&callback))
                .collect();
            same.get(1)
                .cloned()
                .ok_or_else(|| format!("{} deliveries", same.len()))
        })
        .await;
    assert_eq!(
        verified(&again, pair.secret())["data"]["customer"],
        customer
    );

    let rows = setup
        .stage()
        .rows_about(&[
            &target.id,
            &source.id,
            &target.company.id,
            &source.company.id,
        ])
        .await;
    let text = format!("{rows:?}");
    assert!(
        !text.contains(email.as_str().expect("an address")),
        "a row names the person"
    );
    let second = target
        .api
        .post("/v1/customers", json!({"email": email, "language": "de"}))
        .await
        .created();
    assert_ne!(second["id"], sale.customer["id"]);
}
