//! Imports: accepting, running, reading; refusals of externally managed subscriptions.

use serde_json::{Value, json};
use tandem_tests::handlers::{House, Merchant};

/// A client that imports: an externally managed offer and a customer.
pub(crate) struct Importing {
    pub(crate) house: House,
    pub(crate) client: Merchant,
    pub(crate) offer: String,
    pub(crate) customer: String,
}

impl Importing {
    pub(crate) async fn new() -> Self {
        let house = House::new().await;
        let company = house.company(false).await;
        let client = house.merchant(&company, "Abo").await;
        let offer = house
            .offer(&client, json!({"externallyManaged": true}))
            .await;
        let customer = house.customer(&client, "anna@example.com").await;
        Self {
            house,
            client,
            offer,
            customer,
        }
    }

    /// An item with some members changed; `null` as a change is sent as `null`.
    pub(crate) fn item(&self, id: &str, more: Value) -> Value {
        let mut item = json!({
            "externalSystemId": id,
            "offerId": self.offer,
            "invoiceCustomerId": self.customer,
            "quantity": 1,
            "startDate": "2026-11-01T00:00:00Z",
            "paymentMethod": "BILLING",
        });
        if let (Some(item), Value::Object(more)) = (item.as_object_mut(), more) {
            item.extend(more);
        }
        item
    }

    pub(crate) async fn send(&self, items: &[Value]) -> tandem_tests::handlers::Answer {
        self.house
            .call(
                &self.client.who,
                "POST /v1/imports/orders",
                Some(json!({"items": items})),
            )
            .await
    }

    /// Accepts an import later than the previous one; returns the promise's id.
    pub(crate) async fn accept(&self, items: &[Value]) -> String {
        // Imports accepted in the same millisecond are unordered.
        self.house.advance(1);
        let accepted = self.send(items).await.expect(202);
        assert_eq!(accepted["state"], "accepted");
        accepted["promiseId"].as_str().expect("an id").to_owned()
    }

    /// Accepts an import and runs it.
    pub(crate) async fn import(&self, items: &[Value]) -> Value {
        let promise = self.accept(items).await;
        self.house.work().await;
        self.promise(&promise).await
    }

    pub(crate) async fn promise(&self, id: &str) -> Value {
        self.get(&format!("/v1/imports/{id}?limit=100")).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.house
            .call(&self.client.who, &format!("GET {path}"), None)
            .await
            .expect(200)
    }

    /// The one subscription of the customer.
    pub(crate) async fn subscription(&self) -> Value {
        let listed = self.get("/v1/subscriptions").await;
        assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
        listed["items"][0].clone()
    }

    /// Rows by the prefix of their sort key.
    pub(crate) fn rows(&self, sk: &str) -> Vec<Value> {
        let begins = |row: &Value| row["sk"].as_str().is_some_and(|own| own.starts_with(sk));
        self.house.table.dump().into_iter().filter(begins).collect()
    }
}

pub(crate) fn results(promise: &Value) -> Vec<&str> {
    let items = promise["items"].as_array().expect("items");
    items
        .iter()
        .map(|item| item["result"].as_str().expect("a result"))
        .collect()
}

#[tokio::test]
async fn an_item_creates_an_order_and_an_external_subscription() {
    let importing = Importing::new().await;
    let more = json!({
        "quantity": 3,
        "endDate": "2027-11-01T00:00:00Z",
        "orderDate": "2026-10-20T08:00:00Z",
        "deliveryCustomerId": importing.customer,
        "discountPercentage": 12.5,
        "currentPaymentPeriodPaid": true,
    });
    let promise = importing
        .import(&[
            importing.item("A-1", more),
            importing.item("A-2", json!({})),
        ])
        .await;
    assert_eq!(promise["state"], "completed");
    assert_eq!(
        promise["counts"],
        json!({"created": 2, "updated": 0, "unchanged": 0, "superseded": 0, "failed": 0, "pending": 0})
    );
    assert_eq!(results(&promise), ["created", "created"]);
    let item = &promise["items"][0];
    let order = importing
        .get(&format!(
            "/v1/orders/{}",
            item["orderId"].as_str().expect("an id")
        ))
        .await;
    let subscription = importing
        .get(&format!(
            "/v1/subscriptions/{}",
            item["subscriptionId"].as_str().expect("an id")
        ))
        .await;
    for row in [&order, &subscription] {
        assert_eq!(
            (&row["managedBy"], &row["externalSystemId"]),
            (&json!("external"), &json!("A-1"))
        );
        assert_eq!(
            (&row["discountPercentage"], &row["currentPaymentPeriodPaid"]),
            (&json!(12.5), &json!(true))
        );
        assert_eq!(row["customerId"], importing.customer.as_str());
        assert_eq!(
            (&row["orderDate"], &row["deliveryCustomerId"]),
            (&json!("2026-10-20T08:00:00Z"), &json!(importing.customer))
        );
    }
    // 3 x 9.99 less 12.5 % rounded down (3.74).
    assert_eq!(
        (&order["total"]["amount"], &subscription["amount"]["amount"]),
        (&json!(2_623), &json!(2_623))
    );
    assert_eq!(
        (&subscription["status"], &subscription["endsAt"]),
        (&json!("cancelled"), &json!("2027-11-01T00:00:00Z"))
    );
    assert_eq!(
        (&subscription["periodsPaid"], &subscription["startedAt"]),
        (&json!(null), &json!("2026-11-01T00:00:00Z"))
    );
    let with_others = importing
        .get(&format!(
            "/v1/customers/{}/subscriptions",
            importing.customer
        ))
        .await;
    assert_eq!(with_others["items"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_repeated_id_updates_and_equal_values_are_unchanged() {
    let importing = Importing::new().await;
    let _ = importing
        .import(&[importing.item("A-1", json!({"discountPercentage": 10}))])
        .await;
    let steps = [
        (json!({}), "unchanged", json!("active"), "BILLING", 1),
        (
            json!({"endDate": "2027-01-01T00:00:00Z"}),
            "updated",
            json!("cancelled"),
            "BILLING",
            1,
        ),
        (json!({}), "unchanged", json!("cancelled"), "BILLING", 1),
        (
            json!({"paymentMethod": "PAYPAL", "quantity": 2}),
            "updated",
            json!("cancelled"),
            "PAYPAL",
            2,
        ),
        (
            json!({"paymentMethod": "PAYPAL", "quantity": 2, "endDate": null}),
            "updated",
            json!("active"),
            "PAYPAL",
            2,
        ),
        (
            json!({"paymentMethod": "PAYPAL", "quantity": 2, "endDate": null}),
            "unchanged",
            json!("active"),
            "PAYPAL",
            2,
        ),
    ];
    for (number, (more, result, status, method, quantity)) in steps.into_iter().enumerate() {
        let before = importing.subscription().await;
        let promise = importing.import(&[importing.item("A-1", more)]).await;
        assert_eq!(results(&promise), [result], "step {number}");
        let after = importing.subscription().await;
        assert_eq!(
            (
                &after["status"],
                &after["paymentMethod"],
                &after["quantity"]
            ),
            (&status, &json!(method), &json!(quantity))
        );
        assert_eq!(after["discountPercentage"], 10.0, "absent members stay");
        if result == "unchanged" {
            assert_eq!(after, before);
        }
    }
    assert_eq!(importing.rows("order").len(), 1);
}

#[tokio::test]
async fn the_import_accepted_last_wins_in_any_order_of_execution() {
    let importing = Importing::new().await;
    let first = importing
        .accept(&[importing.item("A-1", json!({"quantity": 1}))])
        .await;
    importing.house.advance(1);
    let second = importing
        .accept(&[importing.item("A-1", json!({"quantity": 2}))])
        .await;
    let mut messages = importing.house.import_messages().await;
    messages.sort_by(|a, b| b.pk.cmp(&a.pk));
    for message in &messages {
        assert!(
            importing
                .house
                .import(std::slice::from_ref(message), 1)
                .await
                .is_empty()
        );
    }
    assert_eq!(results(&importing.promise(&second).await), ["created"]);
    let overtaken = importing.promise(&first).await;
    assert_eq!(
        (results(&overtaken), &overtaken["state"]),
        (vec!["superseded"], &json!("completed"))
    );
    assert_eq!(overtaken["items"][0]["supersededBy"], second.as_str());
    assert_eq!(importing.subscription().await["quantity"], 2);
    // An unchanged item still counts as the later import.
    importing.house.advance(1);
    let third = importing
        .accept(&[importing.item("A-1", json!({"quantity": 3}))])
        .await;
    importing.house.advance(1);
    let fourth = importing
        .accept(&[importing.item("A-1", json!({"quantity": 2}))])
        .await;
    let mut messages = importing.house.import_messages().await;
    messages.sort_by(|a, b| b.pk.cmp(&a.pk));
    for message in &messages {
        assert!(
            importing
                .house
                .import(std::slice::from_ref(message), 1)
                .await
                .is_empty()
        );
    }
    assert_eq!(results(&importing.promise(&fourth).await), ["unchanged"]);
    assert_eq!(results(&importing.promise(&third).await), ["superseded"]);
}

#[tokio::test]
async fn an_error_of_substance_fails_that_item_only() {
    let importing = Importing::new().await;
    let (house, client) = (&importing.house, &importing.client);
    let other_company = house.company(false).await;
    let stranger = house.merchant(&other_company, "Fremd").await;
    let foreign_offer = house
        .offer(&stranger, json!({"externallyManaged": true}))
        .await;
    let foreign_customer = house.customer(&stranger, "bob@example.com").await;
    let sold_here = house.offer(client, json!({})).await;
    let single = json!({"name": "Heft", "type": "single", "price": {"amount": 1, "currency": "EUR"}, "externallyManaged": true});
    let single = house
        .call(&client.who, "POST /v1/offers", Some(single))
        .await
        .expect(201)["id"]
        .clone();
    let archived = house
        .offer(client, json!({"externallyManaged": true}))
        .await;
    let _ = importing
        .import(&[importing.item("OLD", json!({"offerId": archived}))])
        .await;
    let _ = house
        .call(
            &client.who,
            &format!("POST /v1/offers/{archived}/archive"),
            None,
        )
        .await
        .expect(200);
    let second_customer = house.customer(client, "carl@example.com").await;
    let items = [
        importing.item("1", json!({"offerId": foreign_offer})),
        importing.item("2", json!({"offerId": sold_here})),
        importing.item("3", json!({"offerId": single})),
        importing.item("4", json!({"offerId": archived})),
        importing.item("5", json!({"invoiceCustomerId": foreign_customer})),
        importing.item("6", json!({"deliveryCustomerId": foreign_customer})),
        importing.item(
            "OLD",
            json!({"offerId": archived, "invoiceCustomerId": second_customer}),
        ),
        importing.item("7", json!({})),
    ];
    let promise = importing.import(&items).await;
    let codes: Vec<&str> = promise["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["error"]["code"].as_str().unwrap_or("-"))
        .collect();
    assert_eq!(
        codes,
        [
            "offer_not_found",
            "offer_not_externally_managed",
            "offer_not_subscription",
            "offer_archived",
            "customer_not_found",
            "delivery_customer_not_found",
            "customer_differs",
            "-",
        ]
    );
    assert_eq!(
        (&promise["state"], &promise["counts"]["failed"]),
        (&json!("completedWithErrors"), &json!(7))
    );
    // Orders of an archived offer can still be updated; an order keeps its offer.
    let items = [
        importing.item("OLD", json!({"offerId": archived, "quantity": 5})),
        importing.item("7", json!({"offerId": archived})),
    ];
    let promise = importing.import(&items).await;
    assert_eq!(results(&promise), ["updated", "failed"]);
    assert_eq!(promise["items"][1]["error"]["code"], "offer_differs");
}

#[tokio::test]
async fn only_imports_change_externally_managed_subscriptions() {
    let importing = Importing::new().await;
    let (house, who) = (&importing.house, &importing.client.who);
    let promise = importing.import(&[importing.item("A-1", json!({}))]).await;
    let id = |name: &str| {
        promise["items"][0][name]
            .as_str()
            .expect("an id")
            .to_owned()
    };
    for verb in ["payments", "cancel"] {
        let target = format!("/v1/subscriptions/{}/{verb}", id("subscriptionId"));
        let refused = house.post(who, &target, "k", json!({})).await;
        assert!(
            refused.body["detail"]
                .as_str()
                .expect("a detail")
                .contains("POST /v1/imports/orders")
        );
        assert_eq!(refused.problem(409), "externally_managed");
    }
    for verb in ["refund", "charge-back"] {
        let refused = house
            .post(
                who,
                &format!("/v1/orders/{}/{verb}", id("orderId")),
                "k",
                json!({}),
            )
            .await;
        assert_eq!(refused.problem(409), "externally_managed");
    }
    let position = json!({"position": 1, "offerId": importing.offer, "mandatory": true});
    let refused = house
        .call(
            who,
            "POST /v1/carts",
            Some(json!({"name": "Korb", "positions": [position]})),
        )
        .await;
    assert_eq!(
        refused.body["errors"][0]["code"],
        "offer_externally_managed"
    );
    assert_eq!(refused.problem(422), "invalid_fields");
}

#[tokio::test]
async fn a_retry_is_a_new_promise_but_does_not_overtake_later_imports() {
    let importing = Importing::new().await;
    let gone = importing.house.offer(&importing.client, json!({})).await;
    let items = [
        importing.item("1", json!({})),
        importing.item("2", json!({"offerId": gone})),
        importing.item("3", json!({"offerId": gone})),
    ];
    let failed = importing.import(&items).await;
    let retry = format!(
        "POST /v1/imports/{}/retry",
        failed["promiseId"].as_str().expect("an id")
    );
    importing.house.advance(1);
    let _ = importing
        .import(&[importing.item("3", json!({"quantity": 9}))])
        .await;
    importing.house.advance(1);
    let again = importing
        .house
        .call(&importing.client.who, &retry, None)
        .await
        .expect(202);
    assert_eq!(
        (&again["retryOf"], &again["itemCount"]),
        (&failed["promiseId"], &json!(2))
    );
    importing.house.work().await;
    let again = importing
        .promise(again["promiseId"].as_str().expect("an id"))
        .await;
    assert_eq!(results(&again), ["failed", "superseded"]);
    let nothing = importing.import(&[importing.item("1", json!({}))]).await;
    let retry = format!(
        "POST /v1/imports/{}/retry",
        nothing["promiseId"].as_str().expect("an id")
    );
    assert_eq!(
        importing
            .house
            .call(&importing.client.who, &retry, None)
            .await
            .problem(409),
        "import_nothing_failed"
    );
    let open = importing.accept(&[importing.item("1", json!({}))]).await;
    let retry = format!("POST /v1/imports/{open}/retry");
    assert_eq!(
        importing
            .house
            .call(&importing.client.who, &retry, None)
            .await
            .problem(409),
        "import_not_done"
    );
}

#[tokio::test]
async fn a_dry_run_reports_the_results_and_writes_nothing() {
    let importing = Importing::new().await;
    let _ = importing
        .import(&[
            importing.item("1", json!({})),
            importing.item("2", json!({})),
        ])
        .await;
    importing.house.advance(1);
    let before = importing.house.table.dump();
    let items = [
        importing.item("1", json!({})),
        importing.item("2", json!({"quantity": 2})),
        importing.item("3", json!({})),
        importing.item(
            "4",
            json!({"offerId": "off_0190b8f5c6f77c3ab0a1c2d3e4f50617"}),
        ),
    ];
    let body = Some(json!({"items": items}));
    let answer = importing
        .house
        .call(
            &importing.client.who,
            "POST /v1/imports/orders?dryRun=true",
            body,
        )
        .await
        .expect(200);
    assert_eq!(
        results(&answer),
        ["unchanged", "updated", "created", "failed"]
    );
    assert_eq!(
        (&answer["dryRun"], &answer["items"][2]["orderId"]),
        (&json!(true), &json!(null))
    );
    assert_eq!(importing.house.table.dump(), before);
}

#[tokio::test]
async fn the_log_is_filtered_newest_first_and_kept_for_90_days() {
    let importing = Importing::new().await;
    let gone = importing.house.offer(&importing.client, json!({})).await;
    let first = importing
        .import(&[
            importing.item("A", json!({})),
            importing.item("B", json!({"offerId": gone})),
        ])
        .await;
    importing.house.advance(3_600);
    let second = importing
        .import(&[
            importing.item("A", json!({"quantity": 2})),
            importing.item("C", json!({})),
        ])
        .await;
    let found = async |query: &str| -> Vec<String> {
        let page = importing
            .get(&format!("/v1/imports/orders/logs?{query}"))
            .await;
        let line = |item: &Value| {
            format!(
                "{} {}",
                item["externalSystemId"].as_str().unwrap_or(""),
                item["result"].as_str().unwrap_or("")
            )
        };
        page["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(line)
            .collect()
    };
    assert_eq!(
        found("").await,
        ["A updated", "C created", "A created", "B failed"]
    );
    assert_eq!(
        found("externalSystemId=A").await,
        ["A updated", "A created"]
    );
    assert_eq!(found(&format!("offerId={gone}")).await, ["B failed"]);
    assert_eq!(found("result=created").await, ["C created", "A created"]);
    assert_eq!(
        found(&format!(
            "promiseId={}",
            first["promiseId"].as_str().expect("an id")
        ))
        .await,
        ["A created", "B failed"]
    );
    assert_eq!(
        found("from=2026-11-21T12:30:00Z").await,
        ["A updated", "C created"]
    );
    assert_eq!(
        found("before=2026-11-21T12:30:00Z&externalSystemId=A").await,
        ["A created"]
    );
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = importing
            .get(&format!("/v1/imports/orders/logs?limit=1{next}"))
            .await;
        seen.extend(
            page["items"]
                .as_array()
                .expect("items")
                .iter()
                .map(|item| item["externalSystemId"].to_string()),
        );
        let Some(cursor) = page["nextCursor"].as_str() else {
            break;
        };
        next = format!("&cursor={cursor}");
    }
    assert_eq!(seen, ["\"A\"", "\"C\"", "\"A\"", "\"B\""]);
    assert_eq!(
        importing.get("/v1/imports").await["items"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    importing.house.advance(90 * 86_400 - 1);
    assert_eq!(found("").await, ["A updated", "C created"]);
    importing.house.advance(3_600);
    assert!(found("").await.is_empty());
    let gone = format!(
        "GET /v1/imports/{}",
        second["promiseId"].as_str().expect("an id")
    );
    assert_eq!(
        importing
            .house
            .call(&importing.client.who, &gone, None)
            .await
            .problem(404),
        "promise_not_found"
    );
}

#[tokio::test]
async fn a_finished_import_sends_an_event_to_the_event_endpoint() {
    use wiremock::matchers::method;
    use wiremock::{Mock, MockServer, ResponseTemplate};
    let (importing, server) = (Importing::new().await, MockServer::start().await);
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    let (house, who) = (&importing.house, &importing.client.who);
    assert_eq!(
        house
            .call(who, "GET /v1/event-endpoint", None)
            .await
            .problem(404),
        "event_endpoint_not_found"
    );
    let set = house
        .call(
            who,
            "PUT /v1/event-endpoint",
            Some(json!({"url": server.uri()})),
        )
        .await
        .expect(201);
    let secret = set["secret"].as_str().expect("a secret").to_owned();
    let items: Vec<Value> = (0..60)
        .map(|number| importing.item(&format!("A-{number}"), json!({})))
        .collect();
    let promise = importing.import(&items).await;
    let received = server.received_requests().await.expect("recorded");
    assert_eq!(received.len(), 1);
    let webhook = standardwebhooks::Webhook::new(&secret).expect("a secret");
    let header = |name: &str| received[0].headers[name].to_str().expect("text");
    let timestamp = header("webhook-timestamp").parse().expect("seconds");
    let signature = webhook
        .sign(header("webhook-id"), timestamp, &received[0].body)
        .expect("signed");
    assert_eq!(header("webhook-signature"), signature);
    let body: Value = serde_json::from_slice(&received[0].body).expect("JSON");
    assert_eq!(
        (&body["type"], &body["data"]["promiseId"]),
        (&json!("import.completed"), &promise["promiseId"])
    );
    assert_eq!(body["data"]["counts"]["created"], 60);
    let log = importing.get("/v1/callbacks?type=import.completed").await;
    assert_eq!(
        (&log["items"][0]["status"], &log["items"][0]["connectionId"]),
        (&json!("delivered"), &json!(null))
    );
    let replay = format!(
        "POST /v1/callbacks/{}/replay",
        log["items"][0]["id"].as_str().expect("an id")
    );
    let _ = house.call(who, &replay, None).await.expect(202);
    house.work().await;
    assert_eq!(server.received_requests().await.expect("recorded").len(), 2);
    let moved = house
        .call(
            who,
            "PUT /v1/event-endpoint",
            Some(json!({"url": format!("{}/new", server.uri())})),
        )
        .await
        .expect(200);
    assert!(moved.get("secret").is_none());
    let rotated = house
        .call(who, "POST /v1/event-endpoint/rotate-secret", None)
        .await
        .expect(200);
    assert_ne!(rotated["secret"], secret.as_str());
    let _ = house
        .call(who, "DELETE /v1/event-endpoint", None)
        .await
        .expect(200);
    let _ = importing.import(&[importing.item("A-1", json!({}))]).await;
    assert_eq!(server.received_requests().await.expect("recorded").len(), 2);
}
