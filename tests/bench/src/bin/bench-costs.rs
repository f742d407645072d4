//! Counts what each flow costs of the table, with names of real length: `make bench-costs`.
//!
//! The functions run in this process against an in-process table, which counts capacity as DynamoDB does. Prices are in prices.json.

// The handlers' futures are a deeply nested type.
#![recursion_limit = "256"]
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "units are floats, in steps of a half; counts are small"
)]

use std::sync::Arc;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use tandem_bench::table::say;
use tandem_testing::{Capacity, RowSize};
use tandem_tests::{Checkout, Importing, InProcess, Pair, Reply};

/// Orders of an import, and callbacks of a batch.
const ORDERS: usize = 100;
const BATCH: usize = 10;
/// DynamoDB stores these octets with each row and each index entry.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
const OVERHEAD: usize = 100;

/// Dollars.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Prices {
    million_write_units: f64,
    million_read_units: f64,
    gigabyte_month: f64,
}

struct Bench {
    stage: Arc<InProcess>,
    prices: Prices,
}

#[tokio::main]
async fn main() -> Result<()> {
    let prices = serde_json::from_str(include_str!("../../prices.json")).context("prices.json")?;
    let bench = Bench {
        stage: InProcess::start().await,
        prices,
    };
    say(format!(
        "{:<52} {:>7} {:>7} {:>7} {:>11}",
        "each", "calls", "reads", "writes", "$/million"
    ));
    let rows = bench.sales().await;
    bench.imports().await;
    bench.print_rows("rows of a purchase, after 90 days", &rows);
    Ok(())
}

impl Bench {
    /// Runs a flow of several pieces of work, and prints the costs of one.
    async fn flow<T>(&self, name: &str, pieces: usize, flow: impl Future<Output = T>) -> T {
        self.stage.table.reset_calls();
        let done = flow.await;
        self.print(
            name,
            pieces,
            self.stage.table.calls().len(),
            self.stage.table.capacity(),
        );
        done
    }

    fn print(&self, name: &str, pieces: usize, calls: usize, used: Capacity) {
        let each = |sum: f64| sum / pieces as f64;
        let price = used.write * self.prices.million_write_units
            + used.read * self.prices.million_read_units;
        say(format!(
            "{name:<52} {:>7.2} {:>7.2} {:>7.2} {:>11.2}",
            each(calls as f64),
            each(used.read),
            each(used.write),
            each(price),
        ));
    }

    /// Returns the rows of a purchase.
    async fn sales(&self) -> Vec<RowSize> {
        let setup = self.stage.setup();
        let receiver = setup.receiver().await;
        receiver.answer_always(Reply::status(204));
        let pair = setup.pair_with_long_names(&receiver.url()).await;
        let checkout = pair.checkout_with_long_names().await;
        self.stage.work().await;
        let before = self.stage.table.sizes();
        let sold = self.flow("purchase: own and cross-client, two companies", 1, async {
            checkout.purchase("first").await.created()
        });
        let order = sold.await;
        let new = |row: &RowSize| !before.iter().any(|old| old.key == row.key);
        let rows: Vec<_> = self.stage.table.sizes().into_iter().filter(new).collect();
        let repeated = self.flow("the same purchase again", 1, checkout.purchase("first"));
        let _ = repeated.await.created();
        self.deliver(
            "callback, delivered at the first attempt",
            &pair,
            &checkout,
            1,
        )
        .await;
        self.deliver("callback, in a batch of ten", &pair, &checkout, BATCH)
            .await;
        let code = pair.source.newest_voucher_code().await;
        let customer = pair.source.customer().await;
        let redeemed = self.flow(
            "redemption of a voucher",
            1,
            pair.source.redeem(&code, &customer),
        );
        let _ = redeemed.await.ok();
        self.after_the_sale(&pair, &order).await;
        rows
    }

    /// Sells some times, and counts the work of the callbacks' worker.
    async fn deliver(&self, name: &str, pair: &Pair, checkout: &Checkout, times: usize) {
        self.stage.relay().await;
        let _ = self.stage.callback_messages();
        for _ in 0..times {
            self.stage.advance(1);
            let sold = pair.target.sell(&checkout.cart, &checkout.customer).await;
            let _ = sold.created();
        }
        self.stage.relay().await;
        let sent = self.stage.callback_messages().into_iter();
        let messages: Vec<_> = sent.map(|sent| sent.message).collect();
        self.flow(name, times, self.stage.deliver(&messages)).await;
    }

    async fn after_the_sale(&self, pair: &Pair, order: &Value) {
        let shared = order["positions"][1]["subscriptionId"].as_str();
        let shared = shared.expect("a subscription");
        let path = format!("/v1/subscriptions/{shared}/payments");
        let renewed = pair.target.api.post(&path, json!({}));
        let _ = self
            .flow("renewal of a cross-client subscription", 1, renewed)
            .await
            .ok();
        let refunded = self.flow("refund of both positions", 1, pair.target.refund(order));
        let _ = refunded.await.ok();
        for (name, path) in [
            ("list of 20 subscriptions", "/v1/subscriptions"),
            ("list of 20 payout rows", "/v1/payouts?role=target"),
        ] {
            let _ = self.flow(name, 1, pair.target.api.get(path)).await.ok();
        }
    }

    async fn imports(&self) {
        let importing = Importing::new(&self.stage.setup()).await;
        for (name, quantity) in [
            ("imported order, created: accepted and worked", 1),
            ("imported order, unchanged", 1),
            ("imported order, changed", 2),
        ] {
            let item = |number| {
                let external = format!("SAP-ORDER-2026-0000000000000000000{number:05}");
                importing.item(&external, json!({"quantity": quantity}))
            };
            let items: Vec<_> = (0..ORDERS).map(item).collect();
            self.stage.advance(1);
            self.flow(name, ORDERS, async {
                let _ = importing.try_import(&items).await.accepted();
                for message in self.stage.import_messages().await {
                    assert!(self.stage.import(&[message], 1).await.is_empty());
                }
            })
            .await;
        }
    }

    /// Prints rows that stay, with their index entries.
    fn print_rows(&self, title: &str, rows: &[RowSize]) {
        say("");
        say(format!(
            "{title:<52} {:>7} {:>7} {:>7}",
            "octets", "entries", "stored"
        ));
        let mut all = 0;
        let kept = ["order", "subscription", "payout"];
        for row in rows.iter().filter(|row| kept.contains(&row.kind())) {
            let entries = row
                .indexes
                .iter()
                .map(|entry| entry + OVERHEAD)
                .sum::<usize>();
            let stored = row.octets + OVERHEAD + entries;
            all += stored;
            say(format!(
                "{:<52} {:>7} {:>7} {stored:>7}",
                row.kind(),
                row.octets,
                row.indexes.len()
            ));
        }
        let month = all as f64 * 1e6 / 1e9 * self.prices.gigabyte_month;
        say(format!("{:<52} {:>7} {:>7} {all:>7}", "all", "", ""));
        say(format!(
            "{:<52} {month:>23.2}",
            "$ a month for a million such purchases"
        ));
    }
}
