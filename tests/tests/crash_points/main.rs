//! Every crash point: each function with effects is run with each of its AWS calls failing, before and after that call took
//! effect and with the process dying there; then the retries that production makes run. In the end there must be exactly what
//! there is without a fault.
//!
//! Parts: [`scenario`] (what is run), one module per area with its scenarios, [`stage`] (a house whose SQS and SES lie beneath
//! the real SDK), [`driver`] (faults, retries, judgement), [`plain`] (rows without what differs from run to run).
//!
//! A new function, or a new route that writes, fails `every_function_and_every_route_that_writes_is_tried` until it is here.

mod driver;
mod handing_over;
mod importing;
mod managing;
mod plain;
mod scenario;
mod selling;
mod sharing;
mod stage;
mod working;

use std::collections::BTreeSet;

use scenario::Scenario;
use tandem_testing::template;

fn all() -> Vec<Scenario> {
    [
        managing::scenarios(),
        sharing::scenarios(),
        selling::scenarios(),
        importing::scenarios(),
        working::scenarios(),
        handing_over::scenarios(),
    ]
    .concat()
}

/// Tries all scenarios of these functions; a test each, so that they run side by side.
macro_rules! tried {
    ($($test:ident: $($function:literal),+;)*) => {
        const TRIED: &[&str] = &[$($($function),+),*];
        $(
            #[tokio::test]
            async fn $test() {
                driver::try_functions(&[$($function),+], &all()).await;
            }
        )*
    };
}

tried! {
    tenants_and_keys: "tenants", "authorize";
    customers: "customers";
    offers: "offers";
    connections: "connections";
    carts: "carts";
    purchases: "purchase-cart";
    refunds_and_charge_backs: "orders";
    payments_and_cancellations: "subscriptions";
    vouchers: "redeem-voucher";
    payouts: "payouts";
    replays_and_event_endpoints: "callbacks";
    accepted_imports: "import-orders";
    running_imports: "process-imports";
    callback_deliveries: "deliver-callbacks";
    mails: "send-mails";
    news_of_mails: "note-mail-events";
    the_relay: "relay-outbox";
    the_sweep: "sweep-outbox";
}

#[test]
fn every_function_and_every_route_that_writes_is_tried() {
    let all = all();
    let tried: BTreeSet<&str> = TRIED.iter().copied().collect();
    let with_scenarios: BTreeSet<&str> = all.iter().map(|scenario| scenario.function).collect();
    let template = template();
    let resources = template["Resources"]
        .as_object()
        .expect("resources")
        .values();
    let functions: Vec<_> = resources
        .filter(|resource| resource["Type"] == "AWS::Serverless::Function")
        .collect();
    let name = |function: &&serde_json::Value| {
        function["Metadata"]["BuildProperties"]["Binary"]
            .as_str()
            .expect("a function's binary")
            .to_owned()
    };
    let names: BTreeSet<String> = functions.iter().map(name).collect();
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(names, tried, "a function is not tried");
    assert_eq!(names, with_scenarios, "a function has no scenario");

    let events = functions
        .iter()
        .filter_map(|function| function["Properties"]["Events"].as_object());
    let writing: BTreeSet<String> = events
        .flat_map(|events| events.values())
        .filter(|event| event["Type"] == "HttpApi" && event["Properties"]["Method"] != "GET")
        .map(|event| {
            ["Method", "Path"]
                .map(|part| event["Properties"][part].as_str().expect("a route"))
                .join(" ")
        })
        .collect();
    let routes: BTreeSet<String> = all
        .iter()
        .filter_map(|scenario| scenario.route.map(str::to_owned))
        .collect();
    assert!(
        writing.len() > 30 && writing == routes,
        "not tried: {:?}",
        writing.difference(&routes).collect::<Vec<_>>()
    );
}
