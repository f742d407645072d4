//! The settings of a sender.

use std::time::Duration;

use tandem_domain::callback_url::LocalTargets;

/// The defaults are those of production.
#[derive(Debug, Clone)]
pub struct SenderSettings {
    /// Targets of a local stack, which may be loopback addresses and plain http. Empty in production.
    pub local_targets: LocalTargets,
    /// For lookup, TCP and TLS together.
    pub connect_timeout: Duration,
    /// From the start until the answer's status and headers have arrived.
    pub first_byte_timeout: Duration,
    /// From the start until the answer has been read.
    pub total_timeout: Duration,
}

impl SenderSettings {
    /// From the start until the answer's status and headers have arrived.
    pub(crate) fn answer_deadline(&self) -> Duration {
        self.first_byte_timeout.min(self.total_timeout)
    }
}

impl Default for SenderSettings {
    fn default() -> Self {
        Self {
            local_targets: LocalTargets::default(),
            connect_timeout: Duration::from_secs(3),
            first_byte_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(15),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_domain::endpoint_health::{PROBE, SLOW_AFTER};

    #[test]
    fn a_probe_ends_before_another_begins() {
        assert!(PROBE.unsigned_abs() > SenderSettings::default().total_timeout);
    }

    #[test]
    fn an_endpoint_that_hangs_is_slow_before_an_attempt_fails() {
        assert!(SLOW_AFTER.unsigned_abs() < SenderSettings::default().first_byte_timeout);
    }
}
