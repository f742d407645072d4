//! Logs: one JSON line per event, ids only. No bodies, addresses, names, codes or keys.

use tracing_subscriber::EnvFilter;

/// Starts to write logs to standard output; `RUST_LOG` chooses what, `info` if it is absent.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // Lambda adds the time; a second start in tests is no error.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .without_time()
        .with_target(false)
        .with_env_filter(filter)
        .try_init();
}
