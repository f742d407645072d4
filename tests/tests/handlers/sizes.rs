//! The write units and the stored octets of a purchase with names and addresses of real length.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tandem_testing::RowSize;
use tandem_tests::{InProcess, id};

const UNUSED_URL: &str = "https://callbacks.gartenpresse.example.com/tandem/v1/";
/// A write unit is 1,024 octets of a row.
const UNIT: usize = 1_024;
/// DynamoDB stores these octets with each row and each index entry.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
const OVERHEAD: usize = 100;

/// The rows that a call writes.
async fn new_rows<T>(stage: &InProcess, call: impl Future<Output = T>) -> (T, Vec<RowSize>) {
    let before = stage.table.sizes();
    let answer = call.await;
    let mut after = stage.table.sizes();
    after.retain(|row| !before.iter().any(|old| old.key == row.key));
    (answer, after)
}

#[tokio::test]
async fn a_purchase_with_long_names_uses_26_write_units() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_with_long_names(UNUSED_URL).await;
    let checkout = pair.checkout_with_long_names().await;
    stage.table.reset_calls();
    let (answer, rows) = new_rows(&stage, checkout.purchase("k1")).await;
    let _ = answer.created();
    let calls = ["BatchGetItem", "BatchGetItem", "TransactWriteItems"];
    assert_eq!(stage.table.calls(), calls);
    assert!(rows.iter().all(|row| row.octets <= UNIT), "{rows:#?}");
    assert_eq!(stage.table.capacity().write, 26.0, "{rows:#?}");
}

#[tokio::test]
async fn a_purchase_with_long_names_leaves_8300_octets_for_good() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_with_long_names(UNUSED_URL).await;
    let checkout = pair.checkout_with_long_names().await;
    let (_, rows) = new_rows(&stage, async {
        let _ = checkout.purchase("k1").await.created();
        let code = pair.source.newest_voucher_code().await;
        let customer = pair.source.customer().await;
        let _ = pair.source.redeem(&code, &customer).await.ok();
    })
    .await;
    // A delivered callback and the records of keys expire; the customer of the source is no part of the sale.
    let kinds = ["order", "subscription", "payout"];
    let kept = rows.iter().filter(|row| kinds.contains(&row.kind()));
    let entries = |row: &RowSize| {
        row.octets
            + OVERHEAD
            + row
                .indexes
                .iter()
                .map(|entry| entry + OVERHEAD)
                .sum::<usize>()
    };
    let octets: usize = kept.map(entries).sum();
    assert!(octets <= 8_300, "{octets}: {rows:#?}");
}

/// The purchases of one merchant in a second, all of one cart.
const PURCHASES: u32 = 2_000;
/// The units of a partition in a second, of the table or of an index.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>
const WRITE_UNITS: u32 = 1_000;
const READ_UNITS: u32 = 3_000;

#[tokio::test]
async fn one_merchant_sells_two_thousand_times_a_second() {
    const SAMPLE: u32 = 160;
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_with_long_names(UNUSED_URL).await;
    let checkout = pair.checkout_with_long_names().await;
    let before = stage.table.dump();
    stage.table.reset_calls();
    for number in 0..SAMPLE {
        // Each customer has a list of its own.
        let customer = pair.target.customer().await;
        let body = json!({"customerId": id(&customer), "paymentMethod": "PAYPAL"});
        let key = number.to_string();
        let path = checkout.purchase_path();
        let sold = pair.target.api.post_with_key(&path, &key, body);
        let _ = sold.await.created();
    }
    let mut rows = stage.table.dump();
    rows.retain(|row| !before.contains(row) && row["sk"] != "customer" && row["sk"] != "guard");
    let written = rows.iter().flat_map(entries);
    // Rows have one unit in a transaction, which takes two, and index entries one.
    let busiest = busiest_of(written);
    assert!(busiest.1 * PURCHASES <= SAMPLE * WRITE_UNITS, "{busiest:?}");
    let reads = stage.table.reads().into_iter();
    // A consistent read of a row below 4 KB takes one unit.
    let busiest = busiest_of(reads.map(|key| (key.pk, 1)));
    assert!(busiest.1 * PURCHASES <= SAMPLE * READ_UNITS, "{busiest:?}");
}

/// The partitions that a new row is written to, with the write units of each.
fn entries(row: &Value) -> Vec<(String, u32)> {
    let partition = |index: &str, name: &str, units| {
        let value = row[name].as_str()?;
        Some((format!("{index} {value}"), units))
    };
    [
        partition("table", "pk", 2),
        partition("gsi1", "gsi1pk", 1),
        partition("gsi2", "gsi2pk", 1),
        partition("voucher", "voucherHash", 1),
        // It leaves the index again when the callback is delivered.
        partition("due", "dueShard", 2),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The partition with the most units.
fn busiest_of(used: impl Iterator<Item = (String, u32)>) -> (String, u32) {
    let mut sums: BTreeMap<String, u32> = BTreeMap::new();
    for (partition, units) in used {
        *sums.entry(partition).or_default() += units;
    }
    let busiest = sums.into_iter().max_by_key(|(_, units)| *units);
    busiest.expect("a partition")
}
