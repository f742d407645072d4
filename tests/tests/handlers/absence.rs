//! A foreign id cannot be distinguished from an unknown id: answer, headers, table calls and capacity (which would show as
//! response time) are equal. The owner gets another answer.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tandem_testing::Capacity;
use tandem_tests::handlers::{Answer, House, Merchant, Pair};

/// Placeholder for an id in a target or body.
const ID: &str = "{id}";

/// The requests that name each kind of thing, reads before writes. The caller owns everything else that a request
/// needs: `{customer}`, `{offer}`, `{managed}` and `{cart}`.
const REQUESTS: &[(&str, &str, &str)] = &[
    ("connection", "GET /v1/connections/{id}", ""),
    ("connection", "GET /v1/callbacks?connectionId={id}", ""),
    (
        "connection",
        "PATCH /v1/connections/{id}",
        r#"{"offersAccess":true}"#,
    ),
    ("connection", "POST /v1/connections/{id}/accept", "{}"),
    ("connection", "POST /v1/connections/{id}/decline", "{}"),
    ("connection", "POST /v1/connections/{id}/withdraw", "{}"),
    ("connection", "POST /v1/connections/{id}/unblock", "{}"),
    (
        "connection",
        "POST /v1/connections/{id}/callback/rotate-secret",
        "{}",
    ),
    (
        "connection",
        "POST /v1/connections/{id}/callback/test",
        "{}",
    ),
    ("connection", "POST /v1/connections/{id}/block", "{}"),
    ("offer", "GET /v1/offers/{id}", ""),
    (
        "offer",
        "POST /v1/carts",
        r#"{"name":"Cart","positions":[{"position":1,"offerId":"{id}","mandatory":true}]}"#,
    ),
    (
        "offer",
        "PATCH /v1/carts/{cart}",
        r#"{"positions":[{"position":1,"offerId":"{id}","mandatory":true}]}"#,
    ),
    ("offer", "PATCH /v1/offers/{id}", r#"{"name":"Mine"}"#),
    ("offer", "POST /v1/offers/{id}/archive", "{}"),
    ("shared offer", "GET /v1/offers/shared/{id}", ""),
    (
        "shared offer",
        "POST /v1/carts",
        r#"{"name":"Cart","positions":[{"position":1,"offerId":"{offer}","mandatory":true},{"position":2,"offerId":"{id}","mandatory":true}]}"#,
    ),
    (
        "managed offer",
        "GET /v1/imports/orders/logs?offerId={id}",
        "",
    ),
    (
        "managed offer",
        IMPORT,
        r#"{"items":[{"offerId":"{id}","invoiceCustomerId":"{customer}",REST}]}"#,
    ),
    ("cart", "GET /v1/carts/{id}", ""),
    ("cart", "PATCH /v1/carts/{id}", r#"{"name":"Mine"}"#),
    (
        "cart",
        "POST /v1/carts/{id}/purchase",
        r#"{"customerId":"{customer}","paymentMethod":"PAYPAL"}"#,
    ),
    ("cart", "POST /v1/carts/{id}/archive", "{}"),
    ("customer", "GET /v1/customers/{id}", ""),
    ("customer", "GET /v1/customers/{id}/orders", ""),
    ("customer", "GET /v1/customers/{id}/subscriptions", ""),
    ("customer", "GET /v1/orders?customerId={id}", ""),
    ("customer", "GET /v1/subscriptions?customerId={id}", ""),
    (
        "customer",
        "POST /v1/carts/{cart}/purchase",
        r#"{"customerId":"{id}","paymentMethod":"PAYPAL"}"#,
    ),
    (
        "customer",
        IMPORT,
        r#"{"items":[{"offerId":"{managed}","invoiceCustomerId":"{id}",REST}]}"#,
    ),
    (
        "customer",
        IMPORT,
        r#"{"items":[{"offerId":"{managed}","invoiceCustomerId":"{customer}","deliveryCustomerId":"{id}",REST}]}"#,
    ),
    (
        "customer",
        REDEEM,
        r#"{"customerId":"{id}","voucherCode":"7Q2M9-X4T0K-3HGWB-PZ5RA"}"#,
    ),
    (
        "customer",
        "PATCH /v1/customers/{id}",
        r#"{"firstName":"Eve"}"#,
    ),
    ("customer", "DELETE /v1/customers/{id}", ""),
    ("order", "GET /v1/orders/{id}", ""),
    ("order", "POST /v1/orders/{id}/refund", "{}"),
    ("order", "POST /v1/orders/{id}/charge-back", "{}"),
    ("subscription", "GET /v1/subscriptions/{id}", ""),
    ("subscription", "POST /v1/subscriptions/{id}/payments", "{}"),
    ("subscription", "POST /v1/subscriptions/{id}/cancel", "{}"),
    ("sold offer", "GET /v1/subscriptions?offerId={id}", ""),
    ("sold order", "GET /v1/callbacks?orderId={id}", ""),
    ("sold order", "GET /v1/payouts?orderId={id}", ""),
    (
        "sold subscription",
        "GET /v1/callbacks?subscriptionId={id}",
        "",
    ),
    (
        "sold subscription",
        "GET /v1/payouts?subscriptionId={id}",
        "",
    ),
    ("partner", "GET /v1/payouts?partnerClientId={id}", ""),
    ("payout", "GET /v1/payouts/{id}", ""),
    ("payout", "POST /v1/payouts/{id}/mark-paid", "{}"),
    ("callback", "GET /v1/callbacks/{id}", ""),
    (
        "callback",
        "POST /v1/callbacks/replay",
        r#"{"callbackIds":["{id}"]}"#,
    ),
    ("callback", "POST /v1/callbacks/{id}/replay", "{}"),
    ("replay", "GET /v1/callbacks/replays/{id}", ""),
    ("promise", "GET /v1/imports/{id}", ""),
    ("promise", "GET /v1/imports/orders/logs?promiseId={id}", ""),
    ("promise", "POST /v1/imports/{id}/retry", "{}"),
    (
        "voucher",
        REDEEM,
        r#"{"customerId":"{customer}","voucherCode":"{id}"}"#,
    ),
];

/// A dry run returns the results of an import immediately.
const IMPORT: &str = "POST /v1/imports/orders?dryRun=true";
/// The other required members of an imported item.
const REST: &str = r#""externalSystemId":"A-1","quantity":1,"startDate":"2026-11-01T00:00:00Z","paymentMethod":"BILLING""#;
const REDEEM: &str = "POST /v1/subscriptions/useCrossClientVoucher";

/// A caller, with own things to name beside the id under test.
struct Asker {
    merchant: Merchant,
    customer: String,
    offer: String,
    managed_offer: String,
    cart: String,
}

impl Asker {
    async fn new(house: &House, merchant: &Merchant, customer: String) -> Self {
        let offer = house.offer(merchant, json!({})).await;
        let managed_offer = house
            .offer(merchant, json!({"externallyManaged": true}))
            .await;
        let cart = house.cart(merchant, &[&offer]).await;
        Self {
            merchant: merchant.clone(),
            customer,
            offer,
            managed_offer,
            cart,
        }
    }

    /// Fills the caller's own ids into a template.
    fn filled(&self, text: &str, id: &str) -> String {
        let own = [
            ("REST", REST),
            (ID, id),
            ("{customer}", &self.customer),
            ("{offer}", &self.offer),
            ("{managed}", &self.managed_offer),
            ("{cart}", &self.cart),
        ];
        own.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        })
    }

    /// Sends a request; returns the comparable parts of the answer and its cost.
    async fn ask(&self, house: &House, target: &str, body: &str, id: &str) -> Observed {
        let body = (!body.is_empty()).then(|| self.filled(body, id));
        let key = uuid::Uuid::now_v7().to_string();
        let keyed: &[(&str, &str)] = if body.is_some() {
            &[("idempotency-key", &key)]
        } else {
            &[]
        };
        house.table.reset_calls();
        let answer = house
            .send(&self.merchant.who, &self.filled(target, id), body, keyed)
            .await;
        Observed::of(house, &answer, id)
    }

    /// Imports, waits for the end, and returns the final promise and the total cost.
    async fn import(&self, house: &House, body: &str, id: &str) -> Observed {
        let (who, items) = (&self.merchant.who, self.filled(body, id));
        house.table.reset_calls();
        let accepted = house
            .send(who, "POST /v1/imports/orders", Some(items), &[])
            .await
            .expect(202);
        house.work().await;
        let path = format!(
            "GET /v1/imports/{}",
            accepted["promiseId"].as_str().expect("an id")
        );
        Observed::of(house, &house.call(who, &path, None).await, id)
    }
}

#[derive(Debug, PartialEq)]
struct Observed {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    calls: Vec<String>,
    capacity: Capacity,
}

impl Observed {
    fn of(house: &House, answer: &Answer, id: &str) -> Self {
        let headers = answer
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), without_ids(value, id)))
            .collect();
        let body = without_ids(&answer.text, id);
        Self {
            status: answer.status,
            headers,
            body,
            calls: house.table.calls(),
            capacity: house.table.capacity(),
        }
    }

    fn answer(&self) -> (u16, &str) {
        (self.status, &self.body)
    }
}

/// Replaces the given id or code by [`ID`], and other ids, which may be random, by their kind.
fn without_ids(text: &str, id: &str) -> String {
    let text = text.replace(id, ID);
    let words = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let shown = |word: &str| match word.split_once('_') {
        Some((kind, rest)) if kind.len() == 3 && rest.len() >= 32 => {
            format!("{kind}_…{}", &rest[32..])
        }
        _ => word.to_owned(),
    };
    words.map(shown).collect()
}

/// An unused id or code of the same kind and time.
fn absent(id: &str) -> String {
    format!(
        "{}{}",
        &id[..id.len() - 4],
        if id.ends_with("0000") { "1111" } else { "0000" }
    )
}

/// A stranger, and a source and a target after a sale, with everything that they own.
struct Cast {
    stranger: Asker,
    source: Asker,
    target: Asker,
    things: Vec<(&'static str, bool, String)>,
}

impl Cast {
    async fn new(house: &House) -> Self {
        let pair = house.pair(Some("http://127.0.0.1:9/")).await;
        let order = house.purchase(&pair, "k1").await.expect(201);
        let company = house.company(true).await;
        let stranger = house.merchant(&company, "Fremde").await;
        let stranger = Asker::new(
            house,
            &stranger,
            house.customer(&stranger, "own@example.com").await,
        )
        .await;
        let source = Asker::new(
            house,
            &pair.source,
            house.customer(&pair.source, "own@example.com").await,
        )
        .await;
        let target = Asker::new(house, &pair.target, pair.customer.clone()).await;
        let things = Self::things(house, &pair, &order, (&source, &target)).await;
        Self {
            stranger,
            source,
            target,
            things,
        }
    }

    /// Whether the source owns it, or else the target.
    async fn things(
        house: &House,
        pair: &Pair,
        order: &Value,
        (source, target): (&Asker, &Asker),
    ) -> Vec<(&'static str, bool, String)> {
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        let first = async |path: &str| {
            house.call(&pair.source.who, path, None).await.expect(200)["items"][0]["id"].clone()
        };
        let callback = text(&first("GET /v1/callbacks").await);
        let observed = house
            .call(
                &pair.source.who,
                &format!("GET /v1/callbacks/{callback}"),
                None,
            )
            .await
            .expect(200);
        let replay = house
            .call(
                &pair.source.who,
                "POST /v1/callbacks/replays",
                Some(json!({})),
            )
            .await
            .expect(202);
        let items = target
            .filled(&format!(r#"{{"items":[{{"offerId":"{{managed}}","invoiceCustomerId":"{{customer}}",{REST}}}]}}"#), "");
        let promise = house
            .send(
                &pair.target.who,
                "POST /v1/imports/orders",
                Some(items),
                &[],
            )
            .await
            .expect(202);
        house.work().await;
        vec![
            // The owner redeems the voucher before the order is refunded.
            (
                "voucher",
                true,
                text(&observed["body"]["data"]["voucherCode"]),
            ),
            ("offer", true, source.offer.clone()),
            ("offer", false, target.offer.clone()),
            ("shared offer", false, pair.shared_offer.clone()),
            ("managed offer", false, target.managed_offer.clone()),
            ("cart", false, pair.cart.clone()),
            ("customer", false, pair.customer.clone()),
            ("order", false, text(&order["id"])),
            (
                "subscription",
                false,
                text(&order["positions"][0]["subscriptionId"]),
            ),
            ("sold offer", false, pair.own_offer.clone()),
            ("sold order", true, text(&order["id"])),
            ("sold subscription", true, text(&observed["subscriptionId"])),
            ("partner", true, pair.target.id.clone()),
            ("payout", true, text(&first("GET /v1/payouts").await)),
            ("callback", true, callback),
            ("replay", true, text(&replay["id"])),
            ("promise", false, text(&promise["promiseId"])),
            // The owner blocks the connection last.
            ("connection", true, pair.connection.clone()),
        ]
    }

    /// The clients without access to a thing. The partner knows shared things, so only the stranger is asked about those.
    fn outsiders(&self, kind: &str, of_source: bool) -> Vec<&Asker> {
        let partner = if of_source {
            &self.target
        } else {
            &self.source
        };
        let own = [
            "offer",
            "managed offer",
            "cart",
            "customer",
            "order",
            "subscription",
            "callback",
            "replay",
            "promise",
            "voucher",
        ];
        std::iter::once(&self.stranger)
            .chain(own.contains(&kind).then_some(partner))
            .collect()
    }
}

#[tokio::test]
async fn foreign_data_answers_and_costs_like_missing_data() {
    let house = House::new().await;
    let cast = Cast::new(&house).await;
    let kinds: BTreeSet<&str> = REQUESTS.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, cast.things.iter().map(|(kind, ..)| *kind).collect());
    let mut foreign = Vec::new();
    for (kind, of_source, id) in &cast.things {
        for (_, target, body) in REQUESTS.iter().filter(|(of, ..)| of == kind) {
            for outsider in cast.outsiders(kind, *of_source) {
                let missing = outsider.ask(&house, target, body, &absent(id)).await;
                let observed = outsider.ask(&house, target, body, id).await;
                assert_eq!(observed, missing, "{target} {body} {id}");
                foreign.push((target, body, id, *of_source, observed));
            }
        }
    }
    // The owner gets another answer; otherwise the request would test nothing.
    for (target, body, id, of_source, observed) in foreign {
        let owner = if of_source {
            &cast.source
        } else {
            &cast.target
        };
        assert_ne!(
            owner.ask(&house, target, body, id).await.answer(),
            observed.answer(),
            "{target} {body} {id}"
        );
    }
}

#[tokio::test]
async fn an_import_treats_foreign_and_missing_data_alike() {
    let house = House::new().await;
    let cast = Cast::new(&house).await;
    for (kind, _, body) in REQUESTS.iter().filter(|(_, target, _)| *target == IMPORT) {
        let (.., id) = cast
            .things
            .iter()
            .find(|(of, ..)| of == kind)
            .expect("a thing");
        let missing = cast.stranger.import(&house, body, &absent(id)).await;
        let observed = cast.stranger.import(&house, body, id).await;
        assert_eq!(observed, missing, "{body} {id}");
        assert!(observed.body.contains(r#""failed":1"#), "{}", observed.body);
        let owned = cast.target.import(&house, body, id).await;
        assert!(owned.body.contains(r#""failed":0"#), "{}", owned.body);
    }
}
