//! Measures the start of functions beside two baseline functions: `make bench-start`.

// The handlers' futures are a deeply nested type.
#![recursion_limit = "256"]

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tandem_bench::start::{Delays, Lambda, Start};
use tandem_bench::table::say;

/// Of each function; the second argument overrides it.
const STARTS: usize = 40;
/// The first is the unit of the others.
const FUNCTIONS: [&str; 6] = [
    "baseline-bare",
    "baseline-sdk",
    "purchase-cart",
    "authorize",
    "relay-outbox",
    "deliver-callbacks",
];
const DELAYS: Delays = Delays {
    dynamodb: Duration::from_millis(5),
    secrets_manager: Duration::from_millis(20),
    sqs: Duration::from_millis(10),
};

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let binaries = arguments.next().context("the folder of the binaries")?;
    let starts = arguments
        .next()
        .map_or(Ok(STARTS), |number| number.parse())?;
    ensure!(starts > 0, "at least one start");
    let lambda = Lambda::start(DELAYS, "a data key, long enough for anyone").await?;
    say(
        "real: the binaries, as released, from exec until they poll the Lambda Runtime API for the first time",
    );
    say(
        "stand-ins: DynamoDB answers after 5 ms, Secrets Manager after 20, SQS after 10, over HTTP without TLS",
    );
    say(
        "baseline-bare: lambda_http alone; baseline-sdk: with one client of DynamoDB, which connects to nothing",
    );
    say(format!("medians of {starts} starts, in turn"));
    say("");
    let mut measured = vec![Vec::new(); FUNCTIONS.len()];
    for _ in 0..starts {
        for (function, measured) in FUNCTIONS.iter().zip(&mut measured) {
            measured.push(lambda.measure(&Path::new(&binaries).join(function)).await?);
        }
    }
    say(format!(
        "{:<20} {:>10} {:>10} {:>10} {:>12}",
        "", "CPU, ms", "x bare", "start, ms", "memory, MiB"
    ));
    let bare = median(&measured[0], |start| micros(start.processor));
    for (function, starts) in FUNCTIONS.iter().zip(&measured) {
        let processor = median(starts, |start| micros(start.processor));
        say(format!(
            "{function:<20} {:>10} {:>10} {:>10} {:>12}",
            decimal(processor, 1_000),
            decimal(processor, bare),
            decimal(median(starts, |start| micros(start.duration)), 1_000),
            decimal(median(starts, |start| start.memory), 1_024),
        ));
    }
    Ok(())
}

fn median(starts: &[Start], of: impl Fn(&Start) -> u64) -> u64 {
    let mut values: Vec<u64> = starts.iter().map(of).collect();
    values.sort_unstable();
    values[values.len() / 2]
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// `value / unit` with one decimal.
fn decimal(value: u64, unit: u64) -> String {
    let tenths = (value * 10 + unit / 2) / unit;
    format!("{}.{}", tenths / 10, tenths % 10)
}
