//! The lines that functions log in a test.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing::subscriber::DefaultGuard;

/// Collects the lines of this thread until it is read.
pub(crate) struct Log {
    octets: Octets,
    _guard: DefaultGuard,
    // With a single subscriber, `tracing` asks the thread that logs a line first whether anybody wants it: another test.
    _second: tracing::Dispatch,
}

#[derive(Clone, Default)]
struct Octets(Arc<Mutex<Vec<u8>>>);

impl Write for Octets {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub(crate) fn start() -> Self {
        let octets = Octets::default();
        let writer = octets.clone();
        let log = tandem_runtime::logs::subscriber(move || writer.clone());
        Self {
            octets,
            _second: tracing::Dispatch::new(tandem_runtime::logs::subscriber(io::sink)),
            _guard: tracing::subscriber::set_default(log),
        }
    }

    pub(crate) fn text(&self) -> String {
        let octets = self.octets.0.lock().expect("no panic").clone();
        String::from_utf8(octets).expect("text")
    }

    pub(crate) fn lines(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    /// The lines with this message.
    pub(crate) fn lines_of(&self, message: &str) -> Vec<Value> {
        let mut lines = self.lines();
        lines.retain(|line| line["message"] == message);
        lines
    }
}
