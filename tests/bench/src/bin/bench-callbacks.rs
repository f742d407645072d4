//! Delivers many callbacks to receivers some of which fail, and tells what that costs: `make bench-callbacks`.

// The futures of all handlers are one deep type.
#![recursion_limit = "256"]

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use tandem_bench::callbacks::{Load, Run, SCHEDULE, Stage};
use tandem_bench::ledger::{Entry, percentile};
use tandem_bench::receivers::{Faults, can_be_dead};
use tandem_bench::table::{line, say};

/// Callbacks of the run in which requests fail, unless the first argument says otherwise.
const CALLBACKS: usize = 20_000;
/// Endpoints, each of a client of its own.
const ENDPOINTS: usize = 100;
/// Callbacks a second of the runs in which endpoints are dead: so many that what comes for them in the ten seconds until the
/// first of it has failed leaves workers free, and so many that it would not.
const PACES: [usize; 2] = [50, 200];

#[tokio::main]
async fn main() -> Result<()> {
    let callbacks = std::env::args()
        .nth(1)
        .map_or(Ok(CALLBACKS), |number| number.parse())?;
    ensure!(callbacks >= 1_000, "say at least 1000");
    let stage = Stage::start(ENDPOINTS).await?;
    let (copies, batch) = (stage.deployed.concurrency, stage.deployed.batch);
    say(format!(
        "real: the binaries deliver-callbacks ({copies} processes, a batch of {batch} each), relay-outbox (1) and sweep-outbox"
    ));
    say(
        "      (1, each minute), fed through the Lambda Runtime API; a receiver over HTTP, which looks at signatures, for each",
    );
    say(format!(
        "      of {ENDPOINTS} endpoints; rows as purchases make them"
    ));
    say(
        "stood in: DynamoDB by an in-process one on SQLite, which counts capacity as DynamoDB does; its stream by the keys of",
    );
    say(
        "          what was sold; SQS by a queue that takes the message groups in turn; Secrets Manager",
    );
    say(format!("seconds before each attempt: {SCHEDULE}"));
    let mut workers = tokio::spawn(stage.clone().work());
    let measured = tokio::spawn(measure(stage, callbacks));
    let result = tokio::select! {
        failed = &mut workers => match failed? { Err(error) => Err(error), Ok(()) => bail!("the workers ended") },
        measured = measured => measured?,
    };
    // The processes are ended while what they ask for work is still there.
    workers.abort();
    let _ = workers.await;
    result
}

async fn measure(stage: Arc<Stage>, callbacks: usize) -> Result<()> {
    let load = Load {
        callbacks,
        a_second: None,
        faults: Faults {
            thousandths: 10,
            dead: false,
        },
    };
    let at_once = stage.run(load).await?;
    tell_of_requests(&stage, &at_once, callbacks)?;

    let mut runs = vec![at_once];
    for a_second in PACES {
        let load = Load {
            callbacks: callbacks / 8,
            a_second: Some(a_second),
            faults: Faults::default(),
        };
        let healthy = stage.run(load).await?;
        let dead = stage
            .run(Load {
                faults: Faults {
                    thousandths: 0,
                    dead: true,
                },
                ..load
            })
            .await?;
        tell_of_endpoints(&healthy, &dead, load.callbacks, a_second);
        runs.extend([healthy, dead]);
    }

    say("");
    let memory = stage.worker.peak_memory()?;
    line(
        "peak memory of deliver-callbacks, MiB (of the template's)",
        format!("{:.1} ({})", mib(memory), stage.deployed.memory),
    );
    line(
        "messages that failed, dead letters",
        format!(
            "{}, {}",
            runs.iter().map(|run| run.cost.failed).sum::<u64>(),
            stage.services.queue.dead()
        ),
    );
    for run in &runs {
        let standing = run.standing;
        ensure!(
            standing.lost == 0 && standing.waiting == 0 && standing.unwritten == 0,
            "not all is delivered: {standing:?}"
        );
        ensure!(
            run.round.met.forged.load(Ordering::Relaxed) == 0,
            "a signature was wrong"
        );
    }
    ensure!(
        memory < stage.deployed.memory * 1024,
        "the worker needs more memory than the template gives"
    );
    Ok(())
}

/// What one of a hundred requests that fail, in each of three ways, does to the rest.
fn tell_of_requests(stage: &Stage, run: &Run, callbacks: usize) -> Result<()> {
    let (entries, cost) = (run.round.ledger.of(|_| true), run.cost);
    let taken: Vec<Duration> = entries
        .iter()
        .filter_map(|entry| Some(entry.taken? - run.began))
        .collect();
    let (most, met) = (
        percentile(taken, 99),
        |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed),
    );
    let (of, whole) = (&run.round.met, by(callbacks as u64, 1));
    say("");
    say("One of a hundred requests is answered with 500, one hangs, one is dropped");
    line("callbacks, handed over at once", callbacks);
    line("lost", run.standing.lost);
    line("attempted again after a 2xx", again(&entries));
    line("attempts", attempts(&entries));
    let ends = format!(
        "{}, {}, {}, {}",
        met(&of.taken),
        met(&of.failed),
        met(&of.hung),
        met(&of.dropped)
    );
    line("  2xx, 500, hung, dropped", ends);
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
            held(run).as_secs_f64()
        ),
    );
    line(
        "most workers busy at a time",
        format!("{} of {}", run.most_busy, stage.worker.copies()),
    );
    line(
        "deliveries a second, until 99 % were delivered",
        format!(
            "{:.0}",
            share(by((callbacks * 99 / 100) as u64, 1), most.as_secs_f64())
        ),
    );
    line(
        "seconds until 99 %, until all",
        format!("{:.1}, {:.1}", most.as_secs_f64(), run.took.as_secs_f64()),
    );
    line("start delay p50, p99, in seconds", delays(&entries));
    Ok(())
}

/// What one of ten endpoints that hangs does to the others, beside a run without.
fn tell_of_endpoints(healthy: &Run, dead: &Run, callbacks: usize, a_second: usize) {
    let others = |run: &Run| run.round.ledger.of(|endpoint| !can_be_dead(endpoint));
    let (without, with) = (others(healthy), others(dead));
    let of_dead = dead.round.ledger.of(can_be_dead);
    let p99 = |entries: &[Entry]| {
        percentile(entries.iter().filter_map(Entry::start_delay).collect(), 99).as_secs_f64()
    };
    let both = |of: fn(&Run) -> String| format!("{} | {}", of(healthy), of(dead));
    say("");
    say(format!(
        "{a_second} callbacks a second, {callbacks} in all: none of the endpoints hangs | one of ten hangs for 15 s on everything"
    ));
    line(
        "callbacks of the other nine",
        format!("{} | {}", without.len(), with.len()),
    );
    line(
        "  start delay p50, p99, in seconds",
        format!("{} | {}", delays(&without), delays(&with)),
    );
    line(
        "  p99 with those that hang to p99 without",
        format!("{:.2}", share(p99(&with), p99(&without))),
    );
    line(
        "most workers busy at a time",
        both(|run| run.most_busy.to_string()),
    );
    line(
        "seconds of all invocations",
        both(|run| format!("{:.0}", run.cost.worked.as_secs_f64())),
    );
    line(
        "seconds of attempts that hung (up to ten in an invocation)",
        both(|run| format!("{:.0}", held(run).as_secs_f64())),
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
            by(dead.round.met.hung.load(Ordering::Relaxed), ENDPOINTS / 10)
        ),
    );
    line(
        "  most at a time at one endpoint",
        dead.round.met.most_at_dead.load(Ordering::Relaxed),
    );
    line(
        "callbacks of such an endpoint",
        format!("{:.0}", by(of_dead.len() as u64, ENDPOINTS / 10)),
    );
    line(
        "seconds until they had all of it, after they were there again",
        format!("{:.0}", dead.drained.as_secs_f64()),
    );
    line("lost", both(|run| run.standing.lost.to_string()));
    line(
        "attempted again after a 2xx",
        format!("{} | {}", again(&without), again(&with) + again(&of_dead)),
    );
}

fn attempts(entries: &[Entry]) -> u32 {
    entries.iter().map(|entry| entry.attempts).sum()
}

fn again(entries: &[Entry]) -> u32 {
    entries.iter().map(|entry| entry.again).sum()
}

fn delays(entries: &[Entry]) -> String {
    let delays: Vec<Duration> = entries.iter().filter_map(Entry::start_delay).collect();
    let at = |hundredths| percentile(delays.clone(), hundredths).as_secs_f64();
    format!("{:.2}, {:.2}", at(50), at(99))
}

fn held(run: &Run) -> Duration {
    Duration::from_millis(run.round.met.held.load(Ordering::Relaxed))
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
