//! Deleted data, and remaining data.

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::{InProcess, id};

use super::{EMAIL, Sold, client, erase, path, texts};

#[tokio::test]
async fn an_erased_customer_is_gone_and_orders_show_only_the_id() {
    let sold = Sold::new(200).await;
    let (api, customer_id) = (&sold.pair.target.api, sold.customer_id());
    sold.refund().await;
    let order = format!("/v1/orders/{}", id(&sold.order));
    let before = api.get(&order).await.ok();
    assert_eq!(
        sold.erase().await.ok(),
        json!({"customerId": customer_id, "erasedAt": "2026-11-21T12:00:00Z"})
    );
    for list in ["", "/orders", "/subscriptions"] {
        let answer = api.get(&format!("{}{list}", path(&sold.customer))).await;
        let _ = answer.problem(404, "customer_not_found");
    }
    let _ = sold.erase().await.problem(404, "customer_not_found");
    let again = sold.pair.target.sell(&sold.cart, &sold.customer).await;
    assert_eq!(again.body["errors"][0]["field"], "customerId");
    let _ = again.problem(422, "invalid_fields");
    let after = api.get(&order).await.ok();
    assert_eq!(
        (&after, &after["customerId"]),
        (&before, &json!(customer_id))
    );
    let subscriptions = api.all("/v1/subscriptions").await;
    assert_eq!(
        texts(&subscriptions, "customerId"),
        [customer_id, customer_id]
    );
    let customers = api.all("/v1/customers").await;
    assert_eq!(customers.len(), 1, "the customer of the checkout");
    assert_ne!(id(&customers[0]), customer_id);
}

#[tokio::test]
async fn an_erasure_leaves_its_record_and_no_personal_data() {
    let sold = Sold::new(200).await;
    sold.stage.work().await;
    sold.refund().await;
    sold.stage.work().await;
    let _ = sold.erase().await.ok();
    let records = sold.stage.rows_of("erasure");
    assert_eq!(records.len(), 1);
    let record = &records[0];
    assert_eq!(record["askedBy"], sold.pair.target.id);
    assert_eq!(record["customerId"], sold.customer["id"]);
    assert_eq!(record["erasedAt"], "2026-11-21T12:00:00Z");
    let stored = sold.stored();
    assert!(!stored.contains("wagtail"), "{stored}");
    let guards_and_customers = [sold.stage.rows_of("guard"), sold.stage.rows_of("customer")];
    let left = texts(&guards_and_customers.concat(), "customerId");
    assert!(!left.iter().any(|left| left == sold.customer_id()));
}

#[tokio::test]
async fn an_erasure_frees_the_e_mail_address_and_the_external_id() {
    let stage = InProcess::start().await;
    let client = client(&stage).await;
    let body = json!({"email": EMAIL, "language": "de", "externalSystemId": "CRM-1"});
    let first = client.api.post("/v1/customers", body.clone()).await;
    let first = first.created();
    let _ = erase(&client, &first).await.ok();
    for query in ["email=wagtail@example.com", "externalSystemId=CRM-1"] {
        let path = format!("/v1/customers?{query}");
        let found = client.api.all(&path).await;
        assert_eq!(found, Vec::<Value>::new(), "{query}");
    }
    let second = client.api.post("/v1/customers", body).await.created();
    assert_ne!(second["id"], first["id"]);
}

#[tokio::test]
async fn a_stored_answer_about_an_erased_customer_is_not_repeated() {
    let stage = InProcess::start().await;
    let api = client(&stage).await.api;
    let body = json!({"email": EMAIL, "language": "de"});
    let create = async || api.post_with_key("/v1/customers", "c1", body.clone()).await;
    let first = create().await.created();
    assert_eq!(create().await.created(), first);
    let erase = async || {
        let call = api.call(Method::DELETE, &path(&first));
        call.idempotency_key("d1").send().await
    };
    let erased = erase().await.ok();
    let _ = create().await.problem(404, "customer_not_found");
    let repeated = erase().await;
    assert!(repeated.is_repeated());
    assert_eq!(repeated.ok(), erased);
}

#[tokio::test]
async fn an_erasure_writes_four_rows_regardless_of_purchases() {
    let sold = Sold::new(200).await;
    sold.refund().await;
    sold.stage.table.reset_calls();
    let before = sold.stage.table.dump().len();
    let _ = sold.erase().await.ok();
    let calls = sold.stage.table.calls();
    let transactions = calls.iter().filter(|call| *call == "TransactWriteItems");
    assert_eq!(transactions.count(), 1, "{calls:?}");
    assert_eq!(
        sold.stage.table.dump().len(),
        before - 2 + 1,
        "the customer and a guard go, the record comes"
    );
}

#[tokio::test]
async fn an_edit_that_overtakes_an_erasure_leaves_no_guard() {
    let stage = InProcess::start().await;
    let client = client(&stage).await;
    let customer = client.customer_with_email(EMAIL).await;
    let path = path(&customer);
    let edit = |number: usize| {
        let body = json!({"externalSystemId": format!("CRM-{number}")});
        client.api.patch(&path, body)
    };
    let (erased, edits) = futures::join!(
        erase(&client, &customer),
        futures::future::join_all((0..4).map(edit))
    );
    for edit in edits {
        assert!(matches!(edit.status, 200 | 404 | 503), "{edit}");
    }
    assert!(matches!(erased.status, 200 | 503), "{erased}");
    if erased.status == 503 {
        let _ = erase(&client, &customer).await.ok();
    }
    assert_eq!(stage.rows_of("guard"), Vec::<Value>::new());
}
