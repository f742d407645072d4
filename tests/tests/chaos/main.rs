//! Random histories with faults: what callers, partners, queues, clocks and dying processes may do to Tandem, in an order that
//! nobody thought of. After each, everything that Tandem promises is looked at.
//!
//! A history comes from a seed: [`draw`] makes it before anything happens. [`run`] plays it over the real handlers and workers
//! on a table in this process: calls with faults beneath the SDK, repeats, one call overtaking another ([`requests`] says what is
//! sent); the stream, sweeps and messages that come late, twice, in reverse or not at all ([`traffic`]); partners that are down
//! ([`receiver`]). Then [`settle`] lets everything be done, and [`judge`] looks. [`world`] is where all of them begin.
//!
//! ```text
//! make chaos SEEDS=100000     many seeds, from a seed that is drawn and printed
//! make chaos SEED=4711        one of them again
//! ```
//!
//! What a seed determines: every step, with its faults; that is, all that is decided here. What it does not: the ids, secrets and
//! jitter that the functions draw from the system, hence which of two rows of one time comes first in an index, and by how much
//! a callback's next attempt is later; which of an import's items, which are written side by side, makes the call that a fault
//! hits; and whether a receiver on a busy machine answers in time. No step refers to any of these.

mod draw;
mod judge;
mod receiver;
mod requests;
mod run;
mod settle;
mod step;
mod traffic;
mod world;

use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt as _;

use judge::Tally;
use run::Run;
use world::World;

/// Seeds of a run that nobody asked for more of.
const SEEDS: u64 = 300;
/// A history takes a fraction of a second.
const LONGEST: Duration = Duration::from_secs(120);
/// So often each thing must have happened in them, or they try too little.
const RARE: usize = 10;

fn asked(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
    )
}

#[test]
#[expect(clippy::print_stdout, reason = "whoever runs it has to know the seeds")]
fn random_histories_keep_every_promise() {
    let one = asked("TANDEM_CHAOS_SEED");
    let count = if one.is_some() {
        1
    } else {
        asked("TANDEM_CHAOS_SEEDS").unwrap_or(SEEDS)
    };
    // The same seeds each time, where a failure must not come and go; long runs go elsewhere.
    let first = one.unwrap_or_else(|| {
        if count > SEEDS {
            fastrand::u64(0..1 << 48)
        } else {
            0
        }
    });
    println!(
        "{count} histories, of the seeds {first} to {}",
        first + count - 1
    );
    let began = std::time::Instant::now();
    let Played { failed, tally } = play_all(first..first + count);
    println!("played in {:.1?}: {tally:?}", began.elapsed());
    assert!(
        failed.is_empty(),
        "{} of {count} histories failed:\n\n{}",
        failed.len(),
        failed.join("\n\n")
    );
    let rare: Vec<_> = tally
        .iter()
        .filter(|(_, seen)| count >= SEEDS && **seen < RARE)
        .collect();
    assert!(rare.is_empty(), "the histories hardly come to {rare:?}");
}

/// What came of many histories.
#[derive(Default)]
struct Played {
    /// Those in which something is wrong, as text.
    failed: Vec<String>,
    /// What happened in the others.
    tally: Tally,
}

/// Plays seeds on a few threads, each with a world of its own.
fn play_all(seeds: std::ops::Range<u64>) -> Played {
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(8);
    let (next, played) = (AtomicU64::new(seeds.start), Mutex::new(Played::default()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime");
                runtime.block_on(async {
                    let world = World::new().await;
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if !seeds.contains(&seed) {
                            return;
                        }
                        let came_to = play(&world, seed).await;
                        let mut played = played.lock().expect("no panic");
                        match came_to {
                            Ok(tally) => tally.into_iter().for_each(|(what, seen)| {
                                *played.tally.entry(what).or_default() += seen
                            }),
                            Err(failure) => played.failed.push(failure),
                        }
                    }
                });
            });
        }
    });
    played.into_inner().expect("no panic")
}

/// Plays the history of a seed; what happened in it.
///
/// # Errors
/// What is wrong afterwards, with the history.
async fn play(world: &World, seed: u64) -> Result<Tally, String> {
    let history = draw::history(seed);
    let mut run = Run::new(world);
    let mut done = 0;
    let played = AssertUnwindSafe(async {
        for step in &history {
            run.step(step).await;
            done += 1;
        }
        run.settle().await;
    });
    let mut wrong = Vec::new();
    match tokio::time::timeout(LONGEST, played.catch_unwind()).await {
        Ok(Ok(())) => wrong.extend(judge::judge(&run)),
        Err(_) => wrong.push(format!("step {done} does not end")),
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            wrong.push(format!("step {done} panics: {}", text.unwrap_or_default()));
        }
    }
    wrong.append(&mut run.wrong);
    if wrong.is_empty() {
        return Ok(judge::tally(&run));
    }
    let steps: Vec<String> = history
        .iter()
        .enumerate()
        .map(|(number, step)| format!("  {number:>3} {step:?}"))
        .collect();
    Err(format!(
        "seed {seed}; again by: make chaos SEED={seed}\n{}\nis wrong:\n  {}",
        steps.join("\n"),
        wrong.join("\n  ")
    ))
}

#[test]
fn a_seed_is_a_history() {
    assert_eq!(draw::history(4_711), draw::history(4_711));
    assert_ne!(draw::history(4_711), draw::history(4_712));
}
