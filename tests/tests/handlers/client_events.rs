//! Events of clients, sent to their event endpoints.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use tandem_tests::{Client, InProcess, Module, Pair, Receiver, id, mandatory, verified};

/// A client's event endpoint.
pub(crate) struct Endpoint {
    receiver: Receiver,
    secret: String,
}

impl Endpoint {
    pub(crate) async fn of(stage: &Arc<InProcess>, client: &Client, types: Value) -> Self {
        let receiver = stage.setup().receiver().await;
        let body = json!({"url": receiver.url(), "eventTypes": types});
        let set = client.api.put("/v1/event-endpoint", body).await.created();
        let secret = set["secret"].as_str().expect("a secret").to_owned();
        Self { receiver, secret }
    }

    pub(crate) fn received(&self) -> Vec<Value> {
        let received = self.receiver.received();
        received
            .iter()
            .map(|request| verified(request, &self.secret))
            .collect()
    }

    /// The type, actor and status of each event of a connection.
    fn seen(&self, role: &str) -> BTreeSet<(String, String, String)> {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let seen = |event: &Value| {
            let data = &event["data"];
            assert_eq!(data["role"], role, "{event}");
            (
                text(&event["type"]),
                text(&data["by"]),
                text(&data["status"]),
            )
        };
        self.received().iter().map(seen).collect()
    }
}

async fn two_clients(stage: &Arc<InProcess>) -> (Client, Client) {
    let setup = stage.setup();
    let company = setup.company("Medienhaus", Module::On).await;
    let source = setup.client(&company, "Garden Weekly", "en").await;
    (source, setup.client(&company, "Morgenblatt", "de").await)
}

/// All that can happen to connections of two clients.
async fn live(source: &Client, target: &Client) {
    let declined = source.invite(target, None).await.created();
    let _ = target
        .act_on_connection("decline", id(&declined))
        .await
        .ok();
    let withdrawn = source.invite(target, None).await.created();
    let _ = source
        .act_on_connection("withdraw", id(&withdrawn))
        .await
        .ok();
    let invited = source.invite(target, None).await.created();
    for (client, action) in [
        (target, "accept"),
        (source, "block"),
        (target, "block"),
        (source, "unblock"),
        (target, "unblock"),
    ] {
        let _ = client.act_on_connection(action, id(&invited)).await.ok();
    }
    let path = format!("/v1/connections/{}", id(&invited));
    for access in [false, false, true] {
        let body = json!({"offersAccess": access});
        let _ = source.api.patch(&path, body).await.ok();
    }
}

const EVENTS: [(&str, &str, &str); 9] = [
    ("connection.accessChanged", "source", "active"),
    ("connection.accepted", "target", "active"),
    ("connection.blocked", "source", "blocked"),
    ("connection.blocked", "target", "blocked"),
    ("connection.declined", "target", "declined"),
    ("connection.invited", "source", "invited"),
    ("connection.unblocked", "source", "blocked"),
    ("connection.unblocked", "target", "active"),
    ("connection.withdrawn", "source", "withdrawn"),
];

#[tokio::test]
async fn both_clients_get_each_event_of_their_connection() {
    let stage = InProcess::start().await;
    let (source, target) = two_clients(&stage).await;
    let endpoints = [
        Endpoint::of(&stage, &source, Value::Null).await,
        Endpoint::of(&stage, &target, Value::Null).await,
    ];
    live(&source, &target).await;
    stage.work().await;
    let expected: BTreeSet<_> = EVENTS
        .map(|(event, by, status)| (event.to_owned(), by.to_owned(), status.to_owned()))
        .into();
    for (endpoint, role) in endpoints.iter().zip(["source", "target"]) {
        assert_eq!(endpoint.seen(role), expected);
        // Three invitations and two changes of the access; an edit without effect is no event.
        assert_eq!(endpoint.received().len(), EVENTS.len() + 3);
    }
}

#[tokio::test]
async fn an_endpoint_gets_only_the_types_that_its_client_chose() {
    let stage = InProcess::start().await;
    let (source, target) = two_clients(&stage).await;
    let types = json!([
        "connection.blocked",
        "import.completed",
        "connection.blocked"
    ]);
    let endpoint = Endpoint::of(&stage, &target, types).await;
    let shown = target.api.get("/v1/event-endpoint").await.ok();
    let sorted = json!(["import.completed", "connection.blocked"]);
    assert_eq!(shown["eventTypes"], sorted);
    live(&source, &target).await;
    stage.work().await;
    let expected = ["source", "target"]
        .map(|by| ("connection.blocked", by, "blocked"))
        .map(|(event, by, status)| (event.to_owned(), by.to_owned(), status.to_owned()));
    assert_eq!(endpoint.seen("target"), expected.into());
    // Only the chooser has an endpoint, so there are no other rows.
    assert_eq!(stage.rows_of("callback").len(), 2);

    let body = json!({"url": endpoint.receiver.url()});
    let set = target.api.put("/v1/event-endpoint", body).await.ok();
    assert_eq!(set["eventTypes"], Value::Null, "all types again");
}

#[tokio::test]
async fn without_an_event_endpoint_no_event_is_written() {
    let stage = InProcess::start().await;
    let (source, target) = two_clients(&stage).await;
    live(&source, &target).await;
    stage.work().await;
    assert_eq!(stage.rows_of("callback"), Vec::<Value>::new());
    assert_eq!(source.api.all("/v1/callbacks").await, Vec::<Value>::new());
}

/// A cart of an own offer of the target, and of these offers of each source.
async fn cart_of(target: &Client, sources: &[(&Client, usize)]) -> Value {
    let mut positions = vec![mandatory(
        &target.subscription_offer("Morgenblatt", 1_990).await,
    )];
    for (source, offers) in sources {
        for _ in 0..*offers {
            let shared = source.shared_offer("Garden Weekly", 999, &[target]).await;
            positions.push(mandatory(&shared));
        }
    }
    target.cart(&positions).await
}

fn numbers(event: &Value) -> Vec<u64> {
    let positions = event["data"]["positions"].as_array().expect("positions");
    let number = |position: &Value| position["number"].as_u64().expect("a number");
    positions.iter().map(number).collect()
}

#[tokio::test]
async fn a_sale_is_one_event_of_each_client_of_the_company() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let pair = setup.pair_within_one_company().await;
    let (first, target) = (&pair.source, &pair.target);
    let second = setup.client(&first.company, "Bergwelt", "de").await;
    let _ = Pair::connect(second.clone(), target.clone(), None).await;
    let types = json!(["order.created"]);
    let mut endpoints = Vec::new();
    for client in [target, first, &second] {
        endpoints.push(Endpoint::of(&stage, client, types.clone()).await);
    }
    let cart = cart_of(target, &[(first, 2), (&second, 1)]).await;
    let customer = target.customer().await;
    let order = target.sell(&cart, &customer).await.created();
    stage.work().await;
    let expected: [(&str, &[u64]); 3] = [
        ("seller", &[1, 2, 3, 4]),
        ("source", &[2, 3]),
        ("source", &[4]),
    ];
    for (endpoint, (role, positions)) in endpoints.iter().zip(expected) {
        let [event] = &endpoint.received()[..] else {
            panic!("one event: {:?}", endpoint.received())
        };
        let data = &event["data"];
        assert_eq!(
            (&data["role"], numbers(event)),
            (&json!(role), positions.to_vec())
        );
        assert_eq!(data["order"]["id"], order["id"]);
        assert_eq!(data["order"]["createdAt"], order["createdAt"]);
        assert_eq!(data["customer"], json!({"id": id(&customer)}));
        assert_eq!(data["order"]["total"].is_object(), role == "seller");
    }
    let listed = format!("/v1/callbacks?orderId={}", id(&order));
    assert_eq!(first.api.all(&listed).await.len(), 1);
}

#[tokio::test]
async fn a_source_of_another_company_gets_a_callback_instead() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let receiver = setup.receiver().await;
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let [of_source, of_target] = [
        Endpoint::of(&stage, &pair.source, Value::Null).await,
        Endpoint::of(&stage, &pair.target, Value::Null).await,
    ];
    let _ = pair.sell().await;
    stage.work().await;
    assert_eq!(of_source.received(), Vec::<Value>::new());
    assert_eq!(receiver.received().len(), 1);
    assert_eq!(of_target.received().len(), 1);
    assert_eq!(of_target.received()[0]["type"], "order.created");
}

#[tokio::test]
async fn the_largest_purchase_with_events_fits_one_transaction() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let company = setup.company("Medienhaus", Module::On).await;
    let target = setup.client(&company, "Morgenblatt", "de").await;
    let _ = Endpoint::of(&stage, &target, Value::Null).await;
    let mut sources = Vec::new();
    for _ in 0..19 {
        let source = setup.client(&company, "Garden Weekly", "de").await;
        let _ = Pair::connect(source.clone(), target.clone(), None).await;
        let _ = Endpoint::of(&stage, &source, Value::Null).await;
        sources.push(source);
    }
    let of_each: Vec<_> = sources.iter().map(|source| (source, 1)).collect();
    let (cart, customer) = (cart_of(&target, &of_each).await, target.customer().await);
    let before = stage.table.dump().len();
    stage.table.reset_calls();
    let _ = target.sell(&cart, &customer).await.created();
    let calls = ["BatchGetItem", "BatchGetItem", "TransactWriteItems"];
    assert_eq!(stage.table.calls(), calls);
    // The order, the record of the key, the own subscription, three rows for each cross-client position, an event of each client.
    assert_eq!(stage.table.dump().len() - before, 3 + 19 * 3 + 20);
}

/// docs/table-design.md has the figure.
#[tokio::test]
async fn an_event_of_a_sale_costs_the_documented_write_units() {
    let mut units = Vec::new();
    for has_endpoint in [false, true] {
        let stage = InProcess::start().await;
        let pair = stage.setup().pair_within_one_company().await;
        if has_endpoint {
            let _ = Endpoint::of(&stage, &pair.target, Value::Null).await;
        }
        let checkout = pair.checkout().await;
        stage.table.reset_calls();
        let _ = checkout.purchase("k1").await.created();
        units.push(stage.table.capacity().write);
    }
    let documented = format!(
        "an event of a sale adds {} write units",
        units[1] - units[0]
    );
    let design = include_str!("../../../docs/table-design.md");
    let words: Vec<&str> = design.split_whitespace().collect();
    assert!(words.join(" ").contains(&documented), "{documented}");
}
