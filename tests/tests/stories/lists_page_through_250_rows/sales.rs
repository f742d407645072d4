//! Orders, subscriptions, payout rows and callbacks.

mod payouts;

use jiff::Timestamp;
use serde_json::{Value, json};
use tandem_tests::{Client, Module, Pair, Receiver, Setup, id, mandatory, side_by_side};

use super::{all, filtered, same};

/// Two targets of one contracting company sell the shared offers of a source of another one: 250 orders of the first target,
/// 23 of them refunded and 5 charged back, and 10 orders of the second.
struct Sales {
    source: Client,
    targets: [Client; 2],
    connections: [String; 2],
    /// Two shared offers.
    offers: [Value; 2],
    /// Ten customers, each of whom buys both offers of the first target.
    customers: Vec<Value>,
    /// Of the first target.
    orders: Vec<Value>,
    /// Of the second.
    others: Vec<Value>,
}

impl Sales {
    async fn made(receiver: &Receiver) -> Self {
        let setup = Setup::new().await;
        let companies = [
            setup.company("Garden Press", Module::On).await,
            setup.company("Morgenblatt Verlag", Module::On).await,
        ];
        let source = setup.client(&companies[0], "Garden Weekly", "en").await;
        let targets = [
            setup.client(&companies[1], "Morgenblatt", "de").await,
            setup.client(&companies[1], "Abendblatt", "de").await,
        ];
        let mut connections = Vec::new();
        for target in &targets {
            connections.push(
                Pair::connect(source.clone(), target.clone(), Some(&receiver.url()))
                    .await
                    .connection_id,
            );
        }
        let both = [&targets[0], &targets[1]];
        let offers = [
            source.shared_offer("Weekly", 999, &both).await,
            source.shared_offer("Monthly", 1_299, &both).await,
        ];
        let customers = side_by_side((0..10).map(|_| targets[0].customer())).await;
        let carts = [
            cart(&targets[0], &offers[0]).await,
            cart(&targets[0], &offers[1]).await,
            cart(&targets[1], &offers[0]).await,
        ];
        let sell = async |target: &Client, cart: &Value, number: usize| {
            target.sell(cart, &customers[number % 10]).await.created()
        };
        let orders =
            side_by_side((0..250).map(|number| sell(&targets[0], &carts[number / 10 % 2], number)))
                .await;
        let others = side_by_side((0..10).map(|number| sell(&targets[1], &carts[2], number))).await;
        let take_back = async |how: &str, order: &Value| {
            targets[0]
                .api
                .post(
                    &format!("/v1/orders/{}/{how}", id(order)),
                    json!({"positions": [2]}),
                )
                .await
                .ok()
        };
        side_by_side(
            orders
                .iter()
                .step_by(11)
                .map(|order| take_back("refund", order)),
        )
        .await;
        side_by_side(
            orders
                .iter()
                .skip(5)
                .step_by(55)
                .map(|order| take_back("charge-back", order)),
        )
        .await;
        let connections = connections.try_into().expect("two connections");
        Self {
            source,
            targets,
            connections,
            offers,
            customers,
            orders,
            others,
        }
    }
}

async fn cart(target: &Client, shared: &Value) -> Value {
    let poster =
        json!({"name": "Poster", "type": "single", "price": {"amount": 490, "currency": "EUR"}});
    let own = target.api.post("/v1/offers", poster).await.created();
    target.cart(&[mandatory(&own), mandatory(shared)]).await
}

fn time(value: &Value) -> Timestamp {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("no time: {value}"))
}

fn shared_subscription(order: &Value) -> Value {
    json!({"id": order["positions"][1]["subscriptionId"]})
}

#[tokio::test]
async fn lists_of_sales_have_no_gap_or_repeat() {
    let setup = Setup::new().await;
    let receiver = setup.receiver().await;
    let sales = Sales::made(&receiver).await;
    orders(&sales).await;
    subscriptions(&sales).await;
    payouts::payouts(&sales).await;
    callbacks(&sales).await;
}

async fn orders(sales: &Sales) {
    let api = &sales.targets[0].api;
    let whole = all(api, "/v1/orders").await;
    same(&whole, &sales.orders);
    same(
        &all(&sales.targets[1].api, "/v1/orders").await,
        &sales.others,
    );
    for customer in [&sales.customers[0], &sales.customers[9]] {
        let of_customer = |order: &Value| order["customerId"] == customer["id"];
        filtered(
            api,
            &format!("/v1/orders?customerId={}", id(customer)),
            &whole,
            25,
            of_customer,
        )
        .await;
        filtered(
            api,
            &format!("/v1/customers/{}/orders", id(customer)),
            &whole,
            25,
            of_customer,
        )
        .await;
    }
}

async fn subscriptions(sales: &Sales) {
    let sold: Vec<Value> = sales.orders.iter().map(shared_subscription).collect();
    let others: Vec<Value> = sales.others.iter().map(shared_subscription).collect();
    let whole = all(&sales.source.api, "/v1/subscriptions").await;
    same(&whole, sold.iter().chain(&others));
    let [weekly, monthly] = sales.offers.each_ref().map(id);
    for (filter, count, name, value) in [
        ("status=pending".to_owned(), 260 - 28, "status", "pending"),
        ("status=refunded".to_owned(), 23, "status", "refunded"),
        ("status=chargedBack".to_owned(), 5, "status", "chargedBack"),
        ("status=active".to_owned(), 0, "status", "active"),
        (format!("offerId={weekly}"), 130 + 10, "offerId", weekly),
        (format!("offerId={monthly}"), 120, "offerId", monthly),
    ] {
        let path = format!("/v1/subscriptions?{filter}");
        filtered(&sales.source.api, &path, &whole, count, |row| {
            row[name] == value
        })
        .await;
    }

    let api = &sales.targets[0].api;
    let whole = all(api, "/v1/subscriptions").await;
    same(&whole, &sold);
    let customer = id(&sales.customers[0]);
    let of_customer = |row: &Value| row["customerId"] == customer;
    let count = whole.iter().filter(|row| of_customer(row)).count();
    filtered(
        api,
        &format!("/v1/subscriptions?customerId={customer}"),
        &whole,
        count,
        of_customer,
    )
    .await;
    filtered(
        api,
        &format!("/v1/customers/{customer}/subscriptions"),
        &whole,
        count,
        of_customer,
    )
    .await;
    let path = format!("/v1/subscriptions?customerId={customer}&offerId={weekly}&status=active");
    let fits =
        |row: &Value| of_customer(row) && row["offerId"] == weekly && row["status"] == "active";
    let count = whole.iter().filter(|row| fits(row)).count();
    assert!(count > 0 && count < 20, "{count}");
    filtered(api, &path, &whole, count, fits).await;
}

async fn callbacks(sales: &Sales) {
    let api = &sales.source.api;
    api.settle("all callbacks to be delivered", async || {
        match api.all("/v1/callbacks?status=pending").await.len() {
            0 => Ok(()),
            left => Err(format!("{left} are pending")),
        }
    })
    .await;
    let whole = all(api, "/v1/callbacks").await;
    assert_eq!(whole.len(), 260 + 28);
    let (order, subscription) = (
        id(&sales.orders[0]),
        shared_subscription(&sales.orders[5])["id"].clone(),
    );
    let subscription = subscription.as_str().expect("an id");
    let [first, second] = &sales.connections;
    for (filter, count, name, value) in [
        (
            "type=crossClientOrder.created".to_owned(),
            260,
            "type",
            "crossClientOrder.created",
        ),
        (
            "type=crossClientSubscription.refunded".to_owned(),
            28,
            "type",
            "crossClientSubscription.refunded",
        ),
        (
            "type=connection.test".to_owned(),
            0,
            "type",
            "connection.test",
        ),
        ("status=delivered".to_owned(), 288, "status", "delivered"),
        ("status=held".to_owned(), 0, "status", "held"),
        (format!("connectionId={first}"), 278, "connectionId", first),
        (format!("connectionId={second}"), 10, "connectionId", second),
        (format!("orderId={order}"), 2, "orderId", order),
        (
            format!("subscriptionId={subscription}"),
            2,
            "subscriptionId",
            subscription,
        ),
    ] {
        filtered(
            api,
            &format!("/v1/callbacks?{filter}"),
            &whole,
            count,
            |callback| callback[name] == value,
        )
        .await;
    }
    let path = format!(
        "/v1/callbacks?type=crossClientSubscription.refunded&orderId={order}&status=delivered"
    );
    filtered(api, &path, &whole, 1, |callback| {
        callback["orderId"] == order && callback["type"] == "crossClientSubscription.refunded"
    })
    .await;
}
