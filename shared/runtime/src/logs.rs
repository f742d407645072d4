//! Logs: one JSON line per event. They hold ids, but no bodies, addresses, names, codes or keys.

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging to standard output, filtered by `RUST_LOG` (default `info`).
pub fn start() {
    // Tests may start logging twice, so an error is ignored.
    let _ = subscriber(std::io::stdout).try_init();
}

/// The subscriber of [`start`], with another writer.
pub fn subscriber<W>(writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // Lambda adds the time. The runtime's span around each call is the only one, so the list of spans would repeat it.
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .without_time()
        .with_target(false)
        .with_env_filter(filter)
        .with_writer(writer)
        .finish()
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::subscriber;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_has_the_span_of_its_call_once() {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing::subscriber::with_default(subscriber(move || writer.clone()), || {
            tracing::error_span!("call", requestId = "r-1")
                .in_scope(|| tracing::error!(order = "ord_1", "stored"));
        });
        let line = String::from_utf8(lines.0.lock().expect("no panic").clone()).expect("text");
        assert_eq!(
            line,
            "{\"level\":\"ERROR\",\"message\":\"stored\",\"order\":\"ord_1\",\"span\":{\"requestId\":\"r-1\",\"name\":\"call\"}}\n"
        );
    }
}
