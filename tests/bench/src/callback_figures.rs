//! The load of a run with callbacks, and its results.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::counting_proxy::Usage;
use crate::receivers::{Faults, Round};

#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub callbacks: usize,
    /// Sales per second; `None` sells all at once.
    pub per_second: Option<usize>,
    pub faults: Faults,
}

/// The callbacks of a run by their state in the table and at the receivers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Totals {
    /// The receiver answered 2xx, and the row says so.
    pub delivered: usize,
    /// The receiver answered 2xx, but the row does not say so.
    pub unwritten: usize,
    /// No 2xx answer; the row waits for an attempt or a replay.
    pub waiting: usize,
    /// No 2xx answer, and the row waits for nothing.
    pub lost: usize,
}

/// The work so far and its cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub table: Usage,
    /// Messages sent to the queue.
    pub sent: u64,
    pub invocations: u64,
    /// Messages that the worker received.
    pub messages: u64,
    /// Messages that are received again, because they or their invocation failed.
    pub failed: u64,
    /// The duration of all finished invocations.
    pub worked: Duration,
    /// The time that the workers alone spent on a processor.
    pub cpu: Duration,
    /// Octets that the workers logged.
    pub logged: u64,
    /// Connections to receivers.
    pub connections: u64,
}

/// A finished run.
pub struct Run {
    pub round: Arc<Round>,
    /// When the relay got the first callback.
    pub started_at: Instant,
    /// Until all callbacks to live endpoints were accepted.
    pub took: Duration,
    /// From the recovery of the dead endpoints until they had all callbacks.
    pub drained: Duration,
    pub cost: Cost,
    /// The most workers busy at the same time.
    pub max_busy: usize,
    pub totals: Totals,
}

impl Cost {
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            table: self.table.since(&before.table),
            sent: self.sent - before.sent,
            invocations: self.invocations - before.invocations,
            messages: self.messages - before.messages,
            failed: self.failed - before.failed,
            worked: self.worked.saturating_sub(before.worked),
            cpu: self.cpu.saturating_sub(before.cpu),
            logged: self.logged - before.logged,
            connections: self.connections - before.connections,
        }
    }
}
