//! Each text field gets a canary, a unique text. Afterwards `make test` searches the logs of all functions for canaries and all
//! other request texts, and fails if no story filled a field.

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::{Client, Pair, Reply, Setup, id, mandatory};
use uuid::Uuid;

/// A name, a street or any other text.
fn canary(of: &str) -> String {
    format!("Kanarienvogel {of} {}", Uuid::now_v7().simple())
}

fn address_of_a_person() -> Value {
    json!({
        "street": canary("Gasse"), "additional": canary("Hinterhaus"), "postalCode": &canary("")[14..34], "city": canary("Stadt"),
        "country": "CH",
    })
}

fn person() -> Value {
    json!({
        "email": format!("kanarienvogel-{}@example.com", Uuid::now_v7()),
        "language": "de-CH",
        "externalSystemId": canary("Kunde"),
        "firstName": canary("Vorname"),
        "lastName": canary("Nachname"),
        "phone": &canary("Telefon")[..40],
        "address": address_of_a_person(),
        "metadata": {"Notiz": canary("Kundennotiz")},
    })
}

/// A customer with every field set, edited once, and found by every search.
async fn customer(of: &Client) -> Value {
    let call = of
        .api
        .call(Method::POST, "/v1/customers")
        .idempotency_key(&canary("Vorgang"));
    let customer = call.json(&person()).send().await.created();
    for list in ["/v1/customers", "/v1/imports/orders/logs"] {
        let _ = of
            .api
            .get(&format!("{list}?externalSystemId={}", canary("Kunde")))
            .await
            .ok();
    }
    let _ = of
        .api
        .get(&format!(
            "/v1/customers?email=kanarienvogel-{}@example.com",
            Uuid::now_v7()
        ))
        .await
        .ok();
    of.api
        .patch(&format!("/v1/customers/{}", id(&customer)), person())
        .await
        .ok()
}

async fn describe(client: &Client, list: &str, thing: &Value) {
    let body = json!({"name": canary("Name"), "description": canary("Beschreibung")});
    let _ = client
        .api
        .patch(&format!("{list}/{}", id(thing)), body)
        .await
        .ok();
}

/// Offers and a cart with canaries as texts.
async fn catalog(pair: &Pair) -> Value {
    let offer = |targets: &[&str]| {
        let mut body = json!({
            "name": canary("Angebot"), "description": canary("Beschreibung"), "type": "subscription", "renews": true,
            "period": {"unit": "month", "count": 1}, "price": {"amount": 999, "currency": "EUR"},
        });
        if !targets.is_empty() {
            body["crossClient"] =
                json!({"targetClientIds": targets, "sellerShareBasisPoints": 2_000});
        }
        body
    };
    let own = pair
        .target
        .api
        .post("/v1/offers", offer(&[]))
        .await
        .created();
    let shared = pair
        .source
        .api
        .post("/v1/offers", offer(&[&pair.target.id]))
        .await
        .created();
    describe(&pair.target, "/v1/offers", &own).await;
    let more = json!({
        "price": {"amount": 1_099, "currency": "EUR"},
        "crossClient": {"targetClientIds": [pair.target.id], "sellerShareBasisPoints": 2_500},
    });
    let _ = pair
        .source
        .api
        .patch(&format!("/v1/offers/{}", id(&shared)), more)
        .await
        .ok();
    let mut positions = [mandatory(&own), mandatory(&shared)];
    for (number, position) in (1..).zip(&mut positions) {
        position["position"] = json!(number);
    }
    let body = json!({"name": canary("Warenkorb"), "description": canary("Beschreibung"), "positions": positions});
    let cart = pair.target.api.post("/v1/carts", body).await.created();
    describe(&pair.target, "/v1/carts", &cart).await;
    let again = json!({"positions": positions});
    pair.target
        .api
        .patch(&format!("/v1/carts/{}", id(&cart)), again)
        .await
        .ok()
}

/// Imported orders: one valid, one with an unknown customer.
async fn import(client: &Client) {
    let offer = json!({
        "name": canary("Angebot"), "type": "subscription", "renews": true, "externallyManaged": true,
        "period": {"unit": "month", "count": 1}, "price": {"amount": 999, "currency": "EUR"},
    });
    let offer = client.api.post("/v1/offers", offer).await.created();
    let (payer, reader) = (customer(client).await, customer(client).await);
    let item = |reader: &str| {
        json!({
            "externalSystemId": canary("Auftrag"), "offerId": id(&offer), "invoiceCustomerId": id(&payer),
            "deliveryCustomerId": reader, "quantity": 1, "startDate": "2026-01-01T00:00:00Z", "paymentMethod": "BILLING",
        })
    };
    let items = json!({"items": [item(id(&reader)), item("cus_019f1d038dc070008000000000000009")]});
    let accepted = client
        .api
        .post("/v1/imports/orders", items)
        .await
        .accepted();
    let path = format!(
        "/v1/imports/{}",
        accepted["promiseId"].as_str().expect("an id")
    );
    client
        .api
        .settle("the import to be done", async || {
            let promise = client.api.get(&path).await.ok();
            if promise["finishedAt"].is_string() {
                Ok(())
            } else {
                Err(promise)
            }
        })
        .await;
}

/// The client's own data, edited by the operator and by itself, and a key of its own.
async fn account(setup: &Setup, client: &Client) {
    let email = || format!("kanarienvogel-{}@example.com", Uuid::now_v7());
    let edit =
        json!({"name": canary("Mandant"), "email": email(), "language": "en", "disabled": false});
    let path = format!("/v1/clients/{}", client.id);
    let _ = setup.operator.patch(&path, edit).await.ok();
    let edit = json!({"email": email(), "language": "de"});
    let _ = client.api.patch("/v1/me", edit).await.ok();
    let key = json!({"name": canary("Schlüssel"), "scopes": ["catalog:read"], "expiresAt": "2099-01-01T00:00:00Z"});
    let _ = client.api.post("/v1/api-keys", key).await.created();
}

/// Refused input is as private as accepted input.
async fn refusals(client: &Client, customer: &Value) {
    let broken = format!("{{\"firstName\": \"{}\"", canary("Vorname"));
    let _ = client
        .api
        .call(Method::POST, "/v1/customers")
        .body("application/json", broken)
        .send()
        .await
        .problem(400, "invalid_json");
    let mut wrong = person();
    wrong[canary("Feld")] = json!(canary("Wert"));
    let _ = client
        .api
        .post("/v1/customers", wrong)
        .await
        .problem(422, "invalid_fields");
    let _ = client
        .redeem("AAAAA-BBBBB-CCCCC-DDDDD", customer)
        .await
        .problem(404, "voucher_not_found");
}

#[tokio::test]
async fn every_field_of_every_request_is_filled() {
    let setup = Setup::new().await;
    let receiver = setup.receiver().await;
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let (source, target) = (&pair.source, &pair.target);
    let company = json!({"name": canary("Verlag"), "timeZone": "Europe/Berlin"});
    let _ = setup
        .operator
        .patch(
            &format!("/v1/contracting-companies/{}", source.company.id),
            company,
        )
        .await
        .ok();
    let key = json!({"name": canary("Schlüssel")});
    let _ = setup
        .operator
        .post(&format!("/v1/clients/{}/api-keys", source.id), key)
        .await
        .created();
    let address = || {
        format!(
            "{}?kanarienvogel={}",
            receiver.url(),
            Uuid::now_v7().simple()
        )
    };
    let header = || json!({"name": "X-Kanarienvogel", "value": canary("Kopfzeile")});
    let other = setup.client(&target.company, "Abendblatt", "de").await;
    let draft = json!({
        "targetClientId": other.id, "offersAccess": true,
        "callback": {"url": address(), "headers": [header()]},
    });
    let _ = source.api.post("/v1/connections", draft).await.created();
    let edit = json!({"callback": {"url": address(), "headers": [header()]}});
    let _ = source
        .api
        .patch(&format!("/v1/connections/{}", pair.connection_id), edit)
        .await
        .ok();
    account(&setup, source).await;
    let endpoint =
        json!({"url": address(), "headers": [header()], "eventTypes": ["import.completed"]});
    let _ = source
        .api
        .call(Method::PUT, "/v1/event-endpoint")
        .json(&endpoint)
        .send()
        .await
        .created();
    import(source).await;

    // A receiver that echoes the callback and refuses it.
    let said = canary("Antwort");
    receiver.answer_always(Reply::status(410).body(&said));
    let (cart, buyer) = (catalog(&pair).await, customer(target).await);
    let _ = target.sell(&cart, &buyer).await.created();
    let failed = setup
        .settle("the callback to be held", async || {
            let list = source.api.get("/v1/callbacks?status=held").await.ok();
            let sales = list["items"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|one| one["type"] == "crossClientOrder.created");
            sales
                .filter_map(|one| one["id"].as_str().map(str::to_owned))
                .next()
                .ok_or(list.clone())
        })
        .await;
    receiver.answer_always(Reply::status(200).body(&said));
    let ids = json!({"callbackIds": [failed]});
    let _ = source
        .api
        .post("/v1/callbacks/replay", ids)
        .await
        .accepted();
    let all = json!({"connectionId": pair.connection_id});
    let _ = source
        .api
        .post("/v1/callbacks/replays", all)
        .await
        .accepted();

    let reader = customer(source).await;
    refusals(source, &reader).await;
    let callback = source
        .api
        .get(&format!("/v1/callbacks/{failed}"))
        .await
        .ok();
    let code = callback["body"]["data"]["voucherCode"]
        .as_str()
        .expect("a voucher's code")
        .to_owned();
    let _ = source.redeem(&code, &reader).await.ok();
}
