//! Erasing customers: deleted data, remaining data, and refusals.

use serde_json::{Value, json};
use tandem_tests::handlers::{Answer, House, Merchant, Pair};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::import_scene::ImportScene;

/// Text that occurs only in the customer.
const EMAIL: &str = "canary@example.com";

async fn answering(server: &MockServer, status: u16) {
    server.reset().await;
    let answer = ResponseTemplate::new(status).set_body_string(format!("we know {EMAIL}"));
    Mock::given(method("POST"))
        .respond_with(answer)
        .mount(server)
        .await;
}

async fn erase(house: &House, who: &Merchant, customer: &str) -> Answer {
    house
        .call(&who.who, &format!("DELETE /v1/customers/{customer}"), None)
        .await
}

/// A pair whose customer, the canary, bought the cart.
async fn sold(house: &House, url: &str) -> (Pair, Value) {
    let mut pair = house.pair(Some(url)).await;
    pair.customer = house.customer(&pair.target, EMAIL).await;
    let order = house.purchase(&pair, "k1").await.expect(201);
    (pair, order)
}

async fn refund(house: &House, pair: &Pair, order: &Value) {
    let path = format!("/v1/orders/{}/refund", order["id"].as_str().expect("an id"));
    let _ = house
        .post(&pair.target.who, &path, "r1", json!({}))
        .await
        .expect(200);
}

/// The callback of the sale, as the source reads it.
async fn sale_callback(house: &House, pair: &Pair) -> Value {
    let listed = house
        .call(
            &pair.source.who,
            "GET /v1/callbacks?type=crossClientOrder.created",
            None,
        )
        .await
        .expect(200);
    let id = listed["items"][0]["id"].as_str().expect("an id");
    house
        .call(&pair.source.who, &format!("GET /v1/callbacks/{id}"), None)
        .await
        .expect(200)
}

fn ids(values: &Value, member: &str) -> Vec<String> {
    let mut ids: Vec<String> = values
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|value| value[member].as_str())
        .map(str::to_owned)
        .collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn an_erased_customer_is_gone_and_orders_show_only_the_id() {
    let house = House::new().await;
    let (pair, order) = sold(&house, "http://127.0.0.1:9/").await;
    refund(&house, &pair, &order).await;
    let before = house
        .call(
            &pair.target.who,
            &format!("GET /v1/orders/{}", order["id"].as_str().expect("an id")),
            None,
        )
        .await;
    let erased = erase(&house, &pair.target, &pair.customer)
        .await
        .expect(200);
    assert_eq!(
        erased,
        json!({"customerId": pair.customer, "erasedAt": "2026-11-21T12:00:00Z"})
    );
    for path in ["", "/orders", "/subscriptions"] {
        let answer = house
            .call(
                &pair.target.who,
                &format!("GET /v1/customers/{}{path}", pair.customer),
                None,
            )
            .await;
        assert_eq!(answer.problem(404), "customer_not_found", "{path}");
    }
    assert_eq!(
        erase(&house, &pair.target, &pair.customer)
            .await
            .problem(404),
        "customer_not_found"
    );
    let again = house.purchase(&pair, "k2").await;
    assert_eq!(again.body["errors"][0]["field"], "customerId");
    assert_eq!(again.problem(422), "invalid_fields");
    let order = format!("GET /v1/orders/{}", order["id"].as_str().expect("an id"));
    let after = house.call(&pair.target.who, &order, None).await.expect(200);
    assert_eq!(
        (&after, &after["customerId"]),
        (&before.body, &json!(pair.customer))
    );
    let subscriptions = house
        .call(&pair.target.who, "GET /v1/subscriptions", None)
        .await
        .expect(200);
    assert_eq!(
        ids(&subscriptions["items"], "customerId"),
        [pair.customer.clone(), pair.customer.clone()]
    );
    let listed = house
        .call(&pair.target.who, "GET /v1/customers", None)
        .await
        .expect(200);
    assert!(!ids(&listed["items"], "id").contains(&pair.customer));
}

#[tokio::test]
async fn an_erasure_leaves_its_record_and_no_personal_data() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 200).await;
    let (pair, order) = sold(&house, &server.uri()).await;
    house.work().await;
    refund(&house, &pair, &order).await;
    house.work().await;
    let _ = erase(&house, &pair.target, &pair.customer)
        .await
        .expect(200);
    let rows = house.table.dump();
    let record = rows
        .iter()
        .find(|row| row["sk"] == "erasure")
        .expect("a record");
    assert_eq!(
        (&record["askedBy"], &record["customerId"]),
        (&json!(pair.target.id), &json!(pair.customer))
    );
    assert_eq!(record["erasedAt"], "2026-11-21T12:00:00Z");
    let all = json!(rows).to_string();
    assert!(!all.contains("canary"), "{all}");
    let about: Vec<&Value> = rows
        .iter()
        .filter(|row| row["sk"] == "guard" || row["sk"] == "customer")
        .collect();
    assert_eq!(
        ids(&json!(about), "customerId")
            .iter()
            .filter(|id| **id == pair.customer)
            .count(),
        0
    );
}

#[tokio::test]
async fn an_erasure_frees_the_e_mail_address_and_the_external_id() {
    let house = House::new().await;
    let company = house.company(false).await;
    let client = house.merchant(&company, "Abo").await;
    let body = json!({"email": EMAIL, "language": "de", "externalSystemId": "CRM-1"});
    let first = house
        .call(&client.who, "POST /v1/customers", Some(body.clone()))
        .await
        .expect(201);
    let _ = erase(&house, &client, first["id"].as_str().expect("an id"))
        .await
        .expect(200);
    for query in ["email=canary@example.com", "externalSystemId=CRM-1"] {
        let found = house
            .call(&client.who, &format!("GET /v1/customers?{query}"), None)
            .await
            .expect(200);
        assert_eq!(found["items"], json!([]), "{query}");
    }
    let second = house
        .call(&client.who, "POST /v1/customers", Some(body))
        .await
        .expect(201);
    assert_ne!(second["id"], first["id"]);
}

#[tokio::test]
async fn after_an_erasure_logs_and_replays_show_only_the_id() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 200).await;
    let (pair, order) = sold(&house, &server.uri()).await;
    house.work().await;
    let before = sale_callback(&house, &pair).await;
    assert_eq!(before["body"]["data"]["customer"]["email"], EMAIL);
    assert_eq!(
        before["attemptLog"][0]["answer"],
        format!("we know {EMAIL}")
    );
    refund(&house, &pair, &order).await;
    house.work().await;
    let _ = erase(&house, &pair.target, &pair.customer)
        .await
        .expect(200);
    let after = sale_callback(&house, &pair).await;
    let customer = json!({
        "id": pair.customer, "email": null, "language": null, "firstName": null, "lastName": null, "erased": true
    });
    assert_eq!(after["body"]["data"]["customer"], customer);
    assert_eq!(
        after["body"]["data"]["voucherCode"],
        before["body"]["data"]["voucherCode"]
    );
    assert_eq!(
        (
            &after["attemptLog"][0]["statusCode"],
            &after["attemptLog"][0]["answer"]
        ),
        (&json!(200), &Value::Null)
    );
    let replay = format!(
        "POST /v1/callbacks/{}/replay",
        after["id"].as_str().expect("an id")
    );
    let _ = house
        .call(&pair.source.who, &replay, None)
        .await
        .expect(202);
    server.reset().await;
    answering(&server, 200).await;
    house.work().await;
    let received = server.received_requests().await.expect("recorded");
    let sent: Value = serde_json::from_slice(&received[0].body).expect("JSON");
    assert_eq!((&sent["data"]["customer"], received.len()), (&customer, 1));
    assert_eq!(
        received[0].headers["webhook-id"].to_str().ok(),
        after["id"].as_str()
    );
    let kept = house.table.dump();
    assert!(!json!(kept).to_string().contains(EMAIL));
    assert_eq!(
        sale_callback(&house, &pair).await["attemptLog"][0]["answer"],
        Value::Null
    );
}

#[tokio::test]
async fn a_waiting_callback_is_delivered_without_the_person() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 503).await;
    let (pair, order) = sold(&house, &server.uri()).await;
    house.work().await;
    refund(&house, &pair, &order).await;
    let _ = erase(&house, &pair.target, &pair.customer)
        .await
        .expect(200);
    answering(&server, 200).await;
    // The endpoint is paused: one of the two callbacks probes it, the other follows.
    for _ in 0..2 {
        house.advance(3_600);
        house.work().await;
    }
    let received = server.received_requests().await.expect("recorded");
    let bodies: Vec<String> = received
        .iter()
        .map(|sent| String::from_utf8_lossy(&sent.body).into_owned())
        .collect();
    assert_eq!(bodies.len(), 2, "the sale and the refund: {bodies:?}");
    assert!(
        bodies.iter().all(|body| !body.contains(EMAIL)),
        "{bodies:?}"
    );
    assert_eq!(sale_callback(&house, &pair).await["status"], "delivered");
}

#[tokio::test]
async fn held_and_interrupted_callbacks_are_sent_without_the_person() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 410).await;
    let (pair, order) = sold(&house, &server.uri()).await;
    house.work().await;
    let listed = house
        .call(&pair.source.who, "GET /v1/callbacks?status=held", None)
        .await
        .expect(200);
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    refund(&house, &pair, &order).await;
    // The worker dies during the attempt of the refund's callback.
    let path = format!("PATCH /v1/connections/{}", pair.connection);
    let new_url = json!({"callback": {"url": format!("{}/new", server.uri())}});
    let _ = house
        .call(&pair.source.who, &path, Some(new_url))
        .await
        .expect(200);
    let refunded = house
        .call(&pair.source.who, "GET /v1/callbacks?status=pending", None)
        .await
        .expect(200);
    let ids = (
        pair.source.id.parse().expect("an id"),
        refunded["items"][0]["id"]
            .as_str()
            .expect("an id")
            .parse()
            .expect("an id"),
    );
    let key = tandem_store::keys::callback(ids.0, ids.1);
    let callback = house
        .app
        .store
        .get(&key)
        .await
        .expect("read")
        .expect("there");
    let mut lease = tandem_store::Transaction::default();
    lease
        .replace(&callback.begin(house.app.now()).expect("due"))
        .expect("a row");
    house.app.store.commit(lease).await.expect("leased");
    let _ = erase(&house, &pair.target, &pair.customer)
        .await
        .expect(200);
    answering(&server, 200).await;
    let _ = house
        .call(
            &pair.source.who,
            "POST /v1/callbacks/replays",
            Some(json!({})),
        )
        .await
        .expect(202);
    house.advance(61);
    house.work().await;
    let received = server.received_requests().await.expect("recorded");
    let bodies: Vec<String> = received
        .iter()
        .map(|sent| String::from_utf8_lossy(&sent.body).into_owned())
        .collect();
    assert_eq!(
        bodies.len(),
        2,
        "the sale, replayed, and the refund: {bodies:?}"
    );
    assert!(
        bodies.iter().all(|body| !body.contains(EMAIL)),
        "{bodies:?}"
    );
    assert!(!json!(house.table.dump()).to_string().contains("canary"));
    let log = house
        .call(
            &pair.source.who,
            &format!("GET /v1/callbacks/{}", ids.1),
            None,
        )
        .await
        .expect(200)["attemptLog"]
        .clone();
    assert_eq!(log.as_array().map(Vec::len), Some(2), "{log}");
    assert!(
        log[1]["error"]
            .as_str()
            .is_some_and(|error| error.contains("cut off")),
        "{log}"
    );
    assert_eq!(
        (&log[0]["answer"], &log[1]["answer"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn a_running_subscription_prevents_the_erasure_and_is_named() {
    let house = House::new().await;
    let (pair, order) = sold(&house, "http://127.0.0.1:9/").await;
    let refused = erase(&house, &pair.target, &pair.customer).await;
    let running: Vec<String> = ids(&order["positions"], "subscriptionId");
    assert_eq!(ids(&refused.body["errors"], "field"), running);
    assert_eq!(refused.problem(409), "subscriptions_running");
    assert_eq!(
        house
            .call(
                &pair.target.who,
                &format!("GET /v1/customers/{}", pair.customer),
                None
            )
            .await
            .status,
        200
    );
    for id in &running {
        let _ = house
            .call(
                &pair.target.who,
                &format!("POST /v1/subscriptions/{id}/cancel"),
                Some(json!({})),
            )
            .await
            .expect(200);
    }
    assert_eq!(
        erase(&house, &pair.target, &pair.customer)
            .await
            .problem(409),
        "subscriptions_running"
    );
    house.advance(32 * 24 * 3_600);
    let _ = erase(&house, &pair.target, &pair.customer)
        .await
        .expect(200);
}

#[tokio::test]
async fn other_clients_subscriptions_prevent_it_without_being_named() {
    let house = House::new().await;
    let pair = house.pair(None).await;
    let _ = house.purchase(&pair, "k1").await.expect(201);
    let third = house.merchant(&pair.target.company, "Dritter").await;
    let refused = erase(&house, &third, &pair.customer).await;
    assert!(
        refused.body["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("another client")),
        "{}",
        refused.text
    );
    assert!(
        !refused.text.contains("sub_") && !refused.text.contains("cli_"),
        "{}",
        refused.text
    );
    assert_eq!(refused.problem(409), "subscriptions_running");
}

#[tokio::test]
async fn a_client_of_another_company_cannot_find_the_customer() {
    let house = House::new().await;
    let pair = house.pair(Some("http://127.0.0.1:9/")).await;
    assert_eq!(
        erase(&house, &pair.source, &pair.customer)
            .await
            .problem(404),
        "customer_not_found"
    );
    assert_eq!(
        house
            .call(
                &pair.target.who,
                &format!("GET /v1/customers/{}", pair.customer),
                None
            )
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn no_voucher_is_redeemed_for_an_erased_customer() {
    let house = House::new().await;
    let (pair, _) = sold(&house, "http://127.0.0.1:9/").await;
    let code = sale_callback(&house, &pair).await["body"]["data"]["voucherCode"].clone();
    let own = house.customer(&pair.source, "own@example.com").await;
    let _ = erase(&house, &pair.source, &own).await.expect(200);
    let body = json!({"customerId": own, "voucherCode": code});
    let refused = house
        .call(
            &pair.source.who,
            "POST /v1/subscriptions/useCrossClientVoucher",
            Some(body),
        )
        .await;
    assert_eq!(refused.body["errors"][0]["field"], "customerId");
    assert_eq!(refused.problem(422), "invalid_fields");
}

#[tokio::test]
async fn imports_fail_for_the_erased_and_running_imports_prevent_it() {
    let scene = ImportScene::new().await;
    let path = format!("/v1/customers/{}", scene.importing.customer_id);
    let ended = json!({"endDate": "2026-11-02T00:00:00Z"});
    let _ = scene.import(&[scene.item("A-1", json!({}))]).await;
    let refused = scene.client().api.delete(&path).await;
    let _ = refused.problem(409, "subscriptions_running");
    let _ = scene.import(&[scene.item("A-1", ended.clone())]).await;
    let _ = scene.client().api.delete(&path).await.ok();
    let promise = scene.import(&[scene.item("A-2", ended)]).await;
    let item = &promise["items"][0];
    assert_eq!(
        (
            &item["result"],
            item.to_string().contains("customer_not_found")
        ),
        (&json!("failed"), true),
        "{item}"
    );
}

#[tokio::test]
async fn a_stored_answer_about_an_erased_customer_is_not_repeated() {
    let house = House::new().await;
    let company = house.company(false).await;
    let client = house.merchant(&company, "Abo").await;
    let body = json!({"email": EMAIL, "language": "de"});
    let first = house
        .post(&client.who, "/v1/customers", "c1", body.clone())
        .await
        .expect(201);
    assert_eq!(
        house
            .post(&client.who, "/v1/customers", "c1", body.clone())
            .await
            .expect(201),
        first
    );
    let path = format!(
        "DELETE /v1/customers/{}",
        first["id"].as_str().expect("an id")
    );
    let erased = house
        .call_with(&client.who, &path, None, &[("idempotency-key", "d1")])
        .await
        .expect(200);
    assert_eq!(
        house
            .post(&client.who, "/v1/customers", "c1", body)
            .await
            .problem(404),
        "customer_not_found"
    );
    let repeated = house
        .call_with(&client.who, &path, None, &[("idempotency-key", "d1")])
        .await;
    assert_eq!((repeated.replayed, repeated.expect(200)), (true, erased));
}

#[tokio::test]
async fn an_erasure_writes_four_rows_regardless_of_purchases() {
    let house = House::new().await;
    let (pair, order) = sold(&house, "http://127.0.0.1:9/").await;
    refund(&house, &pair, &order).await;
    house.table.reset_calls();
    let before = house.table.dump().len();
    let _ = erase(&house, &pair.target, &pair.customer)
        .await
        .expect(200);
    let calls = house.table.calls();
    assert_eq!(
        calls
            .iter()
            .filter(|call| *call == "TransactWriteItems")
            .count(),
        1,
        "{calls:?}"
    );
    assert_eq!(
        house.table.dump().len(),
        before - 2 + 1,
        "the customer and a guard go, the record comes"
    );
}

#[tokio::test]
async fn an_edit_that_overtakes_an_erasure_leaves_no_guard() {
    let house = House::new().await;
    let company = house.company(false).await;
    let client = house.merchant(&company, "Abo").await;
    let customer = house.customer(&client, EMAIL).await;
    let path = format!("PATCH /v1/customers/{customer}");
    let edits = (0..4).map(|n| {
        house.call(
            &client.who,
            &path,
            Some(json!({"externalSystemId": format!("CRM-{n}")})),
        )
    });
    let (erased, edits) = futures::join!(
        erase(&house, &client, &customer),
        futures::future::join_all(edits)
    );
    assert!(
        edits
            .iter()
            .all(|edit| matches!(edit.status, 200 | 404 | 503)),
        "{edits:?}"
    );
    assert!(matches!(erased.status, 200 | 503), "{}", erased.text);
    if erased.status == 503 {
        let _ = erase(&house, &client, &customer).await.expect(200);
    }
    let left: Vec<Value> = house
        .table
        .dump()
        .into_iter()
        .filter(|row| row["sk"] == "guard")
        .collect();
    assert_eq!(left, Vec::<Value>::new());
}
