//! Crash points: each function with effects runs once per AWS call and fault: the call fails before or after it took effect,
//! DynamoDB throttles the transaction, or the process dies there. Then the retries of production run. The outcome must equal a
//! run without faults.
//!
//! Parts: [`scenario`] (the function and its input), one module of scenarios per area, [`environment`] (all functions, with
//! SQS and SES faked beneath the real SDK), [`driver`] (faults, retries), [`judge`] (comparison), [`plain`] (rows without random
//! parts).
//!
//! A new function or writing route fails `each_function_and_writing_route_has_a_scenario` until it has a scenario.

mod driver;
mod environment;
mod handing_over;
mod importing;
mod judge;
mod managing;
mod plain;
mod scenario;
mod selling;
mod sharing;
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

/// One test per function, so that they run in parallel.
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
    own_accounts: "account";
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
fn each_function_and_writing_route_has_a_scenario() {
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
    let names: BTreeSet<String> = functions
        .iter()
        .map(|function| tandem_testing::binary(function))
        .collect();
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(names, tried, "a function has no test");
    assert_eq!(names, with_scenarios, "a function has no scenario");

    let events = functions
        .iter()
        .filter_map(|function| function["Properties"]["Events"].as_object());
    let writing: BTreeSet<String> = events
        .flat_map(|events| events.values())
        .filter(|event| event["Type"] == "HttpApi" && event["Properties"]["Method"] != "GET")
        // The default route answers without an effect.
        .filter(|event| event["Properties"].get("Path").is_some())
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
        "without a scenario: {:?}",
        writing.difference(&routes).collect::<Vec<_>>()
    );
}
