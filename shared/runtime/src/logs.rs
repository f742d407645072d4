//! Logs: one JSON line per event. They hold ids, but no bodies, addresses, names, codes or keys.

use tracing_subscriber::EnvFilter;

/// Starts logging to standard output, filtered by `RUST_LOG` (default `info`).
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // Lambda adds the time. Tests may start logging twice, so an error is ignored.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .without_time()
        .with_target(false)
        .with_env_filter(filter)
        .try_init();
}
