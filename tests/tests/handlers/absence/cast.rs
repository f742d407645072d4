//! The clients that ask, and the things that they ask for.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tandem_testing::Capacity;
use tandem_tests::{Answer, Client, InProcess, Module, id, managed_offer, mandatory};
use uuid::Uuid;

use super::requests::{ID, REST};

/// A caller, with own things to name beside the id under test.
pub(super) struct Asker {
    stage: Arc<InProcess>,
    client: Client,
    customer: String,
    offer: String,
    managed_offer: String,
    cart: String,
}

impl Asker {
    async fn new(stage: &Arc<InProcess>, client: &Client, customer: &Value) -> Self {
        let offer = client.subscription_offer("Magazin", 999).await;
        let cart = client.cart(&[mandatory(&offer)]).await;
        Self {
            stage: Arc::clone(stage),
            client: client.clone(),
            customer: id(customer).to_owned(),
            offer: id(&offer).to_owned(),
            managed_offer: id(&managed_offer(client).await).to_owned(),
            cart: id(&cart).to_owned(),
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

    async fn send(&self, target: &str, body: &str, id: &str) -> Answer {
        let target = self.filled(target, id);
        let (method, target) = target.split_once(' ').expect("METHOD /path");
        let method: Method = method.parse().expect("a method");
        let mut call = self.client.api.call(method, target);
        if !body.is_empty() {
            let key = Uuid::now_v7().to_string();
            call = call.body("application/json", self.filled(body, id));
            call = call.idempotency_key(&key);
        }
        call.send().await
    }

    /// Sends a request; returns the comparable parts of the answer and its cost.
    pub(super) async fn ask(&self, target: &str, body: &str, id: &str) -> Observed {
        self.stage.table.reset_calls();
        let answer = self.send(target, body, id).await;
        Observed::of(&self.stage, &answer, id)
    }

    /// Imports, waits for the end, and returns the final promise and the total cost.
    pub(super) async fn import(&self, body: &str, id: &str) -> Observed {
        self.stage.table.reset_calls();
        let accepted = self.send("POST /v1/imports/orders", body, id).await;
        let promise = text(&accepted.accepted()["promiseId"]);
        self.stage.work().await;
        let path = format!("/v1/imports/{promise}");
        Observed::of(&self.stage, &self.client.api.get(&path).await, id)
    }
}

#[derive(Debug, PartialEq)]
pub(super) struct Observed {
    status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: String,
    calls: Vec<String>,
    capacity: Capacity,
}

impl Observed {
    fn of(stage: &InProcess, answer: &Answer, id: &str) -> Self {
        let shown = |value: &[u8]| without_ids(&String::from_utf8_lossy(value), id);
        let headers = answer.headers.iter();
        let mut headers: Vec<_> = headers
            .map(|(name, value)| (name.to_string(), shown(value.as_bytes())))
            .collect();
        headers.sort();
        Self {
            status: answer.status,
            headers,
            body: without_ids(&answer.text, id),
            calls: stage.table.calls(),
            capacity: stage.table.capacity(),
        }
    }

    pub(super) fn answer(&self) -> (u16, &str) {
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

fn text(value: &Value) -> String {
    value.as_str().expect("an id").to_owned()
}

/// A thing that clients may name by its id or code.
pub(super) struct Thing {
    /// See [`REQUESTS`](super::requests::REQUESTS).
    pub(super) kind: &'static str,
    pub(super) owner: Owner,
    pub(super) id: String,
}

#[derive(Clone, Copy)]
pub(super) enum Owner {
    Source,
    Target,
}

/// A stranger, and a source and a target after a sale, with everything that they own.
pub(super) struct Cast {
    pub(super) stranger: Asker,
    source: Asker,
    target: Asker,
    pub(super) things: Vec<Thing>,
}

impl Cast {
    pub(super) async fn new() -> Self {
        let stage = InProcess::start().await;
        let setup = stage.setup();
        let pair = setup
            .pair_between_two_companies("http://127.0.0.1:9/")
            .await;
        let checkout = pair.checkout().await;
        let order = checkout.purchase("k1").await.created();
        let company = setup.company("Fremde", Module::On).await;
        let stranger = setup.client(&company, "Fremde", "de").await;
        let stranger = Asker::new(&stage, &stranger, &stranger.customer().await).await;
        let source = Asker::new(&stage, &pair.source, &pair.source.customer().await).await;
        let target = Asker::new(&stage, &pair.target, &checkout.customer).await;
        let mut things = things_of_source(&source, &pair.target.id, &order).await;
        things.extend(things_of_target(&target, &order).await);
        for (kind, thing) in [
            ("shared offer", &checkout.shared_offer),
            ("cart", &checkout.cart),
            ("sold offer", &checkout.own_offer),
        ] {
            things.push(Thing {
                kind,
                owner: Owner::Target,
                id: id(thing).to_owned(),
            });
        }
        // The owner blocks the connection last.
        things.push(Thing {
            kind: "connection",
            owner: Owner::Source,
            id: pair.connection_id.clone(),
        });
        Self {
            stranger,
            source,
            target,
            things,
        }
    }

    pub(super) fn owner(&self, owner: Owner) -> &Asker {
        match owner {
            Owner::Source => &self.source,
            Owner::Target => &self.target,
        }
    }

    /// The clients without access to a thing. The partner knows shared things, so only the stranger is asked about those.
    pub(super) fn outsiders(&self, thing: &Thing) -> Vec<&Asker> {
        let partner = match thing.owner {
            Owner::Source => &self.target,
            Owner::Target => &self.source,
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
            "api key",
        ];
        std::iter::once(&self.stranger)
            .chain(own.contains(&thing.kind).then_some(partner))
            .collect()
    }
}

async fn things_of_source(source: &Asker, target_id: &str, order: &Value) -> Vec<Thing> {
    let client = &source.client;
    let callback = client.callback(id(&client.callbacks().await[0])).await;
    let replay = client.api.post("/v1/callbacks/replays", json!({})).await;
    let payouts = client.api.all("/v1/payouts").await;
    source.stage.work().await;
    let things = [
        // The owner redeems the voucher before the order is refunded.
        ("voucher", text(&callback["body"]["data"]["voucherCode"])),
        ("offer", source.offer.clone()),
        ("sold order", text(&order["id"])),
        ("sold subscription", text(&callback["subscriptionId"])),
        ("partner", target_id.to_owned()),
        ("payout", text(&payouts[0]["id"])),
        ("callback", text(&callback["id"])),
        ("replay", text(&replay.accepted()["id"])),
        ("api key", client.key_id.clone()),
    ];
    let thing = |(kind, id)| Thing {
        kind,
        owner: Owner::Source,
        id,
    };
    things.map(thing).into()
}

async fn things_of_target(target: &Asker, order: &Value) -> Vec<Thing> {
    let items = r#"{"items":[{"offerId":"{managed}","invoiceCustomerId":"{customer}",REST}]}"#;
    let promise = target.send("POST /v1/imports/orders", items, "").await;
    target.stage.work().await;
    let things = [
        ("offer", target.offer.clone()),
        ("managed offer", target.managed_offer.clone()),
        ("customer", target.customer.clone()),
        ("order", text(&order["id"])),
        (
            "subscription",
            text(&order["positions"][0]["subscriptionId"]),
        ),
        ("promise", text(&promise.accepted()["promiseId"])),
    ];
    let thing = |(kind, id)| Thing {
        kind,
        owner: Owner::Target,
        id,
    };
    things.map(thing).into()
}
