//! Measures the import of many orders of five clients at once: `make bench-import`.

// The handlers' futures are a deeply nested type.
#![recursion_limit = "256"]

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use futures::future::try_join_all;
use serde_json::Value;
use tandem_bench::counting_proxy::Usage;
use tandem_bench::import::{ImportBench, Importer};
use tandem_bench::lambda::MEMORY;
use tandem_bench::table::{line, say};

const CLIENTS: usize = 5;
/// Orders per call.
const CALL: usize = 1_000;
/// Orders of all clients; the first argument overrides it.
const ORDERS: usize = 100_000;
/// Bytes.
const LARGEST_BODY: usize = 2 * 1024 * 1024;

#[tokio::main]
async fn main() -> Result<()> {
    let orders = std::env::args()
        .nth(1)
        .map_or(Ok(ORDERS), |number| number.parse())?;
    ensure!(
        orders % (CLIENTS * CALL) == 0,
        "the number of orders must be a multiple of {}",
        CLIENTS * CALL
    );
    let bench = ImportBench::start(2, 4).await?;
    say(
        "real: the binaries import-orders (2 processes), relay-outbox (1) and process-imports (4), fed through the Lambda Runtime API",
    );
    say(
        "stand-ins: DynamoDB is an in-process one on SQLite, which counts capacity as DynamoDB does; its stream is the keys",
    );
    say(
        "      of the accepted chunks; SQS is a queue that takes the message groups in turn; Secrets Manager",
    );
    let mut workers = tokio::spawn(bench.clone().work());
    let measured = tokio::spawn(measure(bench, orders));
    let result = tokio::select! {
        failed = &mut workers => match failed? { Err(error) => Err(error), Ok(()) => bail!("the workers ended") },
        measured = measured => measured?,
    };
    // End the processes before the server that they poll.
    workers.abort();
    let _ = workers.await;
    result
}

async fn measure(bench: Arc<ImportBench>, orders: usize) -> Result<()> {
    let mut importers = Vec::new();
    for number in 0..CLIENTS {
        importers.push(bench.importer(&format!("Client{number}")).await);
    }
    let small = bench.importer("Small").await;
    let start = Instant::now();
    let promises = try_join_all(
        importers
            .iter()
            .map(|importer| accept_all(&bench, importer, orders / CLIENTS)),
    )
    .await?;
    let accepted = start.elapsed();
    let waiting = bench.services.queue.len();
    let (before, since) = (bench.done_chunks.load(Ordering::Relaxed), Instant::now());
    let items: Vec<Value> = (0..10).map(|number| small.item(number)).collect();
    let promise = bench.import(&small, &items).await?;
    bench.wait_until_done(&small, &promise).await?;
    let (small_took, passed) = (
        since.elapsed(),
        bench.done_chunks.load(Ordering::Relaxed) - before,
    );
    for (importer, promises) in importers.iter().zip(&promises) {
        // One after another, because many concurrent reads would be a load of their own.
        for promise in promises {
            bench.wait_until_done(importer, promise).await?;
        }
    }
    let took = start.elapsed();
    let (accept, work) = (bench.accept_calls.usage(), bench.work_calls.usage());
    let memory = bench.accept.peak_memory()?;

    say("");
    line("orders imported, of 5 clients at once", orders);
    line(
        "orders a second (this machine; compare within one run only)",
        rate(orders, took),
    );
    line(
        "of these seconds, until all were accepted",
        format!("{:.0} %", share(accepted, took)),
    );
    line(
        "calls of the worker to the table, by order",
        per(work.calls, orders),
    );
    line(
        "  transactions that lost a race and were retried",
        format!("{:.3}", per_f(work.cancelled, orders)),
    );
    line(
        "write units, by order (accepting, working)",
        units(accept, work, orders, |usage| usage.write),
    );
    line(
        "read units, by order (accepting, working)",
        units(accept, work, orders, |usage| usage.read),
    );
    say("");
    line("chunks that waited when a client sent 10 orders", waiting);
    line(
        "chunks of others done until its orders were",
        passed.saturating_sub(1),
    );
    line(
        "its seconds, of the seconds of all",
        format!(
            "{:.1} of {:.0}",
            small_took.as_secs_f64(),
            took.as_secs_f64()
        ),
    );
    say("");
    line(
        "peak memory of process-imports, MiB",
        mib(bench.worker.peak_memory()?),
    );
    line(
        "peak memory of relay-outbox, MiB",
        mib(bench.relay.peak_memory()?),
    );
    line("peak memory of import-orders, MiB", mib(memory));
    largest_bodies(&bench, &small).await?;
    ensure!(
        passed < 100,
        "the small client waited for too many chunks of others"
    );
    for function in [&bench.accept, &bench.worker, &bench.relay] {
        ensure!(
            function.peak_memory()? < MEMORY * 1024,
            "a function needs more than {MEMORY} MiB"
        );
    }
    Ok(())
}

async fn accept_all(
    bench: &ImportBench,
    importer: &Importer,
    orders: usize,
) -> Result<Vec<String>> {
    let mut promises = Vec::new();
    for call in 0..orders / CALL {
        let items: Vec<Value> = (0..CALL)
            .map(|number| importer.item(call * CALL + number))
            .collect();
        promises.push(bench.import(importer, &items).await?);
    }
    Ok(promises)
}

/// Bodies of the largest size: an honest import, and the most costly bodies for a parser.
async fn largest_bodies(bench: &ImportBench, importer: &Importer) -> Result<()> {
    let items: Vec<Value> = (0..CALL)
        .map(|number| importer.item(100_000 + number))
        .collect();
    let honest = serde_json::json!({"items": items}).to_string();
    let filled = |begin: &str, part: &str, end: &str| {
        let room = LARGEST_BODY - begin.len() - end.len();
        let body = format!("{begin}{}{end}", part.repeat(room / part.len()));
        format!("{body}{}", " ".repeat(LARGEST_BODY - body.len()))
    };
    let bodies = [
        (
            "1,000 orders and blanks",
            202,
            format!("{honest}{}", " ".repeat(LARGEST_BODY - honest.len())),
        ),
        ("items: numbers", 422, filled(r#"{"items":[0"#, ",0", "]}")),
        (
            "items: empty objects",
            422,
            filled(r#"{"items":[{}"#, ",{}", "]}"),
        ),
        (
            "items: empty lists",
            422,
            filled(r#"{"items":[[]"#, ",[]", "]}"),
        ),
        ("the most objects that are accepted", 422, {
            let body = format!(r#"{{"items":[{}0]}}"#, r#"{"":{"":0}},"#.repeat(33_000));
            format!("{body}{}", " ".repeat(LARGEST_BODY - body.len()))
        }),
        (
            "items: small objects",
            422,
            filled(r#"{"items":[{}"#, r#",{"":{"":0}}"#, "]}"),
        ),
        ("unknown members", 422, {
            let members: String = (0..)
                .map(|name| format!(r#""{name:x}":0,"#))
                .take(LARGEST_BODY / 16)
                .collect();
            format!(r#"{{"items":[{{{members}"z":0}}]}}"#)
        }),
    ];
    for (label, expected, body) in bodies {
        let call = importer
            .call("POST /v1/imports/orders")
            .header("content-type", "application/json")
            .body(body);
        let (status, answer) = bench.http(call).await?;
        line(
            &format!("  after a body of 2 MiB: {label} ({status})"),
            mib(bench.accept.peak_memory()?),
        );
        ensure!(
            status == expected || status == 400,
            "{label} was answered with {status}: {answer}"
        );
    }
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    clippy::float_arithmetic,
    reason = "shares"
)]
fn per_f(count: u64, orders: usize) -> f64 {
    count as f64 / orders as f64
}

fn per(count: u64, orders: usize) -> String {
    format!("{:.2}", per_f(count, orders))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::float_arithmetic,
    reason = "shares"
)]
fn units(accept: Usage, work: Usage, orders: usize, of: fn(&Usage) -> f64) -> String {
    format!(
        "{:.2}, {:.2}",
        of(&accept) / orders as f64,
        of(&work) / orders as f64
    )
}

#[expect(
    clippy::cast_precision_loss,
    clippy::float_arithmetic,
    reason = "a rate"
)]
fn rate(orders: usize, took: std::time::Duration) -> String {
    format!("{:.0}", orders as f64 / took.as_secs_f64())
}

#[expect(clippy::float_arithmetic, reason = "a share")]
fn share(part: std::time::Duration, whole: std::time::Duration) -> f64 {
    part.as_secs_f64() * 100.0 / whole.as_secs_f64()
}

#[expect(
    clippy::cast_precision_loss,
    clippy::float_arithmetic,
    reason = "for people"
)]
fn mib(kib: u64) -> String {
    format!("{:.1}", kib as f64 / 1024.0)
}
