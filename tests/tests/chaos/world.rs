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
use tandem_tests::{Client, InProcess, Module, Setup, id, mandatory, optional};
use tandem_webhooks::{Sender, SenderSettings};

use crate::endpoints::Endpoints;

/// First-byte timeout: long enough for a loopback receiver, short for the test.
const FIRST_BYTE: Duration = Duration::from_millis(250);
/// Time until an attempt reports its receiver as slow.
const SLOW_AFTER: Duration = Duration::from_millis(150);
/// The event endpoint of client 2.
pub(crate) const EVENTS: usize = 2;

/// A shared offer, by its first terms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shared {
    pub(crate) owner: usize,
    pub(crate) targets: &'static [usize],
    pub(crate) amount: i64,
    pub(crate) currency: &'static str,
    pub(crate) share: i64,
}

/// The first offers, which each of their targets has in a cart.
pub(crate) const SHARED: [Shared; 3] = [
    Shared {
        owner: 0,
        targets: &[1, 2],
        amount: 999,
        currency: "EUR",
        share: 2_000,
    },
    Shared {
        owner: 1,
        targets: &[2],
        amount: 555,
        currency: "EUR",
        share: 3_333,
    },
    Shared {
        owner: 0,
        targets: &[2],
        amount: 1_234,
        currency: "CHF",
        share: 1_500,
    },
];

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

/// The initial state, with the sender and the endpoints to run histories from it.
pub(crate) struct World {
    pub(crate) rows: Snapshot,
    pub(crate) now: Timestamp,
    pub(crate) sender: Arc<Sender>,
    pub(crate) endpoints: Endpoints,
    pub(crate) clients: Vec<Client>,
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
        let endpoints = Endpoints::start().await;
        let settings = SenderSettings {
            local_targets: LocalTargets::parse("127.0.0.1"),
            first_byte_timeout: FIRST_BYTE,
            ..SenderSettings::default()
        };
        let sender = Arc::new(Sender::new(settings));
        let stage = InProcess::on(TestTable::in_process(), Arc::clone(&sender));
        let stage = Arc::new(stage);
        let clients = clients(&stage.setup()).await;
        let (links, secrets) = links(&clients, &endpoints).await;
        let (offers, carts) = carts(&clients).await;
        let customers = customers(&clients).await;
        let managed = json!({"externallyManaged": true});
        let imported_offer = clients[2].offer("Zwei gedruckt", 999, managed).await;
        stage.work().await;
        let (rows, now) = (stage.table.snapshot(), stage.clock.now());
        Self {
            rows,
            now,
            sender,
            endpoints,
            clients,
            links,
            secrets,
            carts,
            offers,
            customers,
            imported_offer: id(&imported_offer).to_owned(),
        }
    }

    /// A fresh copy of the state.
    pub(crate) fn open(&self) -> InProcess {
        self.endpoints.reset();
        let table = TestTable::in_process_with(&self.rows);
        let mut stage = InProcess::on(table, Arc::clone(&self.sender));
        stage.deliverer.slow_after = SLOW_AFTER;
        let elapsed = self.now.duration_since(stage.clock.now());
        stage.clock.advance(elapsed);
        stage
    }

    /// The number of a client.
    pub(crate) fn client(&self, id: &str) -> Option<usize> {
        self.clients.iter().position(|client| client.id == id)
    }
}

async fn clients(setup: &Setup) -> Vec<Client> {
    let a = setup.company("A", Module::On).await;
    let b = setup.company("B", Module::On).await;
    let c = setup.company("C", Module::On).await;
    // Their months begin at different times.
    for (company, zone) in [(&a, "Europe/Berlin"), (&b, "Pacific/Kiritimati")] {
        setup.set_time_zone(company, zone).await;
    }
    let mut clients = Vec::new();
    for (company, name) in [(&a, "Null"), (&a, "Eins"), (&b, "Zwei"), (&c, "Drei")] {
        clients.push(setup.client(company, name, "de").await);
    }
    clients
}

async fn links(clients: &[Client], endpoints: &Endpoints) -> (Vec<Link>, Vec<String>) {
    let (mut links, mut secrets) = (Vec::new(), vec![String::new(); 4]);
    let secret = |answer: &Value| answer["secret"].as_str().unwrap_or_default().to_owned();
    for (source, target, endpoint, accepted) in [
        (0, 2, Some(0), true),
        (1, 2, Some(1), true),
        (0, 1, None, true),
        (2, 0, Some(3), false),
    ] {
        let url = endpoint.map(|endpoint| endpoints.url(endpoint, 0));
        let invited = clients[source].invite(&clients[target], url.as_deref());
        let invited = invited.await.created();
        if accepted {
            let accepted = clients[target].act_on_connection("accept", id(&invited));
            let _ = accepted.await.ok();
        }
        if let Some(endpoint) = endpoint {
            secrets[endpoint] = secret(&invited["callback"]);
        }
        links.push(Link {
            id: id(&invited).to_owned(),
            source,
            target,
            endpoint,
        });
    }
    let body = json!({"url": endpoints.url(EVENTS, 0)});
    let set = clients[2].api.put("/v1/event-endpoint", body).await;
    secrets[EVENTS] = secret(&set.expect(201));
    (links, secrets)
}

async fn carts(clients: &[Client]) -> (Vec<(usize, String)>, Vec<CartOf>) {
    let mut offers = Vec::new();
    for shared in SHARED {
        let with: Vec<&str> = shared
            .targets
            .iter()
            .map(|client| clients[*client].id.as_str())
            .collect();
        let mut fields = json!({
            "price": {"amount": shared.amount, "currency": shared.currency},
            "crossClient": {"targetClientIds": with, "sellerShareBasisPoints": shared.share},
        });
        // Sold once to a customer.
        if offers.len() == 1 {
            fields["oncePerCustomer"] = json!(true);
        }
        let offer = clients[shared.owner].offer("Magazin", shared.amount, fields);
        offers.push((shared.owner, offer.await));
    }
    for (owner, amount, currency) in [(2, 1_999, "EUR"), (2, 700, "CHF"), (1, 1_500, "EUR")] {
        let fields = json!({"price": {"amount": amount, "currency": currency}});
        let offer = clients[owner].offer("Magazin", amount, fields).await;
        offers.push((owner, offer));
    }
    let mut carts = Vec::new();
    // Seller, and its cart's offers with their mandatory flags.
    for (seller, positions) in [
        (2, vec![(3, true), (0, true)]),
        (2, vec![(3, true), (0, false), (1, false)]),
        (1, vec![(5, true), (0, true)]),
        (2, vec![(4, true), (2, true)]),
    ] {
        let position = |(offer, is_mandatory): &(usize, bool)| {
            let (_, offer) = &offers[*offer];
            if *is_mandatory {
                mandatory(offer)
            } else {
                optional(offer)
            }
        };
        let cart: Vec<Value> = positions.iter().map(position).collect();
        let cart = clients[seller].cart(&cart).await;
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
            id: id(&cart).to_owned(),
            seller,
            optional,
            sources,
        });
    }
    let offers = offers
        .into_iter()
        .map(|(owner, offer)| (owner, id(&offer).to_owned()));
    (offers.collect(), carts)
}

/// The customers of each client's contracting company.
async fn customers(clients: &[Client]) -> Vec<Vec<String>> {
    let mut customers = vec![Vec::new(); clients.len()];
    for (client, emails) in [
        (0, &["a@a.example", "b@a.example", "c@a.example"][..]),
        (2, &["a@b.example", "b@b.example", "c@b.example"]),
        (3, &["a@c.example"]),
    ] {
        for email in emails {
            let customer = clients[client].customer_with_email(email).await;
            customers[client].push(id(&customer).to_owned());
        }
    }
    customers[1] = customers[0].clone();
    customers
}
