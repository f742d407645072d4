//! Two clients of two contracting companies sell one cart. They do not share customers, so the source learns of the sale from a
//! signed callback and redeems its voucher.

mod vouchers;

use jiff::Timestamp;
use serde_json::{Value, json};
use tandem_tests::{
    Module, Pair, Received, Receiver, Sale, Setup, id, is_signed_with, mandatory, verified,
};

const CREATED: &str = "crossClientOrder.created";

#[tokio::test]
async fn invitations_between_companies_need_https_and_show_a_secret() {
    let setup = Setup::new().await;
    let (ours, theirs) = (
        setup.company("Garden Press", Module::On).await,
        setup.company("Morgenblatt Verlag", Module::On).await,
    );
    let source = setup.client(&ours, "Garden Weekly", "en").await;
    let target = setup.client(&theirs, "Morgenblatt", "de").await;

    for (address, field, code) in [
        (None, "callback", "required"),
        (
            Some("http://example.com/callbacks"),
            "callback.url",
            "not_https",
        ),
    ] {
        let refused = source.invite(&target, address).await;
        assert_eq!(refused.fields(), [(field.to_owned(), code.to_owned())]);
        refused.problem(422, "invalid_fields");
    }
    let invited = source
        .invite(&target, Some("https://example.com/callbacks"))
        .await
        .created();
    assert_eq!(invited["status"], "invited");
    assert!(
        invited["callback"]["secret"]
            .as_str()
            .is_some_and(|secret| secret.starts_with("whsec_")),
        "{invited}"
    );
    let mail = target
        .mail_about("„Garden Weekly“ lädt Sie zum gemeinsamen Verkauf ein")
        .await;
    assert!(mail.text.contains(id(&invited)));

    let seen_by_source = source.connection(id(&invited)).await;
    assert_eq!(
        seen_by_source["callback"]["url"],
        "https://example.com/callbacks"
    );
    assert_eq!(
        seen_by_source["callback"].get("secret"),
        None,
        "the secret is shown once"
    );
    let seen_by_target = target.connection(id(&invited)).await;
    assert_eq!(
        seen_by_target.get("callback"),
        None,
        "where the source is called is its own business"
    );
    assert_eq!(seen_by_target["status"], "invited");

    let _ = target.act_on_connection("accept", id(&invited)).await.ok();
    for client in [&source, &target] {
        assert_eq!(client.connection(id(&invited)).await["status"], "active");
    }
}

#[tokio::test]
async fn the_receiver_gets_one_signed_callback_about_the_sale() {
    let setup = Setup::new().await;
    let (receiver, pair, sale, received) = sold(&setup).await;
    assert_eq!(receiver.received().len(), 1);
    assert_eq!(received.headers["content-type"], "application/json");

    let callback = verified(&received, pair.secret());
    let other = setup.pair_between_two_companies(&receiver.url()).await;
    assert!(
        !is_signed_with(&received, other.secret()),
        "each connection has a secret of its own"
    );

    assert_eq!(callback["type"], CREATED);
    let sent_at: Timestamp = callback["timestamp"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("RFC 3339");
    let ordered: Timestamp = sale.order["createdAt"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("RFC 3339");
    assert!(
        sent_at >= ordered && sent_at <= received.at,
        "{ordered} {sent_at} {}",
        received.at
    );
    let data = &callback["data"];
    let position = &sale.order["positions"][1];
    assert_eq!(data["connectionId"], pair.connection_id.as_str());
    assert_eq!(data["order"]["id"], sale.order["id"]);
    assert_eq!(data["order"]["paymentMethod"], "CREDIT_CARD");
    assert_eq!(
        data["order"]["seller"],
        json!({"clientId": pair.target.id, "name": pair.target.name})
    );
    let amount = json!({"amount": 999, "currency": "EUR"});
    assert_eq!(
        data["position"],
        json!({"number": 2, "quantity": 1, "unitPrice": amount, "amount": amount})
    );
    assert_eq!(data["subscription"]["id"], position["subscriptionId"]);
    let customer = ["id", "email", "language", "firstName", "lastName"]
        .map(|name| (name.to_owned(), sale.customer[name].clone()));
    assert_eq!(
        data["customer"],
        Value::Object(customer.into_iter().collect()),
        "no more than the source needs"
    );
    assert_eq!(
        data["offer"],
        json!({"id": position["offerId"], "name": position["offerName"]})
    );
    let code = data["voucherCode"].as_str().expect("a code");
    assert_eq!(
        code.split('-').map(str::len).collect::<Vec<_>>(),
        [5, 5, 5, 5],
        "{code}"
    );
}

#[tokio::test]
async fn only_the_source_sees_the_delivery_in_its_callback_log() {
    let setup = Setup::new().await;
    let (_receiver, pair, sale, received) = sold(&setup).await;
    let logged = pair
        .source
        .callback_about(sale.shared_subscription_id(), CREATED, "delivered")
        .await;
    assert_eq!(id(&logged), received.webhook_id());
    assert_eq!(logged["connectionId"], pair.connection_id.as_str());
    assert_eq!(logged["orderId"], sale.order["id"]);
    assert_eq!(logged["attempts"], 1);
    assert_eq!(logged["nextAttemptAt"], Value::Null);
    assert!(logged["deliveredAt"].is_string(), "{logged}");
    assert_eq!(
        logged["body"],
        serde_json::from_slice::<Value>(&received.body).expect("JSON")
    );
    let attempts = logged["attemptLog"].as_array().expect("a log");
    assert_eq!(attempts.len(), 1, "{logged}");
    assert_eq!(
        (&attempts[0]["number"], &attempts[0]["statusCode"]),
        (&json!(1), &json!(204))
    );
    assert!(
        attempts[0]["at"].is_string() && attempts[0]["durationMs"].is_u64(),
        "{logged}"
    );
    assert_eq!(attempts[0].get("error"), None);

    let listed = pair.source.callbacks().await;
    assert_eq!(listed.iter().map(id).collect::<Vec<_>>(), [id(&logged)]);
    assert_eq!(listed[0].get("body"), None, "a list shows no customers");
    assert_eq!(pair.target.callbacks().await, Vec::<Value>::new());
    pair.target
        .api
        .get(&format!("/v1/callbacks/{}", id(&logged)))
        .await
        .problem(404, "callback_not_found");
}

#[tokio::test]
async fn a_rotated_secret_and_its_predecessor_both_verify_callbacks() {
    let setup = Setup::new().await;
    let receiver = setup.receiver().await;
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let settings = format!("/v1/connections/{}/callback", pair.connection_id);
    pair.target
        .api
        .act(&format!("{settings}/rotate-secret"))
        .await
        .problem(403, "connection_read_only");
    pair.target
        .api
        .act(&format!("{settings}/test"))
        .await
        .problem(403, "connection_read_only");

    let rotated = pair
        .source
        .api
        .act(&format!("{settings}/rotate-secret"))
        .await
        .ok();
    let until: Timestamp = rotated["previousValidUntil"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("RFC 3339");
    assert!(until > setup.now(), "{rotated}");
    let new = rotated["secret"].as_str().expect("a secret");
    assert_ne!(new, pair.secret());

    let test = pair
        .source
        .api
        .act(&format!("{settings}/test"))
        .await
        .accepted();
    let received = &receiver.wait_for(1).await[0];
    assert_eq!(received.webhook_id(), id(&test));
    for secret in [new, pair.secret()] {
        assert_eq!(verified(received, secret)["type"], "connection.test");
    }
}

#[tokio::test]
async fn each_source_gets_a_callback_about_its_own_offer_only() {
    let setup = Setup::new().await;
    let (first_receiver, second_receiver) = (setup.receiver().await, setup.receiver().await);
    let Pair {
        source: first,
        target,
        secret: first_secret,
        ..
    } = setup
        .pair_between_two_companies(&first_receiver.url())
        .await;
    let second_company = setup.company("Kitchen Press", Module::On).await;
    let second = setup.client(&second_company, "Kitchen Weekly", "en").await;
    let sibling = setup.client(&target.company, "Abendblatt", "de").await;
    let second_pair =
        Pair::connect(second.clone(), target.clone(), Some(&second_receiver.url())).await;
    let _ = Pair::connect(sibling.clone(), target.clone(), None).await;

    let own = target
        .subscription_offer("Morgenblatt digital", 1_990)
        .await;
    let mut positions = vec![mandatory(&own)];
    let sources = [&first, &second, &sibling];
    for source in sources {
        positions.push(mandatory(
            &source.shared_offer(&source.name, 999, &[&target]).await,
        ));
    }
    let (cart, customer) = (target.cart(&positions).await, target.customer().await);
    let order = target.sell(&cart, &customer).await.created();
    assert_eq!(order["total"]["amount"], 4_987);

    let secrets = [
        first_secret.expect("a secret"),
        second_pair.secret().to_owned(),
    ];
    for ((source, receiver), secret) in [(&first, &first_receiver), (&second, &second_receiver)]
        .into_iter()
        .zip(&secrets)
    {
        let callback = verified(&receiver.wait_for(1).await[0], secret);
        assert_eq!(callback["data"]["offer"]["name"], source.name.as_str());
        assert_eq!(source.callbacks().await.len(), 1);
    }
    assert_eq!(sibling.callbacks().await, Vec::<Value>::new());
    assert_eq!(target.api.all("/v1/payouts").await.len(), 3);
    for (source, status) in sources.into_iter().zip(["pending", "pending", "active"]) {
        let rows = source.api.all("/v1/subscriptions").await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(
            (&rows[0]["offerName"], &rows[0]["status"]),
            (&json!(source.name), &json!(status))
        );
        assert_eq!(source.api.all("/v1/payouts").await.len(), 1);
    }
}

/// A sale between two companies, and its callback.
async fn sold(setup: &Setup) -> (Receiver, Pair, Sale, Received) {
    let receiver = setup.receiver().await;
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let sale = pair.sell().await;
    let received = receiver.wait_for(1).await.remove(0);
    (receiver, pair, sale, received)
}

#[track_caller]
fn code(callback: &Value) -> &str {
    callback["data"]["voucherCode"]
        .as_str()
        .expect("a voucher code")
}
