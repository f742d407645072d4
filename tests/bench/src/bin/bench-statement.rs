//! Measures a statement of millions of payout rows, with the real binary: `make bench-statement`.

// The handlers' futures are a deeply nested type.
#![recursion_limit = "256"]
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "for people"
)]

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tandem_bench::deployment::Environment;
use tandem_bench::fair_queue::FairQueue;
use tandem_bench::lambda::Function;
use tandem_bench::long_index::{Length, LongIndex};
use tandem_bench::services::Services;
use tandem_bench::table::{line, say};
use tandem_testing::HttpCall;
use tandem_tests::{InProcess, Pair};

/// A month of 100,000 payments a day; the first argument overrides it.
const ROWS: usize = 3_000_000;
const PARTITIONS: usize = 8;
/// Sales until each partition has an entry, with a chance of a million to one.
const SALES: usize = 130;

#[tokio::main]
async fn main() -> Result<()> {
    let rows = std::env::args()
        .nth(1)
        .map_or(Ok(ROWS), |number| number.parse())?;
    let stage = InProcess::start().await;
    let pair = stage
        .setup()
        .pair_with_long_names("https://receiver.example.com/callbacks")
        .await;
    let checkout = pair.checkout_with_long_names().await;
    for _ in 0..SALES {
        stage.advance(1);
        let sold = pair.target.sell(&checkout.cart, &checkout.customer).await;
        let _ = sold.created();
    }
    let sizes = stage.table.sizes();
    let entry = sizes.iter().filter(|row| row.kind() == "payout");
    let entry = entry
        .flat_map(|row| &row.indexes)
        .max()
        .context("an entry")?;
    let index =
        LongIndex::start(&stage.table.endpoint, Length::of(rows, *entry, PARTITIONS)).await?;
    let queue = FairQueue::new(Duration::from_secs(60), 5);
    let services = Services::start(InProcess::DATA_KEY, "none", queue).await?;
    let environment = Environment {
        table: &stage.table.table_name,
        database: &index.url,
        services: &services,
    };
    let function = environment.start("payouts", 1, &[]).await?;
    function.ready().await?;
    say("real: the binary payouts, fed through the Lambda Runtime API");
    say(
        "stand-ins: an in-process DynamoDB on SQLite; a proxy repeats its index entries until a page has a mebibyte,",
    );
    say("      and pages until the list has the number of rows");
    let before = function.cpu();
    let started = Instant::now();
    let counted = statement(&function, &pair).await?;
    let (took, cpu) = (started.elapsed(), function.cpu() - before);
    ensure!(
        counted >= rows,
        "the statement has {counted} rows of {rows}"
    );
    say("");
    line("rows of the statement", counted);
    line("octets of an index entry", entry);
    line("queries of a mebibyte", index.queries());
    line(
        "seconds (this machine, which also runs the database)",
        format!("{:.1}", took.as_secs_f64()),
    );
    line(
        "CPU of the function, in seconds",
        format!("{:.1}", cpu.as_secs_f64()),
    );
    line(
        "  by row, in microseconds",
        format!("{:.2}", cpu.as_secs_f64() * 1e6 / counted as f64),
    );
    line(
        "peak memory, MiB",
        format!("{:.1}", function.peak_memory()? as f64 / 1024.0),
    );
    Ok(())
}

/// Returns the number of rows that the statement of the seller sums.
async fn statement(function: &Function, pair: &Pair) -> Result<usize> {
    let call = HttpCall::new("GET /v1/payouts/statement")
        .query("role", "target")
        .client(&pair.target.id, &pair.target.company.id);
    let answer: Value = serde_json::from_str(&function.invoke(call.event().to_string()).await?)?;
    ensure!(
        answer["statusCode"] == 200,
        "the statement was answered with {answer}"
    );
    let body: Value = serde_json::from_str(answer["body"].as_str().context("no body")?)?;
    let lines = body["lines"].as_array().context("no lines")?;
    let rows = lines
        .iter()
        .filter_map(|line| line["rows"].as_u64())
        .sum::<u64>();
    Ok(usize::try_from(rows)?)
}
