//! Measures the delivery of many callbacks to receivers, some of which fail: `make bench-callbacks`.

// The handlers' futures are a deeply nested type.
#![recursion_limit = "256"]

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use tandem_bench::callback_figures::{Load, Run};
use tandem_bench::callbacks::{CallbackBench, SCHEDULE};
use tandem_bench::deliveries::{Delivery, percentile};
use tandem_bench::receivers::{Faults, can_be_dead};
use tandem_bench::table::{line, say};

/// Callbacks of the first run; the first argument overrides it.
const CALLBACKS: usize = 20_000;
/// Callbacks before each of the first measured runs, so that each worker has served some.
const WARM_UP: usize = 2_000;
/// Each belongs to its own client.
const ENDPOINTS: usize = 100;
/// Callbacks per second of the runs with dead endpoints. At the first rate, the callbacks to dead endpoints of the ten seconds
/// before the first timeout leave workers free; at the second they would not.
const PACES: [usize; 2] = [50, 200];

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let callbacks = arguments
        .next()
        .map_or(Ok(CALLBACKS), |number| number.parse())?;
    ensure!(callbacks >= 1_000, "the least number of callbacks is 1000");
    // Too few workers for receivers that hang.
    let given = arguments.next().map(|number| number.parse()).transpose()?;
    let bench = CallbackBench::start(ENDPOINTS, given).await?;
    let (copies, batch) = (bench.settings.concurrency, bench.settings.batch);
    say(format!(
        "real: the binaries deliver-callbacks ({copies} processes, a batch of {batch} each), relay-outbox (1) and sweep-outbox"
    ));
    say(
        "      (1, each minute), fed through the Lambda Runtime API; a receiver over HTTP and TLS, which verifies signatures,",
    );
    say(format!(
        "      for each of {ENDPOINTS} endpoints; rows as purchases write them, with names of 40 characters"
    ));
    say(
        "stand-ins: DynamoDB is an in-process one on SQLite, which counts capacity as DynamoDB does; its stream is the keys",
    );
    say(
        "      of the sales; SQS is a queue that takes the message groups in turn; Secrets Manager",
    );
    say(format!("seconds before each attempt: {SCHEDULE}"));
    let mut workers = tokio::spawn(bench.clone().work());
    let measured = tokio::spawn(measure(bench, callbacks, given.is_some()));
    let result = tokio::select! {
        failed = &mut workers => match failed? { Err(error) => Err(error), Ok(()) => bail!("the workers ended") },
        measured = measured => measured?,
    };
    // End the processes before the server that they poll.
    workers.abort();
    let _ = workers.await;
    result
}

async fn measure(bench: Arc<CallbackBench>, callbacks: usize, healthy_only: bool) -> Result<()> {
    let mut runs = Vec::new();
    for tls in [false, true] {
        bench.use_tls(tls).await;
        let load = |callbacks| Load {
            callbacks,
            per_second: None,
            faults: Faults::default(),
        };
        // Each process loads the certificates for receivers once.
        runs.push(bench.run(load(WARM_UP)).await?);
        let load = load(callbacks / 2);
        let run = bench.run(load).await?;
        print_healthy(&run, load.callbacks, if tls { "https" } else { "http" });
        runs.push(run);
    }
    if healthy_only {
        return Ok(());
    }
    let load = Load {
        callbacks,
        per_second: None,
        faults: Faults {
            thousandths: 10,
            dead: false,
        },
    };
    let at_once = bench.run(load).await?;
    print_failing_requests(&bench, &at_once, callbacks)?;

    runs.push(at_once);
    for per_second in PACES {
        let load = Load {
            callbacks: callbacks / 8,
            per_second: Some(per_second),
            faults: Faults::default(),
        };
        let healthy = bench.run(load).await?;
        let dead = bench
            .run(Load {
                faults: Faults {
                    thousandths: 0,
                    dead: true,
                },
                ..load
            })
            .await?;
        print_dead_endpoints(&healthy, &dead, load.callbacks, per_second);
        runs.extend([healthy, dead]);
    }

    say("");
    let memory = bench.worker.peak_memory()?;
    line(
        "peak memory of deliver-callbacks, MiB (of the template's)",
        format!("{:.1} ({})", mib(memory), bench.settings.memory),
    );
    line(
        "messages that failed, dead letters",
        format!(
            "{}, {}",
            runs.iter().map(|run| run.cost.failed).sum::<u64>(),
            bench.services.queue.dead()
        ),
    );
    for run in &runs {
        let totals = run.totals;
        ensure!(
            totals.lost == 0 && totals.waiting == 0 && totals.unwritten == 0,
            "not all callbacks are delivered: {totals:?}"
        );
        ensure!(
            run.round.counts.forged.load(Ordering::Relaxed) == 0,
            "a signature was wrong"
        );
    }
    ensure!(
        memory < bench.settings.memory * 1024,
        "the worker needs more memory than the template gives"
    );
    Ok(())
}

/// The cost of callbacks that are all accepted at the first attempt.
fn print_healthy(run: &Run, callbacks: usize, scheme: &str) {
    let cost = run.cost;
    say("");
    say(format!("Every request is accepted, over {scheme}"));
    line("callbacks, all sold at once", callbacks);
    line("messages of an invocation", {
        let invocations = usize::try_from(cost.invocations).unwrap_or(usize::MAX);
        format!("{:.1}", by(cost.messages, invocations))
    });
    let milliseconds = u64::try_from(cost.cpu.as_micros()).unwrap_or(u64::MAX);
    line(
        "CPU of the worker alone, by callback, in ms",
        format!("{:.2}", by(milliseconds, callbacks * 1_000)),
    );
    line(
        "calls of the worker to the table, by callback",
        format!("{:.2}", by(cost.table.calls, callbacks)),
    );
    line(
        "write units, read units, by callback",
        format!(
            "{:.2}, {:.2}",
            share(cost.table.write, by(callbacks as u64, 1)),
            share(cost.table.read, by(callbacks as u64, 1))
        ),
    );
    line(
        "octets of the log, by callback",
        format!("{:.0}", by(cost.logged, callbacks)),
    );
    line(
        "connections to the receivers, by callback",
        format!("{:.2}", by(cost.connections, callbacks)),
    );
    line(
        "deliveries a second",
        format!(
            "{:.0}",
            share(by(callbacks as u64, 1), run.took.as_secs_f64())
        ),
    );
}

/// The effect of one failing request in a hundred, for each of three kinds of failure.
fn print_failing_requests(bench: &CallbackBench, run: &Run, callbacks: usize) -> Result<()> {
    let (deliveries, cost) = (run.round.deliveries.of(|_| true), run.cost);
    let accepted: Vec<Duration> = deliveries
        .iter()
        .filter_map(|delivery| Some(delivery.accepted? - run.started_at))
        .collect();
    let (p99, count) = (
        percentile(accepted, 99),
        |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed),
    );
    let (of, whole) = (&run.round.counts, by(callbacks as u64, 1));
    say("");
    say("One of a hundred requests is answered with 500, one hangs, one is dropped");
    line("callbacks, all sold at once", callbacks);
    line("lost", run.totals.lost);
    line("attempted again after a 2xx", duplicates(&deliveries));
    line("attempts", attempts(&deliveries));
    let results = format!(
        "{}, {}, {}, {}",
        count(&of.accepted),
        count(&of.failed),
        count(&of.hung),
        count(&of.dropped)
    );
    line("  2xx, 500, hung, dropped", results);
    line(
        "calls of the worker to the table, by callback",
        format!("{:.2}", by(cost.table.calls, callbacks)),
    );
    line(
        "  transactions that lost a race",
        format!("{:.3}", by(cost.table.cancelled, callbacks)),
    );
    line(
        "write units, read units, by callback",
        format!(
            "{:.2}, {:.2}",
            share(cost.table.write, whole),
            share(cost.table.read, whole)
        ),
    );
    line(
        "messages sent, by callback",
        format!("{:.2}", by(cost.sent, callbacks)),
    );
    line(
        "messages of an invocation",
        format!(
            "{:.1}",
            by(cost.messages, usize::try_from(cost.invocations)?)
        ),
    );
    line(
        "seconds of all invocations, of attempts that hung",
        format!(
            "{:.0}, {:.0}",
            cost.worked.as_secs_f64(),
            hung(run).as_secs_f64()
        ),
    );
    line(
        "most workers busy at the same time",
        format!("{} of {}", run.max_busy, bench.worker.copies()),
    );
    line(
        "deliveries a second, until 99 % were delivered",
        format!(
            "{:.0}",
            share(by((callbacks * 99 / 100) as u64, 1), p99.as_secs_f64())
        ),
    );
    line(
        "seconds until 99 %, until all",
        format!("{:.1}, {:.1}", p99.as_secs_f64(), run.took.as_secs_f64()),
    );
    line("start delay p50, p99, in seconds", delays(&deliveries));
    Ok(())
}

/// The effect of one hanging endpoint in ten on the others, beside a run without.
fn print_dead_endpoints(healthy: &Run, dead: &Run, callbacks: usize, per_second: usize) {
    let others = |run: &Run| run.round.deliveries.of(|endpoint| !can_be_dead(endpoint));
    let (without, with) = (others(healthy), others(dead));
    let of_dead = dead.round.deliveries.of(can_be_dead);
    let p99 = |deliveries: &[Delivery]| {
        percentile(
            deliveries
                .iter()
                .filter_map(Delivery::start_delay)
                .collect(),
            99,
        )
        .as_secs_f64()
    };
    let both = |of: fn(&Run) -> String| format!("{} | {}", of(healthy), of(dead));
    say("");
    say(format!(
        "{per_second} callbacks a second, {callbacks} in all: none of the endpoints hangs | one of ten hangs for 15 s on everything"
    ));
    line(
        "callbacks of the other endpoints",
        format!("{} | {}", without.len(), with.len()),
    );
    line(
        "  start delay p50, p99, in seconds",
        format!("{} | {}", delays(&without), delays(&with)),
    );
    line(
        "  p99 with hanging endpoints, to p99 without",
        format!("{:.2}", share(p99(&with), p99(&without))),
    );
    line(
        "most workers busy at the same time",
        both(|run| run.max_busy.to_string()),
    );
    line(
        "seconds of all invocations",
        both(|run| format!("{:.0}", run.cost.worked.as_secs_f64())),
    );
    line(
        "seconds of attempts that hung (up to ten in an invocation)",
        both(|run| format!("{:.0}", hung(run).as_secs_f64())),
    );
    line(
        "calls of the worker to the table, by callback",
        format!(
            "{:.2} | {:.2}",
            by(healthy.cost.table.calls, callbacks),
            by(dead.cost.table.calls, callbacks)
        ),
    );
    line(
        "attempts that hung, by endpoint",
        format!(
            "{:.1}",
            by(
                dead.round.counts.hung.load(Ordering::Relaxed),
                ENDPOINTS / 10
            )
        ),
    );
    line(
        "  most at the same time at one endpoint",
        dead.round.counts.max_at_dead.load(Ordering::Relaxed),
    );
    line(
        "callbacks of a hanging endpoint",
        format!("{:.0}", by(of_dead.len() as u64, ENDPOINTS / 10)),
    );
    line(
        "seconds from their recovery until they had all of it",
        format!("{:.0}", dead.drained.as_secs_f64()),
    );
    line("lost", both(|run| run.totals.lost.to_string()));
    line(
        "attempted again after a 2xx",
        format!(
            "{} | {}",
            duplicates(&without),
            duplicates(&with) + duplicates(&of_dead)
        ),
    );
}

fn attempts(deliveries: &[Delivery]) -> u32 {
    deliveries.iter().map(|delivery| delivery.attempts).sum()
}

fn duplicates(deliveries: &[Delivery]) -> u32 {
    deliveries.iter().map(|delivery| delivery.duplicates).sum()
}

fn delays(deliveries: &[Delivery]) -> String {
    let delays: Vec<Duration> = deliveries
        .iter()
        .filter_map(Delivery::start_delay)
        .collect();
    let at = |hundredths| percentile(delays.clone(), hundredths).as_secs_f64();
    format!("{:.2}, {:.2}", at(50), at(99))
}

fn hung(run: &Run) -> Duration {
    Duration::from_millis(run.round.counts.hung_ms.load(Ordering::Relaxed))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::float_arithmetic,
    reason = "a share"
)]
fn by(count: u64, whole: usize) -> f64 {
    count as f64 / whole as f64
}

#[expect(clippy::float_arithmetic, reason = "a share")]
fn share(part: f64, whole: f64) -> f64 {
    part / whole
}

#[expect(
    clippy::cast_precision_loss,
    clippy::float_arithmetic,
    reason = "for people"
)]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
