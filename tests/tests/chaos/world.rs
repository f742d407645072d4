//! The initial state of all histories: three contracting companies with four clients, connected in every possible way.
//!
//! | connection | from | to | |
//! |---|---|---|---|
//! | 0 | client 0, company A | client 2, company B | active, callbacks to endpoint 0 |
//! | 1 | client 1, company A | client 2, company B | active, callbacks to endpoint 1 |
//! | 2 | client 0, company A | client 1, company A | active, one company: no callbacks |
//! | 3 | client 2, company B | client 0, company A | invited, callbacks to endpoint 3 |
//!
//! Client 3 is a stranger, whom the others may invite. Endpoint 2 is the event endpoint of client 2.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tandem_domain::callback_url::LocalTargets;
use tandem_testing::{Snapshot, TestTable};
use tandem_tests::handlers::{House, Merchant};
use tandem_webhooks::{Sender, SenderSettings};

use crate::receiver::Receiver;

/// First-byte timeout: long enough for a loopback receiver, short for the test.
const FIRST_BYTE: Duration = Duration::from_millis(250);
/// Time until an attempt reports its receiver as slow.
const PATIENCE: Duration = Duration::from_millis(150);
/// The event endpoint of client 2.
pub(crate) const EVENTS: usize = 2;

/// A connection.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) id: String,
    pub(crate) source: usize,
    pub(crate) target: usize,
    /// The callback endpoint, between two contracting companies.
    pub(crate) endpoint: Option<usize>,
}

/// A cart.
#[derive(Debug, Clone)]
pub(crate) struct CartOf {
    pub(crate) id: String,
    pub(crate) seller: usize,
    /// The numbers of its optional positions.
    pub(crate) optional: Vec<u8>,
    /// The source clients of its mandatory positions.
    pub(crate) sources: Vec<usize>,
}

/// The initial state, with the senders and receivers to run histories from it.
pub(crate) struct World {
    pub(crate) rows: Snapshot,
    pub(crate) now: Timestamp,
    pub(crate) sender: Arc<Sender>,
    pub(crate) receiver: Receiver,
    pub(crate) clients: Vec<Merchant>,
    pub(crate) links: Vec<Link>,
    /// The signing secret of each endpoint.
    pub(crate) secrets: Vec<String>,
    pub(crate) carts: Vec<CartOf>,
    /// Offers with their owners.
    pub(crate) offers: Vec<(usize, String)>,
    /// The customers of a client's contracting company, by client.
    pub(crate) customers: Vec<Vec<String>>,
    /// The offer of client 2's imports.
    pub(crate) imported_offer: String,
}

impl World {
    /// Builds the state on the caller's runtime.
    pub(crate) async fn new() -> Self {
        let receiver = Receiver::start().await;
        let settings = SenderSettings {
            local_targets: LocalTargets::parse("127.0.0.1"),
            first_byte_timeout: FIRST_BYTE,
            ..SenderSettings::default()
        };
        let sender = Arc::new(Sender::new(settings).expect("a sender"));
        let house = House::on(TestTable::in_process(), Arc::clone(&sender));
        let clients = clients(&house).await;
        let (links, secrets) = links(&house, &clients, &receiver).await;
        let (offers, carts) = carts(&house, &clients).await;
        let mut customers = vec![Vec::new(); clients.len()];
        for (client, emails) in [
            (0, ["a@a.example", "b@a.example", "c@a.example"]),
            (2, ["a@b.example", "b@b.example", "c@b.example"]),
        ] {
            for email in emails {
                customers[client].push(house.customer(&clients[client], email).await);
            }
        }
        customers[1] = customers[0].clone();
        customers[3] = vec![house.customer(&clients[3], "a@c.example").await];
        let imported_offer = house
            .offer(&clients[2], json!({"externallyManaged": true}))
            .await;
        house.work().await;
        let (rows, now) = (house.table.snapshot(), house.clock.now());
        Self {
            rows,
            now,
            sender,
            receiver,
            clients,
            links,
            secrets,
            carts,
            offers,
            customers,
            imported_offer,
        }
    }

    /// A fresh copy of the state.
    pub(crate) fn open(&self) -> House {
        self.receiver.reset();
        let mut house = House::on(
            TestTable::in_process_with(&self.rows),
            Arc::clone(&self.sender),
        );
        house.deliverer.patience = PATIENCE;
        house
            .clock
            .advance(self.now.duration_since(house.clock.now()));
        house
    }

    /// The number of a client.
    pub(crate) fn client(&self, id: &str) -> Option<usize> {
        self.clients.iter().position(|client| client.id == id)
    }
}

async fn clients(house: &House) -> Vec<Merchant> {
    let (a, b, c) = (
        house.company(true).await,
        house.company(true).await,
        house.company(true).await,
    );
    let mut clients = Vec::new();
    for (company, name) in [(&a, "Null"), (&a, "Eins"), (&b, "Zwei"), (&c, "Drei")] {
        clients.push(house.merchant(company, name).await);
    }
    clients
}

async fn links(
    house: &House,
    clients: &[Merchant],
    receiver: &Receiver,
) -> (Vec<Link>, Vec<String>) {
    let (mut links, mut secrets) = (Vec::new(), vec![String::new(); 4]);
    let secret = |answer: &Value| answer["secret"].as_str().unwrap_or_default().to_owned();
    for (source, target, endpoint, accepted) in [
        (0, 2, Some(0), true),
        (1, 2, Some(1), true),
        (0, 1, None, true),
        (2, 0, Some(3), false),
    ] {
        let callback = endpoint.map(|endpoint| json!({"url": receiver.url(endpoint, 0)}));
        let body = json!({"targetClientId": clients[target].id, "offersAccess": true, "callback": callback});
        let invited = house
            .call(&clients[source].who, "POST /v1/connections", Some(body))
            .await
            .expect(201);
        let id = invited["id"].as_str().expect("an id").to_owned();
        if accepted {
            let accept = format!("POST /v1/connections/{id}/accept");
            let _ = house
                .call(&clients[target].who, &accept, None)
                .await
                .expect(200);
        }
        if let Some(endpoint) = endpoint {
            secrets[endpoint] = secret(&invited["callback"]);
        }
        links.push(Link {
            id,
            source,
            target,
            endpoint,
        });
    }
    let body = json!({"url": receiver.url(EVENTS, 0)});
    secrets[EVENTS] = secret(
        &house
            .call(&clients[2].who, "PUT /v1/event-endpoint", Some(body))
            .await
            .expect(201),
    );
    (links, secrets)
}

async fn carts(house: &House, clients: &[Merchant]) -> (Vec<(usize, String)>, Vec<CartOf>) {
    let price = |amount: u32, currency: &str| json!({"amount": amount, "currency": currency});
    let shared = |price: Value, with: &[usize], share: u32| {
        let with: Vec<&str> = with
            .iter()
            .map(|client| clients[*client].id.as_str())
            .collect();
        json!({"price": price, "crossClient": {"targetClientIds": with, "sellerShareBasisPoints": share}})
    };
    let mut offers = Vec::new();
    for (owner, more) in [
        (0, shared(price(999, "EUR"), &[1, 2], 2_000)),
        (1, shared(price(555, "EUR"), &[2], 3_333)),
        (0, shared(price(1_234, "CHF"), &[2], 1_500)),
        (2, json!({"price": price(1_999, "EUR")})),
        (2, json!({"price": price(700, "CHF")})),
        (1, json!({"price": price(1_500, "EUR")})),
    ] {
        offers.push((owner, house.offer(&clients[owner], more).await));
    }
    let mut carts = Vec::new();
    // Seller, and its cart's offers with their mandatory flags.
    for (seller, positions) in [
        (2, vec![(3, true), (0, true)]),
        (2, vec![(3, true), (0, false), (1, false)]),
        (1, vec![(5, true), (0, true)]),
        (2, vec![(4, true), (2, true)]),
    ] {
        let position = |(index, (offer, mandatory)): (usize, &(usize, bool))| json!({"position": index + 1, "offerId": offers[*offer].1, "mandatory": mandatory});
        let body = json!({"name": "Bundle", "positions": positions.iter().enumerate().map(position).collect::<Vec<_>>()});
        let cart = house
            .call(&clients[seller].who, "POST /v1/carts", Some(body))
            .await
            .expect(201);
        let id = cart["id"].as_str().expect("an id").to_owned();
        let optional = (1_u8..)
            .zip(&positions)
            .filter(|(_, (_, mandatory))| !mandatory)
            .map(|(number, _)| number)
            .collect();
        let sources = positions
            .iter()
            .filter(|(offer, mandatory)| *mandatory && offers[*offer].0 != seller);
        let sources = sources.map(|(offer, _)| offers[*offer].0).collect();
        carts.push(CartOf {
            id,
            seller,
            optional,
            sources,
        });
    }
    (offers, carts)
}
